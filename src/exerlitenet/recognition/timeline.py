"""The timeline of a video as a drawing (SVG): segments, probabilities, phase and an axis of seconds.

Colours are CSS classes that the page around it defines, so that one drawing serves light and dark: `c0` to
`c3` for exercises in the order of the model's classes, `none`, and `phase`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from exerlitenet.pages.svg import Place, Points, curve, dot, path, scale, text, thinned, tick_step
from exerlitenet.pages.text import clock, label, number_of, percent
from exerlitenet.results import NONE, Segment, Workout

POINTS_PER_PIXEL = 1.25
"""A curve is drawn with at most about this many points; longer ones keep the extremes of every stretch."""

WIDTH, NARROWEST, WIDEST = 960, 700, 6000
LEFT, RIGHT = 44, 22
BAR_TOP, BAR_HEIGHT = 34, 44
CURVE_HEIGHT, ROW_GAP = 110, 44


def timeline(workout: Workout, classes: Sequence[str], prefix: str) -> str:
    """The drawing of one video; it must be longer than 0 s.

    classes: which probabilities to draw, in the order that gives the colours. prefix: makes ids unique in
        the page.
    """
    duration = workout.duration_s
    # A long video gets a wider drawing to scroll in, so that segments stay visible.
    width = round(min(WIDEST, max(WIDTH, 4 * duration)))
    least_width = NARROWEST if width == WIDTH else width
    across = scale(0, duration, LEFT, width - RIGHT)

    def place(time_s: float) -> float:
        return across(min(max(time_s, 0.0), duration))

    def row(name: str, top: float, curves: Sequence[tuple[str, Points]]) -> list[str]:
        """Curves between 0 and 1, below their name and over lines at 0, a half and 1."""
        down = scale(0, 1, top + CURVE_HEIGHT, top)
        parts = [text(LEFT, top - 10, name, css="row")]
        for value in (0.0, 0.5, 1.0):
            parts.append(path("grid", f"M{LEFT} {down(value):.1f}H{width - RIGHT}"))
            parts.append(text(LEFT - 8, down(value) + 4, f"{value:g}", "end"))
        for css, points in curves:
            kept = thinned(points, int(POINTS_PER_PIXEL * width))
            drawn = [(place(t), down(min(max(v, 0.0), 1.0))) for t, v in kept if math.isfinite(v)]
            if len(drawn) == 1:
                parts.append(dot(css, *drawn[0], 5))
            elif drawn:
                parts.append(curve(css, drawn))
        return parts

    curve_top = BAR_TOP + BAR_HEIGHT + ROW_GAP
    phase_top = curve_top + CURVE_HEIGHT + ROW_GAP
    phases = phase_points(workout)
    shares = [
        (
            colour(name, classes),
            [
                (p.time_s, float(p.probabilities[name]))
                for p in workout.predictions
                if name in p.probabilities
            ],
        )
        for name in classes
    ]
    rows = row("Probability", curve_top, shares)
    if phases:
        rows += row(
            "Phase of a repetition (1 is its peak, the turning point)", phase_top, [("phase", phases)]
        )
    bottom = (phase_top if phases else curve_top) + CURVE_HEIGHT
    parts = [
        f'<svg viewBox="0 0 {width} {bottom + 46}" style="min-width:{least_width}px" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-words" '
        f'data-left="{LEFT}" data-right="{RIGHT}" data-duration="{duration:.3f}">',
        f'<title id="{prefix}-title">Timeline of {escape(display_name(workout))}</title>',
        f'<desc id="{prefix}-words">{escape(in_words(workout))}</desc>',
        *_axis(duration, width, place, bottom),
        text(LEFT, BAR_TOP - 10, "Segments (each mark is a repetition)", css="row"),
        path("track", f"M{LEFT} {BAR_TOP}H{width - RIGHT}v{BAR_HEIGHT}H{LEFT}z"),
        *(_bar(segment, place, colour(segment.exercise, classes)) for segment in workout.segments),
        *rows,
        f'<line class="cursor" x1="0" x2="0" y1="{BAR_TOP}" y2="{bottom}" visibility="hidden"/></svg>',
    ]
    return "".join(parts)


def phase_points(workout: Workout) -> Points:
    """Seconds and phase, where the model says it."""
    pairs = ((p.phase_time_s, p.phase) for p in workout.predictions)
    return [(t, float(v)) for t, v in pairs if t is not None and v is not None and math.isfinite(v)]


def colour(exercise: str, classes: Sequence[str]) -> str:
    """The CSS class of an exercise."""
    return NONE if exercise == NONE else f"c{classes.index(exercise) % 4}"


def display_name(workout: Workout) -> str:
    """The last part of the video's path or address."""
    return workout.video.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or "Video"


def in_words(workout: Workout, most: int = 20) -> str:
    """What the drawing shows, for those who cannot see it."""
    if not workout.segments:
        return "No segment of a known exercise."
    shown = [
        f"{label(s.exercise)} from {clock(s.start_s)} to {clock(s.end_s)}, {repetitions(s.repetitions)}"
        for s in workout.segments[:most]
    ]
    more = len(workout.segments) - len(shown)
    return "; ".join(shown) + (f"; and {more} more." if more else ".")


def repetitions(count: int | None) -> str:
    """None: of a model that does not count."""
    return "repetitions not counted" if count is None else number_of(count, "repetition")


def _axis(duration: float, width: float, place: Place, bottom: float) -> list[str]:
    step = tick_step(duration, most=max(10, int(width / 96)))
    parts = [text(LEFT, bottom + 40, "Time in the video")]
    for count in range(int(duration / step + 1e-9) + 1):
        at = place(count * step)
        parts.append(path("grid", f"M{at:.1f} {BAR_TOP}V{bottom}"))
        parts.append(text(at, bottom + 20, clock(count * step, 1 if step < 1 else 0), "middle"))
    return parts


def _bar(segment: Segment, place: Place, css: str) -> str:
    start, end = place(segment.start_s), place(segment.end_s)
    name = label(segment.exercise)
    words = f"{name}, {repetitions(segment.repetitions)}"
    span = f"{clock(segment.start_s)} to {clock(segment.end_s)}"
    hint = f"{words}, {span}, confidence {percent(segment.confidence, 0)}"
    peaks = (
        path("rep", f"M{place(t):.1f} {BAR_TOP + BAR_HEIGHT - 14}v14") for t in segment.repetition_times_s
    )
    fitting = (
        shown
        for shown in (words, name, str(segment.repetitions or ""))
        if 8.0 * len(shown) + 14 < end - start
    )
    return (
        f'<g><title>{escape(hint)}</title><rect class="bar {css}" x="{start:.1f}" y="{BAR_TOP}" rx="4" '
        f'width="{max(1.0, end - start):.1f}" height="{BAR_HEIGHT}"/>{"".join(peaks)}'
        f"{text(start + 8, BAR_TOP + 20, next(fitting, ''), css='in')}</g>"
    )
