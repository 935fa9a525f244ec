"""Drawings as inline SVG, coloured by the page's style sheet, so that they follow light and dark.

Curves, dots and bars have the CSS classes c0, c1, ... of their colours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from exerlitenet.pages.text import Bounded, share

Points = Sequence[tuple[float, float]]
Place = Callable[[float], float]
"""From a value to its place on an axis of the drawing."""

# Beyond so many points the dots would merge into a band.
MOST_DOTS = 60


@dataclass(frozen=True)
class Series:
    """One curve: its name, the number of its colour, and points (x, y) with rising x."""

    name: str
    colour: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Mark:
    """A vertical line at x with words, such as the best epoch."""

    x: float
    words: str


@dataclass(frozen=True)
class IntervalRow:
    """One row of a chart of intervals: a name, and for each series its interval or None. mark: a share of its own."""

    name: str
    intervals: tuple[Bounded | None, ...]
    mark: float | None = None


def drawing(width: float, height: float, label: str, *parts: str) -> str:
    """label: what it shows, for those who cannot see it."""
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "start", css: str = "") -> str:
    """anchor: "start", "middle" or "end" of the words is at x."""
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def path(css: str, d: str, title: str = "") -> str:
    """d: as SVG has it. title: shown while the pointer is on it."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<path class="{css}" d="{d}">{inside}</path>' if inside else f'<path class="{css}" d="{d}"/>'


def curve(css: str, points: Points) -> str:
    """points: of the drawing."""
    return path(f"curve {css}", f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in points)}")


def dot(css: str, x: float, y: float, r: float, title: str = "") -> str:
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle class="dot {css}" cx="{x:.1f}" cy="{y:.1f}" r="{r}">{inside}</circle>'


def scale(low: float, high: float, start: float, end: float) -> Place:
    """Maps low to start and high to end."""
    return lambda value: start + (value - low) / (high - low) * (end - start)


