"""Questions of the study answered from what systems said of test sequences: NumPy only.

Every interval is a 95 % bootstrap over groups, since sequences of one clip, and clips of one person, resemble
each other. Several seeds are pooled: a group is one unit of the bootstrap however many seeds it was tested in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.evaluation.classification import Judgement, compare
from exerlitenet.evaluation.metrics import (
    Interval,
    McNemar,
    accuracy,
    balanced_accuracy,
    bootstrap,
    grouped_confusion,
    mcnemar,
)
from exerlitenet.reproduction.units import Answers

Floats = NDArray[np.float64]

DISTANCES_S = (0.0, 0.5, 1.0, 2.0)
"""Edges of the classes of distance between a window and the nearest far end of a repetition, seconds."""


@dataclass(frozen=True)
class Clips:
    """Test clips of one system on one split, each once, in the order of their places in the data set.

    A clip that several seeds tested has the mean of all its probabilities. clip, truth, called: int64 [n].
    """

    classes: tuple[str, ...]
    clip: NDArray[np.int64]
    truth: NDArray[np.int64]
    called: NDArray[np.int64]
    group: tuple[str, ...]

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.asarray(self.called == self.truth)


def clips_of(tested: Sequence[Answers]) -> Clips:
    """A clip is called the class of its highest mean probability over its test sequences, and over seeds."""
    sums: dict[int, Floats] = {}
    facts: dict[int, tuple[int, str]] = {}
    for part in tested:
        for row, clip in enumerate(part.clip.tolist()):
            sums[clip] = sums.get(clip, np.zeros(len(part.classes))) + part.probabilities[row]
            facts[clip] = (int(part.truth[row]), part.group[row])
    places = sorted(sums)
    return Clips(
        tested[0].classes,
        np.array(places, np.int64),
        np.array([facts[clip][0] for clip in places], np.int64),
        np.array([int(sums[clip].argmax()) for clip in places], np.int64),
        tuple(facts[clip][1] for clip in places),
    )


def judge_sequences_of(tested: Sequence[Answers]) -> Judgement:
    """Test sequences of all seeds together."""
    classes = tested[0].classes
    return compare(
        [classes[k] for part in tested for k in part.truth],
        [classes[k] for part in tested for k in part.called],
        [group for part in tested for group in part.group],
        classes,
        unit="sequences",
        statement="Each test sequence is called the class of its highest probability; seeds pooled.",
    )


def judge_clips_of(tested: Sequence[Answers]) -> Judgement:
    """Distinct test clips; see `clips_of`."""
    clips = clips_of(tested)
    return compare(
        [clips.classes[k] for k in clips.truth],
        [clips.classes[k] for k in clips.called],
        clips.group,
        clips.classes,
        unit="clips",
        statement="Each clip is called the class of its highest mean probability over its test sequences.",
    )


@dataclass(frozen=True)
class Paired:
    """Two systems on the same test clips. difference: accuracy of the first less that of the second."""

    clips: int
    test: McNemar
    difference: Interval

    def to_json(self) -> dict[str, Any]:
        return {"clips": self.clips, **asdict(self.test), "difference": self.difference.to_json()}


def paired(first: Sequence[Answers], second: Sequence[Answers]) -> Paired:
    """McNemar's test on clips. Both need the same clips in test, as systems of one split and its seeds have."""
    a, b = clips_of(first), clips_of(second)
    if a.clip.tolist() != b.clip.tolist():
        raise ValueError("a paired test needs the same test clips for both systems")
    rows = zip(a.right.tolist(), b.right.tolist(), strict=True)
    sums = _sums(a.group, [(1.0, float(x), float(y)) for x, y in rows])
    return Paired(
        len(a.clip),
        mcnemar(a.right.tolist(), b.right.tolist()),
        bootstrap(sums, lambda s: _ratio(s[:, 1] - s[:, 2], s[:, 0])),
    )


