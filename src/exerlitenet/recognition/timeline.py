"""The timeline of a video as a drawing (SVG): segments, probabilities, phase and an axis of seconds.

Colours are CSS classes that the page around it defines, so that one drawing serves light and dark: `c0` to
`c3` for exercises in the order of the model's classes, `none`, and `phase`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from exerlitenet.results import NONE, Segment, Workout

POINTS_PER_PIXEL = 1.25
"""A curve is drawn with at most about this many points; longer ones keep the extremes of every stretch."""

WIDTH, NARROWEST, WIDEST = 960, 700, 6000
LEFT, RIGHT = 44, 22
BAR_TOP, BAR_HEIGHT = 34, 44
CURVE_HEIGHT, ROW_GAP = 110, 44

Place = Callable[[float], float]


def timeline(workout: Workout, classes: Sequence[str], prefix: str) -> str:
    """The drawing of one video; it must be longer than 0 s.

    classes: which probabilities to draw, in the order that gives the colours. prefix: makes ids unique in
        the page.
    """
    duration = workout.duration_s
    # A long video gets a wider drawing to scroll in, so that segments stay visible.
    width = round(min(WIDEST, max(WIDTH, 4 * duration)))
    least_width = NARROWEST if width == WIDTH else width
    scale = (width - LEFT - RIGHT) / duration

    def place(time_s: float) -> float:
        return LEFT + min(max(time_s, 0.0), duration) * scale

    phases = phase_points(workout)
    most = int(POINTS_PER_PIXEL * width)
    curve_top = BAR_TOP + BAR_HEIGHT + ROW_GAP
    phase_top = curve_top + CURVE_HEIGHT + ROW_GAP
    bottom = (phase_top if phases else curve_top) + CURVE_HEIGHT
    parts = [
        f'<svg viewBox="0 0 {width} {bottom + 46}" style="min-width:{least_width}px" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-words" '
        f'data-left="{LEFT}" data-right="{RIGHT}" data-duration="{duration:.3f}">',
        f'<title id="{prefix}-title">Timeline of {escape(display_name(workout))}</title>',
        f'<desc id="{prefix}-words">{escape(in_words(workout))}</desc>',
        _axis(duration, width, place, bottom),
        _row("Segments (each mark is a repetition)", BAR_TOP),
        f'<rect class="track" x="{LEFT}" y="{BAR_TOP}" width="{width - LEFT - RIGHT}" '
        f'height="{BAR_HEIGHT}"/>',
        *(_bar(segment, place, colour(segment.exercise, classes)) for segment in workout.segments),
        _row("Probability", curve_top),
        _levels(curve_top, width),
    ]
    for name in classes:
        points = [
            (p.time_s, float(p.probabilities[name])) for p in workout.predictions if name in p.probabilities
        ]
        parts.append(_curve(thinned(points, most), place, curve_top, colour(name, classes)))
    if phases:
        parts += [_row("Phase of a repetition (1 is the peak)", phase_top), _levels(phase_top, width)]
        parts.append(_curve(thinned(phases, most), place, phase_top, "phase"))
    parts.append(
        f'<line class="cursor" x1="0" x2="0" y1="{BAR_TOP}" y2="{bottom}" visibility="hidden"/></svg>'
    )
    return "".join(parts)


def phase_points(workout: Workout) -> list[tuple[float, float]]:
    """Seconds and phase, where the model says it."""
    pairs = ((p.phase_time_s, p.phase) for p in workout.predictions)
    return [(t, float(v)) for t, v in pairs if t is not None and v is not None and math.isfinite(v)]


def colour(exercise: str, classes: Sequence[str]) -> str:
    """The CSS class of an exercise."""
    return NONE if exercise == NONE else f"c{classes.index(exercise) % 4}"


def label(name: str) -> str:
    """A class or key as words: "biceps_curl" is "Biceps curl"."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def display_name(workout: Workout) -> str:
    """The last part of the video's path or address."""
    return workout.video.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or "Video"


