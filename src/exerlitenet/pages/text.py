"""Times, names and shares in words, the same in every report."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Bounded(Protocol):
    """A figure with the bounds of its interval; None for a figure, or bounds, that cannot be had."""

    @property
    def value(self) -> float | None: ...

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


def clock(seconds: float, digits: int = 1) -> str:
    """Seconds as "7.5 s", from two minutes on as "12:30" or "1:02:03"."""
    if seconds < 120:
        return f"{seconds:.{digits}f} s"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def label(name: str) -> str:
    """A class or key as words: "biceps_curl" is "Biceps curl"."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def number_of(count: int, noun: str) -> str:
    """A count with its noun: "1 epoch", "2 epochs"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def percent(share: float | None, digits: int = 1) -> str:
    """0.935 as "93.5 %"; "-" for none."""
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def bounds(found: Bounded, between: str = " to ", sign: str = "") -> str:
    """The interval of a share in per cent, "90.1 to 96.0"; "" where there is none. sign: "+" for differences."""
    if found.value is None or found.low is None or found.high is None:
        return ""
    return f"{100 * found.low:{sign}.1f}{between}{100 * found.high:{sign}.1f}"


def share(found: Bounded) -> str:
    """A share with its interval: "93.5 % [90.1, 96.0]"."""
    inside = bounds(found, ", ")
    return percent(found.value) + (f" [{inside}]" if inside else "")


def points(found: Bounded) -> str:
    """A difference of shares with its interval: "+12.3 points [-2.0, +30.0]"; "-" for none."""
    if found.value is None:
        return "-"
    inside = bounds(found, ", ", "+")
    return f"{100 * found.value:+.1f} points" + (f" [{inside}]" if inside else "")