@dataclass(frozen=True)
class Overstated:
    """One system's figures on the random split less those on the split by group.

    balanced: of sequences, both classes weighing alike. sequences: their accuracy. clips: share of clips right.
    """

    balanced: Interval
    sequences: Interval
    clips: Interval

    def to_json(self) -> dict[str, Any]:
        return {name: interval.to_json() for name, interval in vars(self).items()}


def overstated(random: Sequence[Answers], by_group: Sequence[Answers]) -> Overstated:
    """How far the random split overstates a system. A group is one unit of the bootstrap in both splits at once."""
    both = (random, by_group)
    sequences = _side_by_side(
        [
            [
                row
                for part in parts
                for row in zip(part.group, part.truth.tolist(), part.called.tolist(), strict=True)
            ]
            for parts in both
        ],
        random[0].classes,
    )
    clips = _side_by_side(
        [
            list(zip(found.group, found.truth.tolist(), found.called.tolist(), strict=True))
            for found in map(clips_of, both)
        ],
        random[0].classes,
    )
    return Overstated(_less(sequences, balanced_accuracy), _less(sequences, accuracy), _less(clips, accuracy))


def _side_by_side(
    sides: Sequence[Sequence[tuple[str, int, int]]], classes: Sequence[str]
) -> NDArray[np.int64]:
    """Rows (group, truth, called) of two sides: confusion of every group, int64 [groups, 2, classes, classes]."""
    names = sorted({group for rows in sides for group, _, _ in rows})
    out = np.zeros((len(names), 2, len(classes), len(classes)), np.int64)
    for side, rows in enumerate(sides):
        groups = [group for group, _, _ in rows]
        there = [names.index(group) for group in sorted(set(groups))]
        truth = [classes[true] for _, true, _ in rows]
        called = [classes[said] for _, _, said in rows]
        out[there, side] = grouped_confusion(truth, called, classes, groups)
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

    @property
    def commonest(self) -> str:
        """The class with the most sequences: what one would always say who knows nothing."""
        return max(self.sequences, key=lambda name: self.sequences[name])

    def to_json(self) -> dict[str, Any]:
        """With the shares that always saying the commonest class gets right."""
        named = self.commonest
        return {
            **vars(self),
            "largest_group": round(self.largest_group, 6),
            "always": {
                "class": named,
                "sequences": round(self.sequences[named] / sum(self.sequences.values()), 6),
                "clips": round(self.clips[named] / sum(self.clips.values()), 6),
            },
        }


def judged_on(tested: Sequence[Answers]) -> Tested:
    """What one system was judged on; the same for all systems of a split."""
    classes, clips = tested[0].classes, clips_of(tested)
    truth = np.concatenate([part.truth for part in tested])
    _, sizes = np.unique([group for part in tested for group in part.group], return_counts=True)
    return Tested(
        {name: int((truth == k).sum()) for k, name in enumerate(classes)},
        {name: int((clips.truth == k).sum()) for k, name in enumerate(classes)},
        len(sizes),
        float(sizes.max() / sizes.sum()),
    )


def error_rates(tested: Sequence[Answers]) -> dict[str, Interval]:
    """Class -> share of its test sequences that were called something else."""
    out = {}
    for k, name in enumerate(tested[0].classes):
        groups = [
            g for part in tested for g, t in zip(part.group, part.truth.tolist(), strict=True) if t == k
        ]
        wrong = [not r for part in tested for r in part.right[part.truth == k].tolist()]
        out[name] = _share(groups, wrong)
    return out


def error_difference(tested: Sequence[Answers], first: str, second: str) -> Interval:
    """Error rate of one class's sequences less that of another's."""
    classes = tested[0].classes
    a, b = classes.index(first), classes.index(second)
    return _compared(
        (group, not right, truth == a)
        for part in tested
        for group, right, truth in zip(part.group, part.right.tolist(), part.truth.tolist(), strict=True)
        if truth in (a, b)
    )


