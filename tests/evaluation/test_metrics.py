"""Metrics against the paper's table, hand-worked cases and known properties."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.errors import InputError
from exerlitenet.evaluation.metrics import (
    Interval,
    accuracy,
    balanced_accuracy,
    bootstrap,
    f1_scores,
    grouped_confusion,
    mcnemar,
    precisions,
    recalls,
)


def confusion(truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    return np.asarray(grouped_confusion(truth, predicted, classes, [""] * len(truth)).sum(0))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        # Accuracy, precision, recall and F1 that the paper prints for these matrices; rows curl, squat.
        ([[107, 15], [4, 114]], (92.08, 96.39, 87.70, 91.83)),
        ([[98, 24], [7, 111]], (87.08, 93.34, 80.32, 86.34)),
    ],
)
def test_the_figures_of_the_paper_follow_from_its_matrices(
    matrix: list[list[int]], expected: tuple[float, ...]
) -> None:
    m = np.array(matrix)
    found = (accuracy(m), precisions(m)[0], recalls(m)[0], f1_scores(m)[0])
    assert [100 * float(value) for value in found] == pytest.approx(expected, abs=0.02)


def test_rows_are_truth_and_columns_predictions() -> None:
    found = confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])
    assert found.tolist() == [[1, 1], [0, 1]]


def test_a_class_that_does_not_occur_has_no_recall_and_does_not_count_in_the_balance() -> None:
    matrix = np.array([[3, 1, 0], [0, 2, 2], [0, 0, 0]])
    assert np.isnan(recalls(matrix)).tolist() == [False, False, True]
    assert float(balanced_accuracy(matrix)) == pytest.approx((0.75 + 0.5) / 2)
    assert np.isnan(balanced_accuracy(np.zeros((2, 2), np.int64)))


def test_never_called_means_no_precision_but_an_f1_of_nought() -> None:
    matrix = np.array([[0, 4], [0, 4]])
    assert np.isnan(precisions(matrix)[0])
    assert f1_scores(matrix)[0] == 0


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.sampled_from("xyz")),
        min_size=1,
        max_size=40,
    )
)
def test_matrices_of_groups_add_up_to_the_whole(items: list[tuple[str, str, str]]) -> None:
    truth, predicted, groups = (list(column) for column in zip(*items, strict=True))
    whole = confusion(truth, predicted, "abc")
    assert (grouped_confusion(truth, predicted, "abc", groups).sum(0) == whole).all()
    assert whole.sum() == len(items)
    right = np.mean([t == p for t, p in zip(truth, predicted, strict=True)])
    assert float(accuracy(whole)) == pytest.approx(right)


def test_an_unknown_class_and_unequal_lengths_are_input_errors() -> None:
    with pytest.raises(InputError, match="got lunge"):
        confusion(["squat"], ["lunge"], ["squat"])
    with pytest.raises(InputError, match="equally many"):
        confusion(["squat"], [], ["squat"])


def test_bootstrap_encloses_the_value_and_is_the_same_for_one_seed() -> None:
    rng = np.random.default_rng(1)
    matrices = rng.integers(0, 6, (20, 2, 2))
    found = bootstrap(matrices, accuracy, seed=3)
    assert found == bootstrap(matrices, accuracy, seed=3)
    assert found != bootstrap(matrices, accuracy, seed=4)
    assert found.value == pytest.approx(float(accuracy(matrices.sum(0))))
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < found.value < found.high <= 1


def test_bootstrap_over_groups_is_wider_than_over_clips_when_groups_agree_within() -> None:
    """Ten clips of a group that are all right or all wrong tell as much as one."""
    right, wrong = np.array([[10, 0], [0, 0]]), np.array([[0, 10], [0, 0]])
    by_group = bootstrap(np.stack([right] * 12 + [wrong] * 4), accuracy)
    by_clip = bootstrap(np.stack([right // 10] * 120 + [wrong // 10] * 40), accuracy)
    assert by_group.value == by_clip.value == 0.75
    assert by_group.low is not None
    assert by_clip.low is not None
    assert 0.75 - by_group.low > 2.5 * (0.75 - by_clip.low)


def test_bootstrap_matches_the_normal_interval_for_many_groups() -> None:
    """400 groups of one clip, 300 right: 0.75 +- 1.96 sqrt(0.75 * 0.25 / 400)."""
    matrices = np.zeros((400, 2, 2), np.int64)
    matrices[:300, 0, 0] = 1
    matrices[300:, 0, 1] = 1
    found = bootstrap(matrices, accuracy)
    assert found.low == pytest.approx(0.7076, abs=0.006)
    assert found.high == pytest.approx(0.7924, abs=0.006)


def test_one_group_has_no_interval_and_no_support_no_value() -> None:
    assert bootstrap(np.array([[[3, 1], [0, 0]]]), accuracy) == Interval(0.75)
    assert bootstrap(np.zeros((4, 2, 2), np.int64), accuracy) == Interval(None)


def test_mcnemar_exact() -> None:
    first = [True] * 8 + [False] * 1 + [True] * 5
    second = [False] * 8 + [True] * 1 + [True] * 5
    only_first, only_second, p_value = mcnemar(first, second)
    assert (only_first, only_second) == (8, 1)
    # Two-sided binomial: 2 (1 + 9) / 2^9.
    assert p_value == pytest.approx(20 / 512)
    assert mcnemar([True], [True])[2] == 1
    with pytest.raises(InputError):
        mcnemar([True], [])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_mcnemar_does_not_depend_on_which_comes_first(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found, turned = mcnemar(first, second), mcnemar(second, first)
    assert (found[0], found[1], found[2]) == (turned[1], turned[0], turned[2])
    assert 0 < found[2] <= 1


def test_intervals_as_text_and_json() -> None:
    assert f"{Interval(0.935, 0.901, 0.96)}" == "93.5 % [90.1, 96.0]"
    assert f"{Interval(0.5)}" == "50.0 %"
    assert f"{Interval(None)}" == "-"
    assert Interval(1 / 3).to_json() == {"value": 0.333333, "low": None, "high": None}
    assert not math.isnan(Interval(1 / 3).to_json()["value"] or 0)