def clock(seconds: float, digits: int = 1) -> str:
    """Seconds as "7.5 s", from two minutes on as "12:30" or "1:02:03"."""
    if seconds < 120:
        return f"{seconds:.{digits}f} s"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def repetitions(count: int | None) -> str:
    """The count with its noun."""
    if count is None:
        return "repetitions not counted"
    return f"{count} repetition" if count == 1 else f"{count} repetitions"


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


def _axis(duration: float, width: float, place: Place, bottom: float) -> str:
    step = tick_step(duration, most=max(10, int(width / 96)))
    marks = []
    for count in range(int(duration / step + 1e-9) + 1):
        at = place(count * step)
        words = clock(count * step, 1 if step < 1 else 0)
        marks.append(
            f'<path class="grid" d="M{at:.1f} {BAR_TOP}V{bottom}"/>'
            f'<text text-anchor="middle" x="{at:.1f}" y="{bottom + 20}">{words}</text>'
        )
    return "".join(marks) + f'<text x="{LEFT}" y="{bottom + 40}">Time in the video</text>'


def tick_step(duration: float, most: int = 10) -> float:
    """Seconds between the marks of the axis: a round number that gives at most `most` after the first."""
    wanted = duration / most
    round_steps = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
    fitting = next((step for step in round_steps if step >= wanted), None)
    return fitting if fitting is not None else 3600.0 * math.ceil(wanted / 3600)


def _row(text: str, top: float) -> str:
    return f'<text class="row" x="{LEFT}" y="{top - 10}">{escape(text)}</text>'


def _levels(top: float, width: float) -> str:
    lines = []
    for value in (0.0, 0.5, 1.0):
        y = top + (1 - value) * CURVE_HEIGHT
        lines.append(
            f'<path class="grid" d="M{LEFT} {y:.1f}H{width - RIGHT}"/>'
            f'<text text-anchor="end" x="{LEFT - 8}" y="{y + 4:.1f}">{value:g}</text>'
        )
    return "".join(lines)


def _bar(segment: Segment, place: Place, css: str) -> str:
    start, end = place(segment.start_s), place(segment.end_s)
    name = label(segment.exercise)
    words = f"{name}, {repetitions(segment.repetitions)}"
    span = f"{clock(segment.start_s)} to {clock(segment.end_s)}"
    hint = f"{words}, {span}, confidence {100 * segment.confidence:.0f} %"
    marks = "".join(
        f'<path class="rep" d="M{place(t):.1f} {BAR_TOP + BAR_HEIGHT - 14}v14"/>'
        for t in segment.repetition_times_s
    )
    fitting = (
        text for text in (words, name, str(segment.repetitions or "")) if 8.0 * len(text) + 14 < end - start
    )
    return (
        f'<g><title>{escape(hint)}</title><rect class="bar {css}" x="{start:.1f}" y="{BAR_TOP}" rx="4" '
        f'width="{max(1.0, end - start):.1f}" height="{BAR_HEIGHT}"/>{marks}'
        f'<text class="in" x="{start + 8:.1f}" y="{BAR_TOP + 20}">{escape(next(fitting, ""))}</text></g>'
    )


def _curve(points: Sequence[tuple[float, float]], place: Place, top: float, css: str) -> str:
    drawn = [
        (place(t), top + (1 - min(max(v, 0.0), 1.0)) * CURVE_HEIGHT) for t, v in points if math.isfinite(v)
    ]
    if len(drawn) == 1:
        return f'<circle class="dot {css}" cx="{drawn[0][0]:.1f}" cy="{drawn[0][1]:.1f}" r="5"/>'
    path = "L".join(f"{at:.1f} {y:.1f}" for at, y in drawn)
    return f'<path class="curve {css}" d="M{path}"/>' if drawn else ""


def thinned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """At most `most` points and two: of every stretch the lowest and the highest, in order of time."""
    if len(points) <= most:
        return list(points)
    stretch = math.ceil(2 * len(points) / most)
    kept: list[tuple[float, float]] = []
    for first in range(0, len(points), stretch):
        part = points[first : first + stretch]
        kept += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return kept