@dataclass(frozen=True)
class Rest:
    """Errors against the distance to the nearest far end (bottom or top) of a repetition.

    rows: (name, sequences, error rate) of each class of distance. difference: error rate of the windows that
    hold no far end less that of those that hold one. sequences: with known repetitions; errors: among them.
    """

    sequences: int
    errors: int
    rows: tuple[tuple[str, int, Interval], ...]
    difference: Interval

    def to_json(self) -> dict[str, Any]:
        return {
            "sequences": self.sequences,
            "errors": self.errors,
            "rows": [
                {"distance": name, "sequences": n, "error": error.to_json()} for name, n, error in self.rows
            ],
            "difference": self.difference.to_json(),
        }


def at_rest(tested: Sequence[Answers], extremes_s: Mapping[int, Sequence[float]]) -> Rest:
    """extremes_s: place of a clip -> when its repetitions were at their far ends; clips without are left out.

    A window's distance is 0 when a far end lies in it, otherwise the time from the window to the nearest one.
    """
    facts: list[tuple[float, str, bool]] = []
    for part in tested:
        for row, clip in enumerate(part.clip.tolist()):
            if times := extremes_s.get(clip):
                start, end = float(part.start_s[row]), float(part.end_s[row])
                distance = min(max(start - t, t - end, 0.0) for t in times)
                facts.append((distance, part.group[row], not bool(part.right[row])))
    rows = []
    for place, low in enumerate(DISTANCES_S):
        high = DISTANCES_S[place + 1] if place + 1 < len(DISTANCES_S) else float("inf")
        if place == 0:
            name, inside = "in the window", [f for f in facts if f[0] == 0]
            rows.append((name, len(inside), _share([f[1] for f in inside], [f[2] for f in inside])))
        inside = [f for f in facts if low < f[0] <= high]
        name = f"{low:g} to {high:g} s away" if high < float("inf") else f"more than {low:g} s away"
        rows.append((name, len(inside), _share([f[1] for f in inside], [f[2] for f in inside])))
    difference = _compared((group, wrong, distance > 0) for distance, group, wrong in facts)
    return Rest(len(facts), sum(wrong for _, _, wrong in facts), tuple(rows), difference)


def _compared(rows: Iterable[tuple[str, bool, bool]]) -> Interval:
    """Rows (group, wrong, first): share of wrong where first, less that of the others."""
    groups, facts = [], []
    for group, wrong, first in rows:
        groups.append(group)
        # _difference takes the shares of [0:2] and [2:4].
        facts.append((1.0, float(wrong), 0.0, 0.0) if first else (0.0, 0.0, 1.0, float(wrong)))
    return _two_shares(groups, facts)


def _two_shares(groups: Sequence[str], facts: Sequence[tuple[float, ...]]) -> Interval:
    """facts: as `_difference` takes their sums. Without two groups on each side there is no interval."""
    if not facts:
        return Interval(None)
    sums = _sums(groups, facts)
    found = bootstrap(sums, _difference)
    enough = min((sums[:, 0] > 0).sum(), (sums[:, 2] > 0).sum()) >= 2
    return found if enough else Interval(found.value)


def _difference(sums: Floats) -> Floats:
    """sums: [resamples, 4]: items and hits of the first kind, items and hits of the second."""
    return _ratio(sums[:, 1], sums[:, 0]) - _ratio(sums[:, 3], sums[:, 2])


def _share(groups: Sequence[str], hits: Sequence[bool]) -> Interval:
    if not groups:
        return Interval(None)
    sums = _sums(groups, [(1.0, float(hit)) for hit in hits])
    return bootstrap(sums, _column_ratio)


def _column_ratio(sums: Floats) -> Floats:
    return _ratio(sums[:, 1], sums[:, 0])


def _sums(groups: Sequence[str], facts: Sequence[tuple[float, ...]]) -> Floats:
    """float64 [groups, facts], in the order of the groups' names."""
    row = {name: place for place, name in enumerate(sorted(set(groups)))}
    out = np.zeros((len(row), len(facts[0])))
    np.add.at(out, [row[group] for group in groups], np.array(facts))
    return out


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    out = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out
