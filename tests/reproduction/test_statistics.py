"""The study's statistics against small cases worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from exerlitenet.reproduction.statistics import (
    at_rest,
    classified,
    clips_of,
    describe_tested,
    error_difference,
    error_rates,
    overstated,
    paired,
)
from exerlitenet.reproduction.units import Answers

CLASSES = ("biceps_curl", "squat")


def answers(rows: list[tuple[int, int, float]], seed: int = 0, starts: list[float] | None = None) -> Answers:
    """rows: (clip, true class, probability of biceps_curl). The group of clip k is g(k // 2)."""
    start = np.array(starts or [0.0] * len(rows))
    return Answers(
        seed=seed,
        classes=CLASSES,
        probabilities=np.array([[p, 1 - p] for _, _, p in rows]),
        truth=np.array([truth for _, truth, _ in rows]),
        clip=np.array([clip for clip, _, _ in rows]),
        start_s=start,
        end_s=start + 2.0,
        group=np.array([f"g{clip // 2}" for clip, _, _ in rows]),
    )


def test_a_clip_is_called_by_its_mean_over_sequences_and_seeds() -> None:
    first = answers([(3, 0, 0.9), (3, 0, 0.4), (1, 1, 0.6)])
    second = answers([(3, 0, 0.1), (2, 1, 0.2)], seed=1)
    clips = clips_of([first, second])
    assert clips.clip.tolist() == [1, 2, 3]
    assert clips.truth.tolist() == [1, 1, 0]
    # Clip 1: 0.6 for curl. Clip 3: (0.9 + 0.4 + 0.1) / 3 = 0.47, a squat; by the first seed alone, a curl.
    assert clips.called.tolist() == [0, 1, 1]
    assert clips.right.tolist() == [False, True, False]
    assert clips_of([first]).right.tolist() == [False, True]
    assert clips.group.tolist() == ["g0", "g1", "g1"]


def test_evaluations_pool_seeds_over_sequences_and_count_clips_once() -> None:
    parts = [answers([(0, 0, 0.9), (2, 1, 0.9)]), answers([(0, 0, 0.8), (4, 1, 0.1)], seed=1)]
    sequences, clips = classified(parts)
    assert sequences.confusion == ((2, 0), (1, 1))
    assert clips.confusion == ((1, 0), (1, 1))
    assert (sequences.groups, clips.groups) == (3, 3)
    assert sequences.accuracy.value == 0.75
    assert clips.scores["biceps_curl"].precision.value == 0.5


def test_the_paired_test_is_on_clips_not_on_sequences() -> None:
    # Clip k has k + 1 sequences. The first is wrong on clip 5 alone, the second on clips 0 to 3.
    rows = [(clip, clip % 2) for clip in range(6) for _ in range(clip + 1)]

    def system(wrong: set[int]) -> Answers:
        return answers([(c, t, float((t == 0) != (c in wrong))) for c, t in rows])

    found = paired([system({5})], [system({0, 1, 2, 3})])
    assert (found.clips, found.only_first, found.only_second) == (6, 4, 1)
    assert found.p_value == pytest.approx(2 * (math.comb(5, 0) + math.comb(5, 1)) / 2**5)
    assert found.difference.value == pytest.approx(3 / 6)
    same = paired([system({5})], [system({5})])
    assert (same.p_value, same.difference.value, same.difference.low, same.difference.high) == (
        1,
        0,
        0,
        0,
    )
    assert paired([system({0, 1, 2, 3})], [system({5})]).difference.value == pytest.approx(-3 / 6)
    with pytest.raises(ValueError, match="same test clips"):
        paired([system({5})], [answers([(0, 0, 1.0)])])


def test_how_far_a_random_split_overstates() -> None:
    random = [answers([(0, 0, 1.0), (1, 1, 0.0), (2, 0, 1.0), (3, 1, 0.0)])]
    by_group = [answers([(0, 0, 1.0), (1, 1, 1.0)]), answers([(2, 0, 0.0), (3, 1, 0.0)], seed=1)]
    found = overstated(random, by_group)
    assert found.sequences.value == pytest.approx(1.0 - 0.5)
    assert found.sequences.low is not None
    assert found.sequences.high is not None
    assert found.sequences.low <= 0.5 <= found.sequences.high


def test_overstating_is_reported_with_both_classes_alike_and_on_clips() -> None:
    # By group: three squats of one clip right, one curl wrong.
    random = [answers([(0, 0, 1.0), (2, 1, 0.0)])]
    by_group = [answers([(4, 1, 0.0), (4, 1, 0.0), (4, 1, 0.0), (6, 0, 0.0)])]
    found = overstated(random, by_group)
    assert found.sequences.value == pytest.approx(1 - 3 / 4)
    assert found.balanced.value == pytest.approx(1 - 1 / 2)
    assert found.clips.value == pytest.approx(1 - 1 / 2)
    alone = overstated(random, [answers([(4, 1, 0.0)])]).balanced
    assert (alone.value, alone.low) == (0.0, None)  # one group has no interval


def test_what_the_test_parts_hold() -> None:
    found = describe_tested(
        [answers([(0, 0, 1.0), (4, 1, 0.0), (4, 1, 0.0)]), answers([(0, 0, 1.0), (5, 1, 0.0)], 1)]
    )
    assert found.sequences == {"biceps_curl": 2, "squat": 3}
    assert found.clips == {"biceps_curl": 1, "squat": 2}
    assert (found.groups, found.largest_group) == (2, pytest.approx(3 / 5))
    assert found.to_json()["always"] == {"class": "squat", "sequences": 0.6, "clips": 0.666667}


def test_errors_by_class() -> None:
    parts = [answers([(0, 0, 0.1), (1, 0, 0.9), (2, 1, 0.2), (3, 1, 0.3), (4, 0, 0.2), (5, 1, 0.7)])]
    rates = error_rates(parts)
    assert rates["biceps_curl"].value == pytest.approx(2 / 3)
    assert rates["squat"].value == pytest.approx(1 / 3)
    assert error_difference(parts, "biceps_curl", "squat").value == pytest.approx(1 / 3)
    assert error_difference(parts, "squat", "biceps_curl").value == pytest.approx(-1 / 3)
    only = error_difference([answers([(0, 0, 0.1)])], "biceps_curl", "squat")
    assert (only.value, only.low) == (None, None)


def test_errors_at_rest_by_the_distance_to_the_nearest_peak() -> None:
    # Windows of 2 s of four clips, right or wrong (probability of the true class curl).
    part = answers(
        [(0, 0, 1.0), (0, 0, 0.0), (2, 0, 0.0), (3, 0, 1.0), (9, 0, 0.0)], starts=[0.0, 3.0, 6.0, 10.0, 0.0]
    )
    extremes = {0: (1.0, 2.7), 2: (5.2, 40.0), 3: (14.5,)}
    found = at_rest([part], extremes)
    # 1.0 lies in the first window; 2.7 is 0.3 s before the second; 5.2 is 0.8 s before the third; 14.5 is 2.5 s
    # after the fourth. The fifth window's clip has no known repetitions.
    assert (found.sequences, found.errors) == (4, 2)
    assert [(row.distance, row.sequences, row.error.value) for row in found.rows] == [
        ("in the window", 1, 0.0),
        ("0 to 0.5 s away", 1, 1.0),
        ("0.5 to 1 s away", 1, 1.0),
        ("1 to 2 s away", 0, None),
        ("more than 2 s away", 1, 0.0),
    ]
    assert found.difference.value == pytest.approx(2 / 3)
    nothing = at_rest([part], {})
    assert (nothing.sequences, nothing.difference.value) == (0, None)


def test_intervals_are_over_groups() -> None:
    # Eight sequences a group; groups are wholly right or wholly wrong, so sequences are no independent items.
    rows: list[Any] = [(2 * g, 0, float(g % 2)) for g in range(10) for _ in range(8)]
    wide = classified([answers(rows)])[0].accuracy
    assert wide.value == 0.5
    assert wide.low is not None
    assert wide.high is not None
    assert wide.high - wide.low > 0.45  # 80 independent sequences would give about 0.22
