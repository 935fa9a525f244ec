"""The report of one or more videos as one HTML page that opens offline.

Everything is inline: style, drawing and a small script for reading off values. Nothing is fetched; a content
security policy in the page tells the browser so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from exerlitenet.files import write_output
from exerlitenet.pages import html, svg
from exerlitenet.pages.html import Html
from exerlitenet.pages.text import clock, label, percent
from exerlitenet.recognition.timeline import colour, display_name, phase_points, timeline
from exerlitenet.results import NONE, Prediction, Segment, Workout

TITLE = "Exercises in video"
MOST_READINGS = 4000
"""The script can look up this many moments of a video; longer ones are thinned."""
DASH = "–"


def write_page(workouts: Sequence[Workout], out: Path) -> None:
    """Write the report of `workouts` to the file `out`. Raises `InputError` when it cannot be written; nothing
    half-written is left behind.
    """
    write_output(out, page(workouts))


def page(workouts: Sequence[Workout]) -> str:
    """The report as HTML."""
    classes = _classes(workouts)
    body = [] if workouts else [html.paragraph("No video was given.")]
    if len(workouts) > 1:
        body.append(_overview(workouts))
    body += [_video(index, workout, classes) for index, workout in enumerate(workouts)]
    script = Path(__file__).with_name("report.js").read_text(encoding="utf-8")
    return html.page(TITLE, body, script)


def _overview(workouts: Sequence[Workout]) -> str:
    rows = [
        (
            Html(f'<a href="#video-{index}">{escape(display_name(workout))}</a>'),
            _exercise(workout),
            _count(workout.repetitions),
            clock(_active_s(workout)),
            clock(workout.duration_s),
            "damaged" if workout.fault else "",
        )
        for index, workout in enumerate(workouts)
    ]
    columns = ("Video", "Exercise", "Repetitions", "Time in exercise", "Length", "Note")
    table = html.table(columns, rows, wrap=columns[:1], right=columns[2:5])
    return html.section("All videos", table, name="overview")


def _video(index: int, workout: Workout, classes: Sequence[str]) -> str:
    tiles = {
        "Exercise": _exercise(workout),
        "Repetitions": _count(workout.repetitions),
        "Time in exercise": clock(_active_s(workout)),
        "Length of the video": clock(workout.duration_s),
    }
    parts = [html.tiles({name: (value, ()) for name, value in tiles.items()})]
    if workout.fault:
        damaged = Html(f"<strong>The video is damaged.</strong> {escape(workout.fault)}")
        parts.insert(0, html.paragraph(damaged, "fault"))
    if workout.predictions and workout.duration_s > 0:
        parts.append(_figure(index, workout, classes))
    parts.append(_segments(workout.segments))
    if workout.model:
        parts.append(html.paragraph(f"Model: {workout.model}", "quiet"))
    return html.section(display_name(workout), *parts, name=f"video-{index}")


def _figure(index: int, workout: Workout, classes: Sequence[str]) -> str:
    present = [name for name in classes if any(name in p.probabilities for p in workout.predictions)]
    keys = [(colour(name, classes), label(name)) for name in present]
    if phase_points(workout):
        keys.append(("phase", "Phase"))
    readings = _readings(workout, present)
    return (
        f"<figure data-chart>{html.scroll('Timeline', timeline(workout, classes, f'timeline-{index}'))}"
        f"{svg.legend(keys)}"
        f'<div class="lookup" hidden><label for="time-{index}">Look up a time</label>'
        f'<input id="time-{index}" type="range" min="0" max="{len(readings["rows"]) - 1}" value="0">'
        f'<output for="time-{index}">Move over the drawing or use the slider.</output></div>'
        f'<script type="application/json">{_json(readings)}</script></figure>'
    )


def _segments(segments: Sequence[Segment]) -> str:
    if not segments:
        return html.paragraph("No segment of a known exercise was found.")
    columns = ("Segment", "Start", "End", "Repetitions", "Seconds a repetition", "Confidence")
    rows = [
        (
            label(s.exercise),
            clock(s.start_s),
            clock(s.end_s),
            _count(s.repetitions),
            _tempo(s),
            percent(s.confidence, 0),
        )
        for s in segments
    ]
    return html.table(columns, rows, right=columns[1:])


def _readings(workout: Workout, classes: Sequence[str]) -> dict[str, Any]:
    """What the script shows for a moment: rows of seconds, the phase's seconds and value, probabilities."""
    step = max(1, math.ceil(len(workout.predictions) / MOST_READINGS))

    def row(p: Prediction) -> list[float | None]:
        phase: list[float | None] = [None, None]
        if p.phase is not None and p.phase_time_s is not None and math.isfinite(p.phase):
            phase = [round(p.phase_time_s, 2), round(float(p.phase), 2)]
        return [round(p.time_s, 2), *phase, *(round(float(p.probabilities.get(n, 0.0)), 3) for n in classes)]

    return {
        "classes": [label(name) for name in classes],
        "rows": [row(p) for p in workout.predictions[::step]],
    }


def _json(value: Any) -> str:
    """JSON that cannot end the script element it is in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _classes(workouts: Sequence[Workout]) -> list[str]:
    """All classes of all videos: exercises in the model's order, "none" last."""
    names: dict[str, None] = {}
    for workout in workouts:
        for prediction in workout.predictions[:1]:
            names.update(dict.fromkeys(prediction.probabilities))
        names.update(dict.fromkeys(segment.exercise for segment in workout.segments))
    return [name for name in names if name != NONE] + [NONE]


def _exercise(workout: Workout) -> str:
    return label(workout.exercise) if workout.segments else "None found"


def _count(repetitions: int | None) -> str:
    """A dash for a model that does not count."""
    return DASH if repetitions is None else str(repetitions)


def _active_s(workout: Workout) -> float:
    return sum(s.end_s - s.start_s for s in workout.segments)


def _tempo(segment: Segment) -> str:
    """Mean seconds from one peak to the next; a dash when there are fewer than two."""
    times = segment.repetition_times_s
    return f"{(times[-1] - times[0]) / (len(times) - 1):.1f}" if len(times) > 1 else DASH
