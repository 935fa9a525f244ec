"""Curves of a training run as inline SVG, coloured by the page's style sheet, so that they follow light and
dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 500, 250
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 22, 40
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


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    x_name: str,
    percent: bool = False,
    mark: Mark | None = None,
) -> str:
    """An SVG of curves over whole numbers (epochs).

    label: what it shows, for those who cannot see it. percent: values are shares, shown in per cent on an
    axis that ends at 100; otherwise the axis starts at 0. Returns "" when no curve has a point.
    """
    drawn = [s for s in series if s.points]
    if not drawn:
        return ""
    xs = [x for s in drawn for x, _ in s.points]
    ys = [y for s in drawn for _, y in s.points]
    ticks = _ticks(min(ys), 1.0) if percent else _ticks(0.0, max(ys))
    low, high = ticks[0], ticks[-1]
    first, last = min(xs), max(xs)
    if first == last:
        first, last = first - 0.5, last + 0.5

    def across(x: float) -> float:
        return LEFT + (x - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        return HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def words(y: float) -> str:
        return f"{100 * y:.4g} %" if percent else f"{y:.4g}"

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}" '
        'xmlns="http://www.w3.org/2000/svg">'
    ]
    for tick in ticks:
        y = down(tick)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{words(tick)}</text>')
    foot = HEIGHT - BOTTOM + 18
    parts += [
        f'<text x="{across(x):.1f}" y="{foot}" text-anchor="middle">{x}</text>'
        for x in _whole(math.ceil(min(xs)), math.floor(max(xs)))
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 5}" text-anchor="middle">{escape(x_name)}</text>')
    if mark is not None:
        at = across(mark.x)
        anchor, gap = ("end", -5) if at > WIDTH / 2 else ("start", 5)
        parts.append(f'<path class="mark" d="M{at:.1f} {TOP - 4}V{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text x="{at + gap:.1f}" y="{TOP - 8}" text-anchor="{anchor}">{escape(mark.words)}</text>'
        )
    for s in drawn:
        path = "L".join(f"{across(x):.1f} {down(y):.1f}" for x, y in s.points)
        parts.append(f'<path class="curve c{s.colour}" d="M{path}"/>')
        for x, y in s.points if len(s.points) <= MOST_DOTS else ():
            parts.append(
                f'<circle class="dot c{s.colour}" cx="{across(x):.1f}" cy="{down(y):.1f}" r="3">'
                f"<title>{escape(s.name)}, {escape(x_name)} {x:g}: {words(y)}</title></circle>"
            )
    return "".join(parts) + "</svg>"


def legend(series: Sequence[Series]) -> str:
    """The key of a chart, as a list beside it."""
    keys = "".join(
        '<li><svg class="key" viewBox="0 0 36 8" width="36" height="8" aria-hidden="true">'
        f'<path class="curve c{s.colour}" d="M0 4H36"/></svg>{escape(s.name)}</li>'
        for s in series
        if s.points
    )
    return f'<ul class="legend">{keys}</ul>'


def _ticks(low: float, high: float, most: int = 6) -> list[float]:
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


def _whole(first: int, last: int, most: int = 12) -> list[int]:
    """Evenly spaced whole numbers from first to last, at most `most`."""
    step = next(
        step * power
        for power in (10**k for k in range(12))
        for step in (1, 2, 5)
        if (last - first) / (step * power) < most
    )
    return list(range(first, last + 1, step))
