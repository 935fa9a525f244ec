"""Questions of the study answered from what systems said of test sequences: NumPy only.

Every interval is a 95 % bootstrap over groups, since sequences of one clip, and clips of one person, resemble
each other. Several seeds are pooled: a group is one unit of the bootstrap however many seeds it was tested in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.evaluation.classification import Classification, classify, mean_by_clip
from exerlitenet.evaluation.metrics import (
    Interval,
    accuracy,
    balanced_accuracy,
    bootstrap,
    grouped_confusion,
    mcnemar,
    mean,
    plain,
    ratio,
    sums_by_group,
)
from exerlitenet.reproduction.units import Answers

Floats = NDArray[np.float64]

DISTANCES_S = (0.0, 0.5, 1.0, 2.0)
"""Edges of the classes of distance between a window and the nearest peak (turning point) of a repetition, seconds."""


def pooled(tested: Sequence[Answers]) -> Answers:
    """Every test sequence, once for every seed that tested it."""
    arrays = ("probabilities", "truth", "clip", "start_s", "end_s", "group")
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in tested]) for name in arrays
    }
    return replace(tested[0], **joined)


def clips_of(tested: Sequence[Answers]) -> Answers:
    """Every test clip once, with its mean probabilities over its test sequences and over seeds."""
    every = pooled(tested)
    places, means = mean_by_clip(every.probabilities, every.clip.tolist())
    first = np.unique(every.clip, return_index=True)[1]
    of_clip: dict[str, Any] = {
        name: getattr(every, name)[first] for name in ("truth", "start_s", "end_s", "group")
    }
    return replace(every, clip=places, probabilities=means, **of_clip)


def classified(tested: Sequence[Answers]) -> tuple[Classification, Classification]:
    """Test sequences of all seeds together, and distinct test clips."""
    sequences, clips = (
        classify(
            *found.names,
            found.group.tolist(),
            found.classes,
            unit=unit,
            statement=f"The class of the {highest}.",
        )
        for found, unit, highest in (
            (pooled(tested), "sequences", "highest probability of each test sequence; seeds pooled"),
            (clips_of(tested), "clips", "highest mean probability over the test sequences of each clip"),
        )
    )
    return sequences, clips


@dataclass(frozen=True)
class Paired:
    """Two systems on the same test clips, by McNemar's exact test. difference: accuracy of the first less that of the
    second.
    """

    clips: int
    only_first: int
    only_second: int
    p_value: float
    difference: Interval


def paired(first: Sequence[Answers], second: Sequence[Answers]) -> Paired:
    """Both need the same clips in test, as systems of one split and its seeds have."""
    a, b = clips_of(first), clips_of(second)
    if a.clip.tolist() != b.clip.tolist():
        raise ValueError("a paired test needs the same test clips for both systems")
    difference = mean(a.group.tolist(), (a.right.astype(float) - b.right).tolist())
    return Paired(len(a.clip), *mcnemar(a.right.tolist(), b.right.tolist()), difference)


@dataclass(frozen=True)
class Overstated:
    """One system's figures on the random split less those on the split by group.

    balanced: of sequences, both classes weighing alike. sequences: their accuracy. clips: share of clips right.
    """

    balanced: Interval
    sequences: Interval
    clips: Interval


def overstated(random: Sequence[Answers], by_group: Sequence[Answers]) -> Overstated:
    """How far the random split overstates a system. A group is one unit of the bootstrap in both splits at once."""
    sequences = _confusions([pooled(random), pooled(by_group)])
    clips = _confusions([clips_of(random), clips_of(by_group)])
    return Overstated(_less(sequences, balanced_accuracy), _less(sequences, accuracy), _less(clips, accuracy))


def _confusions(sides: Sequence[Answers]) -> NDArray[np.int64]:
    """Confusion of every group on either side: int64 [groups, 2, classes, classes]."""
    classes = sides[0].classes
    names = np.unique(np.concatenate([side.group for side in sides]))
    out = np.zeros((len(names), 2, len(classes), len(classes)), np.int64)
    for k, side in enumerate(sides):
        there = np.searchsorted(names, np.unique(side.group))
        out[there, k] = grouped_confusion(*side.names, classes, side.group.tolist())
    return out


def _less(confusion: NDArray[np.int64], figure: Callable[[NDArray[np.int64]], Floats]) -> Interval:
    """A figure of the first side less that of the second."""
    found = bootstrap(confusion, lambda drawn: figure(drawn[:, 0]) - figure(drawn[:, 1]))
    groups = (confusion.sum((2, 3)) > 0).sum(0)
    return found if groups.min() >= 2 else Interval(found.value)


@dataclass(frozen=True)
class Tested:
    """What the test parts of one split hold, all seeds together.

    sequences, clips: class -> how many; a sequence counts once for every seed that tested it, a clip once. groups: of
    all. largest_group: share of the sequences that come from the group with the most.
    """

    sequences: Mapping[str, int]
    clips: Mapping[str, int]
    groups: int
    largest_group: float

    def to_json(self) -> dict[str, Any]:
        """With the shares that always saying the class with the most sequences gets right."""
        named = max(self.sequences, key=lambda name: self.sequences[name])
        always = {
            unit: round(counts[named] / sum(counts.values()), 6)
            for unit, counts in (("sequences", self.sequences), ("clips", self.clips))
        }
        return {
            **plain(self),
            "largest_group": round(self.largest_group, 6),
            "always": {"class": named, **always},
        }


def describe_tested(tested: Sequence[Answers]) -> Tested:
    """What one system was tested on; the same for all systems of a split."""
    sequences = pooled(tested)
    _, sizes = np.unique(sequences.group, return_counts=True)
    return Tested(sequences.counts(), clips_of(tested).counts(), len(sizes), float(sizes.max() / sizes.sum()))


def error_rates(tested: Sequence[Answers]) -> dict[str, Interval]:
    """Class -> share of its test sequences that were called something else."""
    found = pooled(tested)
    return {
        name: mean(found.group[found.truth == k].tolist(), (~found.right[found.truth == k]).tolist())
        for k, name in enumerate(found.classes)
    }


def error_difference(tested: Sequence[Answers], first: str, second: str) -> Interval:
    """Error rate of one class's sequences less that of another's."""
    found = pooled(tested)
    a, b = found.classes.index(first), found.classes.index(second)
    either = (found.truth == a) | (found.truth == b)
    return _difference(found.group[either], ~found.right[either], found.truth[either] == a)


def _difference(groups: NDArray[np.str_], wrong: NDArray[np.bool_], first: NDArray[np.bool_]) -> Interval:
    """Share of wrong where first, less that of the others. Without two groups on each side there is no interval."""
    if not len(groups):
        return Interval(None)
    sums = sums_by_group(
        groups.tolist(), np.stack([first, first & wrong, ~first, ~first & wrong], 1).tolist()
    )
    found = bootstrap(sums, lambda drawn: ratio(drawn[:, 1], drawn[:, 0]) - ratio(drawn[:, 3], drawn[:, 2]))
    return found if min((sums[:, k] > 0).sum() for k in (0, 2)) >= 2 else Interval(found.value)


@dataclass(frozen=True)
class AtDistance:
    """Windows of one class of distance, and the share of them that is wrong."""

    distance: str
    sequences: int
    error: Interval


@dataclass(frozen=True)
class Rest:
    """Errors against the distance to the nearest peak (bottom or top) of a repetition.

    difference: error rate of the windows that hold no peak less that of those that hold one. sequences: with known
    repetitions; errors: among them.
    """

    sequences: int
    errors: int
    rows: tuple[AtDistance, ...]
    difference: Interval


def at_rest(tested: Sequence[Answers], peaks_s: Mapping[int, Sequence[float]]) -> Rest:
    """peaks_s: place of a clip -> when its repetitions were at their peaks; clips without are not used.

    A window's distance is 0 when a peak is in it, otherwise the time from the window to the nearest one.
    """
    found = pooled(tested)
    known = np.array([bool(peaks_s.get(clip)) for clip in found.clip.tolist()], bool)
    windows = zip(found.clip[known].tolist(), found.start_s[known], found.end_s[known], strict=True)
    distance = np.array(
        [min(max(start - t, t - end, 0.0) for t in peaks_s[clip]) for clip, start, end in windows]
    )
    wrong, groups = ~found.right[known], found.group[known]
    bins = {"in the window": distance == 0}
    for low, high in zip(DISTANCES_S, (*DISTANCES_S[1:], None), strict=True):
        name = f"more than {low:g} s away" if high is None else f"{low:g} to {high:g} s away"
        bins[name] = (distance > low) & (distance <= (np.inf if high is None else high))
    rows = tuple(
        AtDistance(name, int(inside.sum()), mean(groups[inside].tolist(), wrong[inside].tolist()))
        for name, inside in bins.items()
    )
    return Rest(len(wrong), int(wrong.sum()), rows, _difference(groups, wrong, distance > 0))
