"""Shares with their intervals, row by row, as inline SVG: how far two splits lie apart at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from exerlitenet.evaluation.metrics import Interval

WIDTH, LEFT, RIGHT, TOP, ROW = 720, 130, 28, 10, 42


@dataclass(frozen=True)
class IntervalRow:
    """One row: a name, and for each series its interval or None. published: the paper's share, if it has one."""

    name: str
    intervals: tuple[Interval | None, ...]
    published: float | None = None


def interval_chart(series: Sequence[str], rows: Sequence[IntervalRow], *, label: str) -> str:
    """An SVG of shares on an axis that ends at 100 %, one line of dot and whiskers a series.

    label: what it shows, for those who cannot see it. Returns "" when no row has a figure.
    """
    known = [i for row in rows for i in row.intervals if i is not None and i.value is not None]
    if not known:
        return ""
    lows = [i.low if i.low is not None else i.value for i in known]
    lows += [row.published for row in rows if row.published is not None]
    lowest = min(low for low in lows if low is not None)
    step = 0.1 if lowest >= 0.4 else 0.2
    ticks = max(2, math.ceil(round((1 - lowest) / step, 6)))
    floor = 1 - ticks * step
    height = TOP + ROW * len(rows) + 34

    def across(share: float) -> float:
        return LEFT + (share - floor) / (1 - floor) * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}" '
        'xmlns="http://www.w3.org/2000/svg">'
    ]
    for k in range(ticks + 1):
        share = floor + step * k
        x = across(share)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{height - 26}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{100 * share:.4g} %</text>')
    for place, row in enumerate(rows):
        middle = TOP + ROW * place + ROW / 2
        parts.append(
            f'<text x="{LEFT - 14}" y="{middle + 4:.1f}" text-anchor="end">{escape(row.name)}</text>'
        )
        for number, found in enumerate(row.intervals):
            if found is None or found.value is None:
                continue
            y = middle + 14 * (number - (len(row.intervals) - 1) / 2)
            if found.low is not None and found.high is not None:
                parts.append(
                    f'<path class="curve c{number}" style="stroke-dasharray:none" '
                    f'd="M{across(found.low):.1f} {y:.1f}H{across(found.high):.1f}"/>'
                )
            parts.append(
                f'<circle class="dot c{number}" cx="{across(found.value):.1f}" cy="{y:.1f}" r="5">'
                f"<title>{escape(row.name)}, {escape(series[number])}: {escape(f'{found}')}</title></circle>"
            )
        if row.published is not None:
            x = across(row.published)
            parts.append(
                f'<path class="mark" style="stroke-width:2;stroke-dasharray:none" '
                f'd="M{x:.1f} {middle - 16:.1f}V{middle + 16:.1f}">'
                f"<title>the paper: {100 * row.published:.2f} %</title></path>"
            )
    keys = "".join(
        '<li><svg class="key" viewBox="0 0 36 8" width="36" height="8" aria-hidden="true">'
        f'<path class="curve c{k}" style="stroke-dasharray:none" d="M0 4H36"/>'
        f'<circle class="dot c{k}" cx="18" cy="4" r="4"/></svg>{escape(name)}</li>'
        for k, name in enumerate(series)
    )
    if any(row.published is not None for row in rows):
        keys += (
            '<li><svg class="key" viewBox="0 0 36 12" width="36" height="12" aria-hidden="true">'
            '<path class="mark" style="stroke-width:2;stroke-dasharray:none" d="M18 0V12"/></svg>the paper</li>'
        )
    return f'<ul class="legend">{keys}</ul>' + "".join(parts) + "</svg>"
