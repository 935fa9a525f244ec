"""Training, validation and test parts, and the proof that nothing leaks between them.

Two protocols. By group, the default: clips that share a person, a room or a source stay together, so a
figure is about people the model has not seen. By sequence, the paper's: sequences are drawn at random
whatever clip they come from, so a figure says how well the model knows what it has already seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.grouping import assign
from exerlitenet.errors import InputError

Protocol = Literal["group", "sequence"]
PARTS = ("train", "validation", "test")
Fractions = tuple[float, float, float]
DEFAULT_FRACTIONS: Fractions = (0.7, 0.15, 0.15)


class LeakError(InputError):
    """Something is in two parts of a split that must not be."""


@dataclass(frozen=True)
class Split:
    """Which items belong to which part.

    Attributes:
        protocol: "group" or "sequence".
        seed: of the draw.
        fractions: the shares asked for, in the order of the parts; they add up to 1.
        parts: "train", "validation", "test" -> rising indices of items; disjoint. Items are clips for the protocol
            "group" and sequences for "sequence".

    Examples:
        >>> from exerlitenet.datasets.split import split_by_group
        >>> labels = ["squat", "biceps_curl"] * 6
        >>> people = ["anna", "anna", "ben", "ben", "cleo", "cleo", "dan", "dan", "eva", "eva", "finn", "finn"]
        >>> split = split_by_group(labels, people, fractions=(0.6, 0.2, 0.2))
        >>> {people[clip] for clip in split.train} & {people[clip] for clip in split.test}
        set()
    """

    protocol: Protocol
    seed: int
    fractions: Fractions
    parts: Mapping[str, tuple[int, ...]]

    @property
    def train(self) -> tuple[int, ...]:
        return self.parts["train"]

    @property
    def validation(self) -> tuple[int, ...]:
        return self.parts["validation"]

    @property
    def test(self) -> tuple[int, ...]:
        return self.parts["test"]

    @property
    def statement(self) -> str:
        """One sentence for reports: how the parts were made and what a figure on them is about."""
        shares = " / ".join(f"{100 * fraction:g}" for fraction in self.fractions)
        how = f"{shares} % (seed {self.seed})"
        if self.protocol == "group":
            return (
                f"Split by group, {how}: clips that share a person, a room or a source stay in one part, "
                "so figures on validation and test are about people and places that were not trained on."
            )
        return (
            f"Random split of sequences as in the paper, {how}: sequences of one clip and person stand on "
            "both sides, so the figures say nothing about new people."
        )

    def counts(self, labels: Sequence[str]) -> dict[str, dict[str, int]]:
        """Part -> class -> number of items."""
        names = sorted(set(labels))
        return {
            part: {name: sum(labels[i] == name for i in indices) for name in names}
            for part, indices in self.parts.items()
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "seed": self.seed,
            "fractions": list(self.fractions),
            "statement": self.statement,
            "parts": {part: list(indices) for part, indices in self.parts.items()},
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Split:
        """What `to_json` wrote. Raises InputError when the object is none, LeakError when it leaks."""
        try:
            if data["protocol"] not in get_args(Protocol):
                raise ValueError(f"unknown protocol {data['protocol']!r}")
            if set(data["parts"]) != set(PARTS):
                raise ValueError(f"parts must be {', '.join(PARTS)}")
            fractions = tuple(float(f) for f in data["fractions"])
            parts = {part: tuple(int(i) for i in data["parts"][part]) for part in PARTS}
            split = Split(data["protocol"], int(data["seed"]), _fractions(fractions), parts)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"expected a split as written by a training run, got a fault in it: {error}"
            ) from error
        _check_items(split)
        return split


def split_by_group(
    labels: Sequence[str],
    groups: Sequence[str],
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
    seed: int = 0,
) -> Split:
    """Parts of whole groups, each class near its share in every part as far as the groups allow.

    labels, groups: one per clip. The result depends on the groups' names and contents, not on the clips'
    order. Every part gets every class when enough groups hold it; training gets every class in any case.
    Raises InputError when that cannot be.
    """
    wanted = _fractions(fractions)
    names, classes, counts = _count(labels, groups)
    used = [p for p, fraction in enumerate(wanted) if fraction > 0]
    if len(names) < len(used):
        raise InputError(
            f"a split by group into {len(used)} parts needs at least {len(used)} groups, got {len(names)}; "
            "give more groups (columns group or person), or split by sequence"
        )
    shares = np.array([wanted[p] for p in used])
    order = np.random.default_rng(seed).permutation(len(names))
    found = assign(counts[order], shares, seed, first_needs_all=True)
    part_of = {names[g]: used[int(p)] for g, p in zip(order, found, strict=True)}
    for c, name in enumerate(classes):
        if not any(counts[g, c] and part_of[names[g]] == 0 for g in range(len(names))):
            raise InputError(
                f'the groups do not allow a split with class "{name}" in training and something in every '
                "other part; give more groups of each class, or fewer parts"
            )
    parts = {
        part: tuple(i for i, group in enumerate(groups) if part_of[group] == p)
        for p, part in enumerate(PARTS)
    }
    if any(not parts[PARTS[p]] for p in used):
        raise InputError("the groups do not allow a split with something in every part; give more groups")
    split = Split("group", seed, wanted, parts)
    check_no_leak(split, groups)
    return split


def split_by_sequence(
    labels: Sequence[str], fractions: Sequence[float] = DEFAULT_FRACTIONS, seed: int = 0
) -> Split:
    """Parts drawn at random from single sequences, class by class, whatever clip they come from: the
    paper's way.

    labels: one per sequence. Counts are the shares rounded by largest remainder; a class with at least as
    many sequences as parts is in every part. Raises InputError when a part would be empty.
    """
    wanted = _fractions(fractions)
    if not labels:
        raise InputError("a split needs sequences, got none")
    rng = np.random.default_rng(seed)
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    for name in sorted(set(labels)):
        members = rng.permutation([i for i, label in enumerate(labels) if label == name])
        bounds = np.cumsum([0, *_rounded(len(members), wanted)])
        for part, start, end in zip(PARTS, bounds[:-1], bounds[1:], strict=True):
            parts[part].extend(int(i) for i in members[start:end])
    for part, fraction in zip(PARTS, wanted, strict=True):
        if fraction > 0 and not parts[part]:
            raise InputError(f"{len(labels)} sequences are too few to fill the {part} part; give more")
    split = Split("sequence", seed, wanted, {part: tuple(sorted(members)) for part, members in parts.items()})
    _check_items(split)
    return split


def folds_by_group(
    labels: Sequence[str], groups: Sequence[str], folds: int, seed: int = 0
) -> tuple[tuple[int, ...], ...]:
    """Cross-validation by group: for each fold the rising indices that are held out.

    Every clip is held out once; no group is in two folds; every fold trains on every class. Raises
    InputError when the groups do not allow that.
    """
    if folds < 2:
        raise InputError(f"cross-validation needs at least 2 folds, got {folds}")
    names, classes, counts = _count(labels, groups)
    if len(names) < folds:
        raise InputError(
            f"{folds} folds by group need at least {folds} groups, got {len(names)}; ask for fewer folds"
        )
    order = np.random.default_rng(seed).permutation(len(names))
    found = assign(counts[order], np.full(folds, 1 / folds), seed, first_needs_all=False)
    part_of = {names[g]: int(p) for g, p in zip(order, found, strict=True)}
    for c, name in enumerate(classes):
        if len({part_of[names[g]] for g in range(len(names)) if counts[g, c]}) < 2:
            raise InputError(
                f'class "{name}" is in one fold only, so the fold that holds it out could not learn it; '
                "give more groups of that class"
            )
    out = tuple(tuple(i for i, group in enumerate(groups) if part_of[group] == fold) for fold in range(folds))
    if not all(out):
        raise InputError(f"the groups do not fill {folds} folds; ask for fewer folds")
    _check_crossing({f"fold {k + 1}": members for k, members in enumerate(out)}, groups, "group")
    return out


def check_no_leak(split: Split, groups: Sequence[str], digests: Sequence[str] | None = None) -> None:
    """Raises LeakError, which names what crosses, when a split leaks.

    groups, digests: one per item; a digest is the sha256 of a clip's content, "" when unknown. Under the
    protocol "group" no group and no content may be in two parts. Under "sequence" clips cross by design,
    which the split's statement says, and only the sequences themselves must not.
    """
    _check_items(split, len(groups))
    if split.protocol == "sequence":
        return
    _check_crossing(split.parts, groups, "group")
    if digests is not None:
        _check_crossing(split.parts, digests, "content")


def _check_items(split: Split, items: int | None = None) -> None:
    everything = [i for indices in split.parts.values() for i in indices]
    if len(set(everything)) != len(everything):
        twice = sorted({i for i in everything if everything.count(i) > 1})[:5]
        raise LeakError(f"items {', '.join(map(str, twice))} of the split are in it more than once")
    if items is not None and any(not 0 <= i < items for i in everything):
        raise InputError(
            f"the split names items beyond the {items} of the dataset; it belongs to another dataset"
        )


def _check_crossing(parts: Mapping[str, tuple[int, ...]], values: Sequence[str], what: str) -> None:
    where: dict[str, set[str]] = {}
    for part, indices in parts.items():
        for i in indices:
            if values[i]:
                where.setdefault(values[i], set()).add(part)
    crossing = sorted(value for value, found in where.items() if len(found) > 1)
    if crossing:
        shown = "; ".join(f"{value} in {', '.join(sorted(where[value]))}" for value in crossing[:5])
        more = f" and {len(crossing) - 5} more" if len(crossing) > 5 else ""
        raise LeakError(f"the same {what} is in more than one part: {shown}{more}")


def _fractions(fractions: Sequence[float]) -> Fractions:
    if (
        len(fractions) != 3
        or not all(math.isfinite(f) and f >= 0 for f in fractions)
        or not math.isclose(sum(fractions), 1, abs_tol=1e-6)
        or fractions[0] <= 0
    ):
        raise InputError(
            "a split needs three fractions (train, validation, test) that add up to 1, the first above 0, "
            f"got {tuple(fractions)}"
        )
    return (float(fractions[0]), float(fractions[1]), float(fractions[2]))


def _count(labels: Sequence[str], groups: Sequence[str]) -> tuple[list[str], list[str], NDArray[np.int64]]:
    """Group names, class names and int64 [groups, classes], how many clips of each class a group holds."""
    if len(labels) != len(groups):
        raise InputError(
            f"a split needs one group for each label, got {len(labels)} labels, {len(groups)} groups"
        )
    if not labels:
        raise InputError("a split needs clips, got none")
    names, classes = sorted(set(groups)), sorted(set(labels))
    row, column = {name: i for i, name in enumerate(names)}, {name: i for i, name in enumerate(classes)}
    counts = np.zeros((len(names), len(classes)), np.int64)
    for label, group in zip(labels, groups, strict=True):
        counts[row[group], column[label]] += 1
    return names, classes, counts


def _rounded(items: int, fractions: Sequence[float]) -> list[int]:
    """Counts that add up to `items`, by largest remainder; parts that are wanted are filled where items
    suffice.
    """
    exact = [items * fraction for fraction in fractions]
    counts = [math.floor(value + 1e-9) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda p: (counts[p] - exact[p], p))
    for p in by_remainder[: items - sum(counts)]:
        counts[p] += 1
    wanted = [p for p, fraction in enumerate(fractions) if fraction > 0]
    if items >= len(wanted):
        for p in wanted:
            if counts[p] == 0:
                counts[max(wanted, key=lambda q: counts[q])] -= 1
                counts[p] += 1
    elif counts[0] == 0 and items:
        counts[max(wanted, key=lambda q: counts[q])] -= 1
        counts[0] += 1
    return counts
