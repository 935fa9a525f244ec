"""The figures of the history: totals per day and week, streaks, personal bests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from exerlitenet.app.log.records import Set
from exerlitenet.app.log.tempo import tempo_of
from exerlitenet.results import NONE

MOST_DAYS = 3660
FEWEST_FOR_STEADIEST = 5
"""Three even repetitions are luck; the steadiest set has at least this many."""
_KNOWN = ("squat", "biceps_curl")


def history(sets: Iterable[Set], *, days: int, today: date) -> dict[str, Any]:
    """What the history page shows of the `days` up to today, as plain types.

    Only sets that count are included: not deleted, and of an exercise. `by_day` and `by_week` (weeks begin on
    Monday; the first one is whole) have an entry for each day or week, also of nothing; `sets` are those of the
    days, and `aside` those of the days that do not count; `bests` and `streak` are of all time.
    """
    every = tuple(sets)
    counting = [one for one in every if counts(one)]
    first = today - timedelta(days=days - 1)
    shown = [one for one in counting if first <= one.day <= today]
    weeks = [one for one in counting if monday(first) <= one.day <= today]
    return {
        "days": days,
        "from": first.isoformat(),
        "to": today.isoformat(),
        "exercises": ordered({one.exercise for one in weeks}),
        "totals": totals(shown),
        "by_day": [
            {"date": day.isoformat(), **totals(group)}
            for day, group in _grouped(shown, lambda one: one.day, first, today, 1)
        ],
        "by_week": [
            {"week": week.isoformat(), **totals(group)}
            for week, group in _grouped(weeks, lambda one: monday(one.day), monday(first), today, 7)
        ],
        "sets": [with_tempo(one) for one in shown],
        "aside": [with_tempo(one) for one in every if not counts(one) and first <= one.day <= today],
        "bests": {
            name: bests([one for one in counting if one.exercise == name])
            for name in ordered({one.exercise for one in counting})
        },
        "streak": streaks({one.day for one in counting}, today),
    }


def counts(one: Set) -> bool:
    """Whether a set belongs in totals."""
    return not one.deleted and one.exercise != NONE


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def ordered(exercises: Iterable[str]) -> list[str]:
    """The known exercises in their fixed order, then the others alphabetically."""
    present = set(exercises)
    return [*(name for name in _KNOWN if name in present), *sorted(present - set(_KNOWN))]


def totals(sets: Sequence[Set]) -> dict[str, Any]:
    """Repetitions, sets, seconds under way, and days with any; repetitions by exercise."""
    volume: Counter[str] = Counter()
    for one in sets:
        volume[one.exercise] += one.repetitions
    return {
        "repetitions": sum(volume.values()),
        "sets": len(sets),
        "seconds": round(sum(one.seconds for one in sets), 1),
        "active_days": len({one.day for one in sets}),
        "by_exercise": {name: volume[name] for name in ordered(volume)},
    }


def with_tempo(one: Set) -> dict[str, Any]:
    """A set as plain types, with its tempo."""
    tempo = tempo_of(one)
    return {**one.to_json(), "tempo": None if tempo is None else tempo.to_json()}


def bests(sets: Sequence[Set]) -> dict[str, Any]:
    """Personal bests of one exercise: most repetitions in a set, a day and a week, and the steadiest set of at
    least five repetitions. Of equals the first; None where there is none.
    """
    by_day: Counter[date] = Counter()
    by_week: Counter[date] = Counter()
    for one in sets:
        by_day[one.day] += one.repetitions
        by_week[monday(one.day)] += one.repetitions
    largest = max(sets, key=lambda one: one.repetitions, default=None)
    steady = [
        (tempo.consistency, one)
        for one in sets
        if one.repetitions >= FEWEST_FOR_STEADIEST
        and (tempo := tempo_of(one)) is not None
        and tempo.consistency is not None
    ]
    steadiest = max(steady, key=lambda pair: pair[0], default=None)
    return {
        "most_in_a_set": None if largest is None else _best_set(largest, largest.repetitions),
        "most_in_a_day": _best_period(by_day),
        "most_in_a_week": _best_period(by_week),
        "steadiest_set": None if steadiest is None else _best_set(steadiest[1], round(steadiest[0], 4)),
    }


def _best_set(one: Set, value: float) -> dict[str, Any]:
    return {"value": value, "date": one.day.isoformat(), "set": one.id, "session": one.session}


def _best_period(volume: Mapping[date, int]) -> dict[str, Any] | None:
    if not volume:
        return None
    best = max(sorted(volume), key=lambda period: volume[period])
    return {"value": volume[best], "date": best.isoformat()}


def streaks(active: set[date], today: date) -> dict[str, int]:
    """How many days, and weeks, in a row there was any exercise, up to now. Today, and this week, need not have
    had their exercise yet.
    """
    return {
        "days": _in_a_row(active, today, 1),
        "weeks": _in_a_row({monday(day) for day in active}, monday(today), 7),
    }


def _in_a_row(active: set[date], now: date, step: int) -> int:
    length = 0
    period = now if now in active else now - timedelta(days=step)
    while period in active:
        length += 1
        period -= timedelta(days=step)
    return length


def _grouped(
    sets: Iterable[Set], key: Callable[[Set], date], first: date, last: date, step: int
) -> list[tuple[date, list[Set]]]:
    """The sets of each period from `first` to `last`, `step` days apart; periods of nothing too."""
    groups: defaultdict[date, list[Set]] = defaultdict(list)
    for one in sets:
        groups[key(one)].append(one)
    periods = range(0, (last - first).days + 1, step)
    return [(period, groups[period]) for period in (first + timedelta(days=n) for n in periods)]
