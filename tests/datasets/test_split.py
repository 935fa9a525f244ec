"""Splits: complete, disjoint, no group crosses, shares kept, deterministic; clear errors for tiny ones."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exerlitenet.datasets.split import (
    LeakError,
    Split,
    check_no_leak,
    folds_by_group,
    split_by_group,
    split_by_sequence,
)
from exerlitenet.errors import InputError

CLASSES = ("squat", "biceps_curl", "none")
clips = st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(0, 40)), min_size=1, max_size=120)


def unzip(items: list[tuple[str, int]]) -> tuple[list[str], list[str]]:
    return [label for label, _ in items], [f"g{group:02}" for _, group in items]


def many_groups(groups: int = 30, each: int = 6) -> tuple[list[str], list[str]]:
    """Clips of groups that hold every class, in sizes that vary."""
    labels, names = [], []
    for group in range(groups):
        for k in range(each + group % 5):
            labels.append(CLASSES[k % 3])
            names.append(f"g{group:02}")
    return labels, names


@settings(max_examples=60, deadline=None)
@given(clips, st.integers(0, 3))
def test_split_by_group_is_a_partition_in_which_no_group_crosses(
    items: list[tuple[str, int]], seed: int
) -> None:
    labels, groups = unzip(items)
    try:
        split = split_by_group(labels, groups, seed=seed)
    except InputError:
        # Only where the groups are few: the more so when a class stands in one group alone.
        assert len(set(groups)) < 3 + len(set(labels))
        return
    assert sorted(i for part in split.parts.values() for i in part) == list(range(len(labels)))
    assert all(split.parts.values())
    assert {labels[i] for i in split.train} == set(labels)
    for group in set(groups):
        assert sum(any(groups[i] == group for i in part) for part in split.parts.values()) == 1


@settings(max_examples=40, deadline=None)
@given(clips, st.integers(0, 3), st.randoms())
def test_split_by_group_does_not_depend_on_the_order_of_clips(
    items: list[tuple[str, int]], seed: int, random: object
) -> None:
    labels, groups = unzip(items)
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    try:
        one = split_by_group(labels, groups, seed=seed)
    except InputError:
        with pytest.raises(InputError):
            split_by_group(*unzip(shuffled), seed=seed)
        return
    other = split_by_group(*unzip(shuffled), seed=seed)
    other_groups = unzip(shuffled)[1]
    for part in one.parts:
        assert {groups[i] for i in one.parts[part]} == {other_groups[i] for i in other.parts[part]}


def test_split_by_group_keeps_each_class_near_its_share_and_parts_of_several_groups() -> None:
    labels, groups = many_groups()
    split = split_by_group(labels, groups, seed=4)
    for part, wanted in zip(("train", "validation", "test"), (0.7, 0.15, 0.15), strict=True):
        for name in CLASSES:
            share = sum(labels[i] == name for i in split.parts[part]) / labels.count(name)
            assert share == pytest.approx(wanted, abs=0.04)
        assert len({groups[i] for i in split.parts[part]}) >= 3


def test_a_huge_group_goes_to_training() -> None:
    labels, groups = many_groups(groups=12, each=3)
    labels += ["squat"] * 60 + ["biceps_curl"] * 60
    groups += ["huge"] * 120
    split = split_by_group(labels, groups)
    assert "huge" in {groups[i] for i in split.train}


def test_a_class_of_three_groups_is_in_every_part() -> None:
    labels, groups = many_groups()
    labels += ["lunge"] * 3
    groups += ["rare 1", "rare 2", "rare 3"]
    split = split_by_group(labels, groups)
    assert {labels[i] == "lunge" for i in split.train} == {True, False}
    assert all(any(labels[i] == "lunge" for i in part) for part in split.parts.values())


def test_a_class_of_one_group_is_trained_on() -> None:
    labels, groups = many_groups()
    split = split_by_group([*labels, "lunge"], [*groups, "only"])
    assert len(labels) in split.train


def test_seeds_give_different_splits_and_one_seed_the_same() -> None:
    labels, groups = many_groups()
    assert split_by_group(labels, groups, seed=1) == split_by_group(labels, groups, seed=1)
    assert split_by_group(labels, groups, seed=1).test != split_by_group(labels, groups, seed=2).test


def test_fractions_of_zero_leave_a_part_empty() -> None:
    split = split_by_group(["squat", "squat"], ["a", "b"], fractions=(0.5, 0, 0.5))
    assert (len(split.train), split.validation, len(split.test)) == (1, (), 1)
    assert split_by_group(["squat"], ["a"], fractions=(1, 0, 0)).train == (0,)


@pytest.mark.parametrize("groups", [["a"], ["a", "b"]])
def test_too_few_groups_are_an_input_error(groups: list[str]) -> None:
    with pytest.raises(InputError, match=f"at least 3 groups, got {len(groups)}"):
        split_by_group(["squat"] * len(groups), groups)


def test_groups_that_cannot_fill_training_with_every_class_are_an_input_error() -> None:
    with pytest.raises(InputError, match="in training"):
        split_by_group(["squat", "biceps_curl", "none"], ["a", "b", "c"])


@pytest.mark.parametrize(
    "fractions", [(0.7, 0.3), (0.7, 0.2, 0.2), (0, 0.5, 0.5), (1.2, -0.1, -0.1), (float("nan"), 0.5, 0.5)]
)
def test_fractions_that_are_none_are_an_input_error(fractions: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="three fractions"):
        split_by_group(["squat"] * 3, ["a", "b", "c"], fractions)
    with pytest.raises(InputError, match="three fractions"):
        split_by_sequence(["squat"] * 3, fractions)


def test_labels_without_groups_are_an_input_error() -> None:
    with pytest.raises(InputError, match="2 labels, 1 groups"):
        split_by_group(["squat", "squat"], ["a"])
    with pytest.raises(InputError, match="got none"):
        split_by_group([], [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(CLASSES), min_size=1, max_size=200), st.integers(0, 5))
def test_split_by_sequence_is_a_stratified_partition(labels: list[str], seed: int) -> None:
    try:
        split = split_by_sequence(labels, seed=seed)
    except InputError:
        assert max(Counter(labels).values()) < 3
        return
    assert split == split_by_sequence(labels, seed=seed)
    assert sorted(i for part in split.parts.values() for i in part) == list(range(len(labels)))
    for name, total in Counter(labels).items():
        for part, fraction in zip(split.parts.values(), split.fractions, strict=True):
            found = sum(labels[i] == name for i in part)
            assert abs(found - fraction * total) < 2
            assert found > 0 or total < 3


def test_split_by_sequence_gives_the_counts_of_the_paper() -> None:
    split = split_by_sequence(["squat", "biceps_curl"] * 806)
    assert [len(part) for part in split.parts.values()] == [1128, 242, 242]


def test_statements_say_what_a_figure_is_about() -> None:
    labels, groups = many_groups()
    assert "not trained on" in split_by_group(labels, groups).statement
    by_sequence = split_by_sequence(labels).statement
    assert "Random split of sequences as in the paper" in by_sequence
    assert "stand on both sides" in by_sequence
    assert "nothing about new people" in by_sequence


@settings(max_examples=30, deadline=None)
@given(clips, st.integers(2, 5))
def test_folds_leave_every_clip_out_once_and_split_no_group(items: list[tuple[str, int]], folds: int) -> None:
    labels, groups = unzip(items)
    try:
        held_out = folds_by_group(labels, groups, folds, seed=1)
    except InputError:
        one_group = any(len({g for k, g in zip(labels, groups, strict=True) if k == n}) < 2 for n in labels)
        assert one_group or len(set(groups)) < folds + len(set(labels))
        return
    assert sorted(i for fold in held_out for i in fold) == list(range(len(labels)))
    for fold in held_out:
        rest = set(range(len(labels))) - set(fold)
        assert {labels[i] for i in rest} == set(labels)
        assert not {groups[i] for i in fold} & {groups[i] for i in rest}


def test_folds_that_cannot_be_are_an_input_error() -> None:
    with pytest.raises(InputError, match="at least 2 folds"):
        folds_by_group(["squat"], ["a"], 1)
    with pytest.raises(InputError, match="at least 3 groups, got 2"):
        folds_by_group(["squat", "none"], ["a", "b"], 3)
    with pytest.raises(InputError, match='"none" is in one fold only'):
        folds_by_group(["squat", "squat", "none"], ["a", "b", "c"], 2)


def test_a_group_that_crosses_is_named() -> None:
    split = Split("group", 0, (0.7, 0.15, 0.15), {"train": (0, 1), "validation": (2,), "test": (3,)})
    check_no_leak(split, ["a", "a", "b", "c"], ["1", "2", "3", "4"])
    with pytest.raises(LeakError, match=r"same group.*a in test, train"):
        check_no_leak(split, ["a", "a", "b", "a"])
    with pytest.raises(LeakError, match=r"same content.*ff in train, validation"):
        check_no_leak(split, ["a", "a", "b", "c"], ["ff", "", "ff", ""])


def test_an_item_in_two_parts_is_a_leak_under_either_protocol() -> None:
    for protocol in ("group", "sequence"):
        split = Split(protocol, 0, (0.7, 0.15, 0.15), {"train": (0, 1), "validation": (1,), "test": (2,)})
        with pytest.raises(LeakError, match="items 1 "):
            check_no_leak(split, ["a", "b", "c"])


def test_a_split_of_another_dataset_is_an_input_error() -> None:
    split = Split("group", 0, (0.7, 0.15, 0.15), {"train": (0, 1), "validation": (2,), "test": (9,)})
    with pytest.raises(InputError, match="another dataset"):
        check_no_leak(split, ["a", "b", "c"])


def test_json_there_and_back() -> None:
    labels, groups = many_groups()
    for split in (split_by_group(labels, groups, seed=3), split_by_sequence(labels, seed=3)):
        assert Split.from_json(json.loads(json.dumps(split.to_json()))) == split


@pytest.mark.parametrize(
    "change", [{"protocol": "random"}, {"parts": {"train": [0]}}, {"fractions": [1, 1, 1]}, {"seed": "x"}]
)
def test_json_that_is_no_split_is_an_input_error(change: dict[str, object]) -> None:
    labels, groups = many_groups()
    with pytest.raises(InputError):
        Split.from_json({**split_by_group(labels, groups).to_json(), **change})


def test_json_that_leaks_is_a_leak() -> None:
    labels, groups = many_groups()
    data = split_by_group(labels, groups).to_json()
    data["parts"]["test"] = data["parts"]["train"]
    with pytest.raises(LeakError):
        Split.from_json(data)
