"""The search behind a split by group: which part each group goes to so that every class gets its share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A class missing in a part outweighs any mismatch of shares, one missing in the first part yet more.
_MISSING = 1e3
_MISSING_FIRST = 1e6
_EMPTY_PART = 1e9
_GROUP_WEIGHT = 0.5
_RESTARTS = 12
_EXHAUSTIVE = 3_000
_EXCHANGES_UP_TO = 150


def assign(
    counts: NDArray[np.int64], shares: NDArray[np.float64], seed: int, *, first_needs_all: bool
) -> NDArray[np.int64]:
    """A part for each group, int64 [groups], with every class near its share in every part.

    What is matched is each class's clips and, at half the weight, the number of groups that hold it, so
    that no part consists of one large group. All assignments are tried where they are few; else a local
    search (move one group, exchange two) from seeded starts.
    """
    groups, parts, classes = len(counts), len(shares), counts.shape[1]
    held = (counts > 0).astype(np.int64)
    facts = np.concatenate([counts, held, np.ones((groups, 1), np.int64)], axis=1)
    totals = facts.sum(0)[: 2 * classes]
    weights = np.repeat([1.0, _GROUP_WEIGHT], classes)
    enough = held.sum(0) >= parts

    def cost(sums: NDArray[np.int64]) -> NDArray[np.float64]:
        """sums: int64 [candidates, parts, facts], what each part holds. Returns float64 [candidates]."""
        error = (sums[..., : 2 * classes] / totals - shares[:, None]) * weights
        value: NDArray[np.float64] = (error**2 / shares[:, None]).sum((1, 2))
        missing = sums[..., classes : 2 * classes] == 0
        value = value + np.where(enough, _MISSING, 1.0) @ missing.sum(1).T
        if first_needs_all:
            value = value + _MISSING_FIRST * missing[:, 0].sum(1)
        return np.asarray(value + _EMPTY_PART * (sums[..., -1] == 0).sum(1))

    if parts == 1:
        return np.zeros(groups, np.int64)
    if parts**groups <= _EXHAUSTIVE:
        everything = np.array(list(itertools.product(range(parts), repeat=groups)))
        one_hot = (everything[:, None, :] == np.arange(parts)[None, :, None]).astype(np.int64)
        return np.asarray(everything[int(np.argmin(cost(one_hot @ facts)))], np.int64)
    rng = np.random.default_rng(seed)
    found = [
        _descend(rng.choice(parts, size=groups, p=shares / shares.sum()), facts, parts, cost)
        for _ in range(_RESTARTS)
    ]
    return min(found, key=lambda pair: pair[1])[0]


def _descend(
    start: NDArray[np.int64],
    facts: NDArray[np.int64],
    parts: int,
    cost: Callable[[NDArray[np.int64]], NDArray[Any]],
) -> tuple[NDArray[np.int64], float]:
    """The local optimum below `start` and its cost: the best move or exchange again and again."""
    assigned = start.copy()
    groups = len(assigned)
    sums = np.stack([facts[assigned == p].sum(0) for p in range(parts)])
    value = float(cost(sums[None])[0])
    every = np.arange(groups)
    first, second = np.triu_indices(groups, 1) if groups <= _EXCHANGES_UP_TO else (every[:0], every[:0])
    while True:
        # One group to another part: `step` parts further on.
        moved, step = np.repeat(every, parts - 1), np.tile(np.arange(1, parts), groups)
        source = assigned[moved]
        candidates = _after(sums, source, (source + step) % parts, facts[moved])
        costs = cost(candidates)
        k = int(np.argmin(costs))
        if costs[k] < value - 1e-12:
            assigned[moved[k]] = (source[k] + step[k]) % parts
            sums, value = candidates[k], float(costs[k])
            continue
        # Two groups of different parts change places.
        differ = assigned[first] != assigned[second]
        a, b = first[differ], second[differ]
        if not len(a):
            return assigned, value
        candidates = _after(sums, assigned[a], assigned[b], facts[a] - facts[b])
        costs = cost(candidates)
        k = int(np.argmin(costs))
        if costs[k] >= value - 1e-12:
            return assigned, value
        assigned[a[k]], assigned[b[k]] = assigned[b[k]], assigned[a[k]]
        sums, value = candidates[k], float(costs[k])


def _after(
    sums: NDArray[np.int64], source: NDArray[np.int64], target: NDArray[np.int64], moved: NDArray[np.int64]
) -> NDArray[np.int64]:
    """int64 [candidates, parts, facts]: what the parts hold after each candidate's facts went to its
    target.
    """
    out = np.repeat(sums[None], len(source), axis=0)
    rows = np.arange(len(source))
    out[rows, source] -= moved
    out[rows, target] += moved
    return out