def legend(keys: Sequence[tuple[str, str]]) -> str:
    """The key of a drawing, as a list beside it. keys: (CSS classes of a curve, or shapes as SVG; words)."""
    items = "".join(
        '<li><svg class="key" viewBox="0 0 36 8" width="36" height="8" aria-hidden="true">'
        f"{css if css.startswith('<') else path(f'curve {css}', 'M0 4H36')}</svg>{escape(words)}</li>"
        for css, words in keys
    )
    return f'<ul class="legend">{items}</ul>'


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that enclose low to high: at most `most` of them, at least two."""
    span = high - low
    if not span > 0:
        span = abs(high)
    # The smallest numbers there are have no fourth.
    if not span / (most - 2) > 0:
        span = 1.0
    low = min(low, high - span)
    raw = span / (most - 2)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))
    start, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [k * step for k in range(start, end + 1)]


def whole_ticks(first: int, last: int, most: int = 12) -> list[int]:
    """Evenly spaced whole numbers from first to last, at most `most`."""
    steps = (step * 10**power for power in range(12) for step in (1, 2, 5))
    return list(range(first, last + 1, next(step for step in steps if (last - first) / step < most)))


def tick_step(duration_s: float, most: int = 10) -> float:
    """Seconds between the marks of an axis of time: a round number that gives at most `most` after the first."""
    wanted = duration_s / most
    round_steps = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
    return next((step for step in round_steps if step >= wanted), 3600.0 * math.ceil(wanted / 3600))


def thinned(points: Points, most: int) -> list[tuple[float, float]]:
    """At most `most` points and two: of every stretch the lowest and the highest, in order of x."""
    if len(points) <= most:
        return list(points)
    stretch = math.ceil(2 * len(points) / most)
    kept: list[tuple[float, float]] = []
    for first in range(0, len(points), stretch):
        part = points[first : first + stretch]
        kept += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return kept


def line_chart(
    series: Sequence[Series], *, label: str, x_name: str, percent: bool = False, mark: Mark | None = None
) -> str:
    """An SVG of curves over whole numbers (epochs).

    label: what it shows, for those who cannot see it. percent: values are shares, shown in per cent on an axis that
    ends at 100; otherwise the axis starts at 0. Returns "" when no curve has a point.
    """
    width, height, left, right, top, bottom = 500, 250, 54, 486, 22, 210
    drawn = [s for s in series if s.points]
    if not drawn:
        return ""
    xs, ys = zip(*(point for s in drawn for point in s.points), strict=True)
    levels = ticks(min(ys), 1.0) if percent else ticks(0.0, max(ys))
    first, last = (min(xs), max(xs)) if min(xs) < max(xs) else (xs[0] - 0.5, xs[0] + 0.5)
    across, down = scale(first, last, left, right), scale(levels[0], levels[-1], bottom, top)

    def words(y: float) -> str:
        return f"{100 * y:.4g} %" if percent else f"{y:.4g}"

    parts = []
    for level in levels:
        parts.append(path("grid", f"M{left} {down(level):.1f}H{right}"))
        parts.append(text(left - 8, down(level) + 4, words(level), "end"))
    numbers = whole_ticks(math.ceil(min(xs)), math.floor(max(xs)))
    parts += [text(across(x), bottom + 18, f"{x}", "middle") for x in numbers]
    parts.append(text((left + right) / 2, height - 5, x_name, "middle"))
    if mark is not None:
        at = across(mark.x)
        anchor, gap = ("end", -5) if at > width / 2 else ("start", 5)
        parts.append(path("mark", f"M{at:.1f} {top - 4}V{bottom}"))
        parts.append(text(at + gap, top - 8, mark.words, anchor))
    for s in drawn:
        parts.append(curve(f"c{s.colour}", [(across(x), down(y)) for x, y in s.points]))
        for x, y in s.points if len(s.points) <= MOST_DOTS else ():
            parts.append(dot(f"c{s.colour}", across(x), down(y), 3, f"{s.name}, {x_name} {x:g}: {words(y)}"))
    keys = [(f"c{s.colour}", s.name) for s in drawn]
    return legend(keys) + drawing(width, height, label, *parts)


def interval_chart(series: Sequence[str], rows: Sequence[IntervalRow], *, label: str, mark_name: str) -> str:
    """An SVG of shares on an axis that ends at 100 %, one line of dot and whiskers a series.

    label: what it shows, for those who cannot see it. mark_name: what the marks of the rows are.
    Returns "" when no row has a figure.
    """
    width, left, right, top, row_height = 720, 130, 692, 10, 42
    known = [i for row in rows for i in row.intervals if i is not None and i.value is not None]
    if not known:
        return ""
    lows = [i.value if i.low is None else i.low for i in known] + [row.mark for row in rows]
    levels = ticks(min(low for low in lows if low is not None), 1.0, most=8)
    foot = top + row_height * len(rows) + 8
    across = scale(levels[0], 1.0, left, right)
    parts = []
    for level in levels:
        parts.append(path("grid", f"M{across(level):.1f} {top}V{foot}"))
        parts.append(text(across(level), foot + 18, f"{100 * level:.4g} %", "middle"))
    for place, row in enumerate(rows):
        middle = top + row_height * (place + 0.5)
        parts.append(text(left - 14, middle + 4, row.name, "end"))
        for number, found in enumerate(row.intervals):
            if found is None or found.value is None:
                continue
            y = middle + 14 * (number - (len(row.intervals) - 1) / 2)
            if found.low is not None and found.high is not None:
                parts.append(curve(f"c{number} solid", [(across(found.low), y), (across(found.high), y)]))
            words = f"{row.name}, {series[number]}: {share(found)}"
            parts.append(dot(f"c{number}", across(found.value), y, 5, words))
        if row.mark is not None:
            line = f"M{across(row.mark):.1f} {middle - 16:.1f}v32"
            parts.append(path("mark solid", line, f"{mark_name}: {100 * row.mark:.2f} %"))
    keys = [
        (curve(f"c{k} solid", [(0, 4), (36, 4)]) + dot(f"c{k}", 18, 4, 4), name)
        for k, name in enumerate(series)
    ]
    if any(row.mark is not None for row in rows):
        keys.append((path("mark solid", "M18 0V8"), mark_name))
    return legend(keys) + drawing(width, foot + 26, label, *parts)
