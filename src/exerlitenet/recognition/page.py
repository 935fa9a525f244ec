"""The report of one or more videos as one HTML page that opens offline.

Everything is inline: style, drawing and a small script for reading off values. Nothing is fetched; a content
security policy in the page tells the browser so.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from exerlitenet.files import write_output
from exerlitenet.recognition.timeline import clock, colour, display_name, label, phase_points, timeline
from exerlitenet.results import NONE, Prediction, Segment, Workout

TITLE = "Exercises in video"
MOST_READINGS = 4000
"""The script can look up this many moments of a video; longer ones are thinned."""


def write_page(
    workouts: Sequence[Workout],
    out: Path,
    *,
    title: str = TITLE,
    model_card: Mapping[str, Any] | None = None,
) -> None:
    """Write the report of `workouts` to the file `out`.

    model_card: facts about the model, shown at the end; values may be nested. Nothing half-written is left
    behind. Raises `InputError` when it cannot be written.
    """
    write_output(out, page(workouts, title=title, model_card=model_card))


def page(
    workouts: Sequence[Workout], *, title: str = TITLE, model_card: Mapping[str, Any] | None = None
) -> str:
    """The report as HTML."""
    classes = _classes(workouts)
    fingerprint = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{fingerprint}'"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(title)}</h1>",
    ]
    if not workouts:
        parts.append("<p>No video was given.</p>")
    if len(workouts) > 1:
        parts.append(_overview(workouts))
    parts += [_video(index, workout, classes) for index, workout in enumerate(workouts)]
    if model_card:
        parts.append(f"<details><summary>About the model</summary>{_card(model_card)}</details>")
    parts.append(f"</main><script>{_SCRIPT}</script></body></html>\n")
    return "".join(parts)


def _overview(workouts: Sequence[Workout]) -> str:
    rows = [
        [
            f'<a href="#video-{index}">{escape(display_name(workout))}</a>',
            escape(_exercise(workout)),
            _count(workout.repetitions),
            clock(_active_s(workout)),
            clock(workout.duration_s),
            "damaged" if workout.fault else "",
        ]
        for index, workout in enumerate(workouts)
    ]
    heads = ["Video", "Exercise", "Repetitions", "Time in exercise", "Length", "Note"]
    table = _table("All videos", heads, rows, numbers={2, 3, 4})
    return f'<section aria-labelledby="overview"><h2 id="overview">All videos</h2>{table}</section>'


def _video(index: int, workout: Workout, classes: Sequence[str]) -> str:
    tiles = {
        "Exercise": _exercise(workout),
        "Repetitions": _count(workout.repetitions),
        "Time in exercise": clock(_active_s(workout)),
        "Length of the video": clock(workout.duration_s),
    }
    parts = [f'<section aria-labelledby="video-{index}"><h2 id="video-{index}">']
    parts.append(f"{escape(display_name(workout))}</h2>")
    if workout.fault:
        parts.append(f'<p class="fault"><strong>The video is damaged.</strong> {escape(workout.fault)}</p>')
    shown = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in tiles.items())
    parts.append(f'<dl class="tiles">{shown}</dl>')
    if workout.predictions and workout.duration_s > 0:
        parts.append(_figure(index, workout, classes))
    parts.append(_segments(workout.segments))
    if workout.model:
        parts.append(f'<p class="quiet">Model: {escape(workout.model)}</p>')
    return "".join(parts) + "</section>"


def _figure(index: int, workout: Workout, classes: Sequence[str]) -> str:
    present = [name for name in classes if any(name in p.probabilities for p in workout.predictions)]
    keys = [(colour(name, classes), label(name)) for name in present]
    if phase_points(workout):
        keys.append(("phase", "Phase"))
    legend = "".join(
        '<li><svg class="key" viewBox="0 0 36 8" width="36" height="8" aria-hidden="true">'
        f'<path class="curve {css}" d="M0 4H36"/></svg>{escape(words)}</li>'
        for css, words in keys
    )
    readings = _readings(workout, present)
    last = len(readings["rows"]) - 1
    drawing = timeline(workout, classes, f"timeline-{index}")
    return (
        '<figure data-chart><div class="scroll" tabindex="0" role="region" aria-label="Timeline">'
        f'{drawing}</div><ul class="legend">{legend}</ul>'
        f'<div class="lookup" hidden><label for="look-{index}">Look up a time</label>'
        f'<input id="look-{index}" type="range" min="0" max="{last}" value="0">'
        f'<output for="look-{index}">Move over the drawing or use the slider.</output></div>'
        f'<script type="application/json">{_json(readings)}</script></figure>'
    )


def _segments(segments: Sequence[Segment]) -> str:
    if not segments:
        return "<p>No segment of a known exercise was found.</p>"
    heads = ["Segment", "Start", "End", "Repetitions", "Seconds a repetition", "Confidence"]
    rows = [
        [
            escape(label(s.exercise)),
            clock(s.start_s),
            clock(s.end_s),
            _count(s.repetitions),
            _tempo(s),
            f"{100 * s.confidence:.0f} %",
        ]
        for s in segments
    ]
    return _table("Segments", heads, rows, numbers={1, 2, 3, 4, 5})


def _table(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: set[int]) -> str:
    """A table that scrolls by itself on a narrow screen; cells are HTML."""
    css = ['class="n"' if column in numbers else "" for column in range(len(heads))]
    head = "".join(f'<th scope="col" {c}>{escape(text)}</th>' for c, text in zip(css, heads, strict=True))
    body = []
    for cells in rows:
        rest = "".join(f"<td {c}>{cell}</td>" for c, cell in zip(css[1:], cells[1:], strict=True))
        body.append(f'<tr><th scope="row">{cells[0]}</th>{rest}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table: {escape(name)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


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
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _card(values: Mapping[str, Any]) -> str:
    items = "".join(f"<dt>{escape(label(str(k)))}</dt><dd>{_card_value(v)}</dd>" for k, v in values.items())
    return f'<dl class="card">{items}</dl>'


def _card_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _card(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return "; ".join(_card_value(item) for item in value)
    return escape(f"{value:g}" if isinstance(value, float) else str(value))


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


def _active_s(workout: Workout) -> float:
    return sum(s.end_s - s.start_s for s in workout.segments)


def _count(repetitions: int | None) -> str:
    """A dash for a model that does not count."""
    return "–" if repetitions is None else str(repetitions)


def _tempo(segment: Segment) -> str:
    """Mean seconds from one peak to the next; a dash when there are fewer than two."""
    times = segment.repetition_times_s
    return f"{(times[-1] - times[0]) / (len(times) - 1):.1f}" if len(times) > 1 else "–"


_STYLE = """
:root { --page: #f6f7f9; --card: #fff; --ink: #18202b; --quiet: #4a5563; --line: #d5dae1; --track: #e9ecf1;
  --none: #5b6675; --c0: #1858a8; --c1: #a34400; --c2: #0d6b4f; --c3: #7a3497; --phase: #6a3d9a; --on: #fff;
  --fault: #8f1d1d; --fault-page: #fdeceb; --font: system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif
}
@media (prefers-color-scheme: dark) { :root {
  --page: #12161c; --card: #1b2129; --ink: #e8ecf2; --quiet: #aab4c2; --line: #39424f; --track: #2a323d;
  --none: #9aa6b6; --c0: #7fb5f5; --c1: #f5a55c; --c2: #63cfa6; --c3: #d3a0ea; --phase: #c4a5f0;
  --on: #10151b; --fault: #ffb4ab; --fault-page: #3a1d1d
} }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 var(--font) }
main { max-width: 1060px; margin: 0 auto; padding: 28px 16px 48px }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 18px }
h2 { font-size: 1.15rem; margin: 0 0 12px; overflow-wrap: anywhere }
a { color: var(--c0) }
section, details { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px;
  margin: 0 0 18px }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px;
  margin: 0 0 18px }
.tiles div { border-left: 3px solid var(--line); padding: 2px 0 2px 12px }
.tiles dt { color: var(--quiet); font-size: .875rem }
.tiles dd { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.3 }
.fault { background: var(--fault-page); color: var(--fault); border-radius: 6px; padding: 10px 14px;
  margin: 0 0 16px; overflow-wrap: anywhere }
.quiet { color: var(--quiet); font-size: .875rem; margin: 12px 0 0 }
figure { margin: 0 0 14px }
.scroll { overflow-x: auto }
.scroll:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px }
figure .scroll > svg { display: block; width: 100%; height: auto }
svg text { font: 13px var(--font); fill: var(--quiet) }
svg text.row { fill: var(--ink); font-weight: 600 }
svg text.in { fill: var(--on); font-weight: 600 }
.grid { stroke: var(--line); fill: none }
.track { fill: var(--track) }
.rep { stroke: var(--on); stroke-width: 2.5 }
.bar.c0, .dot.c0 { fill: var(--c0) }
.bar.c1, .dot.c1 { fill: var(--c1) }
.bar.c2, .dot.c2 { fill: var(--c2) }
.bar.c3, .dot.c3 { fill: var(--c3) }
.dot.none { fill: var(--none) }
.dot.phase { fill: var(--phase) }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round }
.curve.c0 { stroke: var(--c0) }
.curve.c1 { stroke: var(--c1); stroke-dasharray: 9 3 }
.curve.c2 { stroke: var(--c2); stroke-dasharray: 3 3 }
.curve.c3 { stroke: var(--c3); stroke-dasharray: 9 3 2 3 }
.curve.none { stroke: var(--none); stroke-dasharray: 2 4 }
.curve.phase { stroke: var(--phase) }
.cursor { stroke: var(--ink); stroke-width: 1.5 }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; padding: 0; margin: 8px 0;
  font-size: .9rem }
.key { margin-right: 8px; vertical-align: middle }
.lookup { display: grid; grid-template-columns: auto minmax(120px, 1fr); gap: 4px 12px; align-items: center;
  font-size: .9rem }
.lookup[hidden] { display: none }
.lookup output { grid-column: 1 / -1; min-height: 3em; color: var(--quiet) }
input[type=range] { width: 100%; accent-color: var(--c0) }
table { border-collapse: collapse; width: 100%; font-size: .95rem }
th, td { text-align: left; padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); white-space: nowrap;
  vertical-align: top }
thead th { color: var(--quiet); font-weight: 600; font-size: .875rem }
tbody th { font-weight: 600; white-space: normal; overflow-wrap: anywhere; min-width: 8em }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums }
summary { cursor: pointer; font-weight: 600 }
.card { display: grid; grid-template-columns: minmax(110px, max-content) 1fr; gap: 4px 16px; margin: 12px 0 0;
  overflow-wrap: anywhere }
.card dt { color: var(--quiet) }
.card dd { margin: 0 }
.card .card { margin: 0 }
@media (max-width: 560px) { main { padding: 18px 8px 32px } section, details { padding: 14px 12px }
  .card { grid-template-columns: 1fr } .card dd { margin: 0 0 6px } .card .card { padding-left: 12px } }
@media print { .lookup { display: none } section { break-inside: avoid } }
"""

_SCRIPT = """
for (const figure of document.querySelectorAll("figure[data-chart]")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const svg = figure.querySelector(".scroll svg"), line = svg.querySelector(".cursor");
  const range = figure.querySelector("input"), output = figure.querySelector("output");
  const left = +svg.dataset.left, right = +svg.dataset.right, duration = +svg.dataset.duration;
  const width = svg.viewBox.baseVal.width;
  const show = (index) => {
    const [time, phaseTime, phase, ...shares] = data.rows[index];
    const at = left + Math.min(Math.max(time, 0), duration) / duration * (width - left - right);
    line.setAttribute("x1", at); line.setAttribute("x2", at); line.setAttribute("visibility", "visible");
    const words = data.classes.map((name, k) => `${name} ${(100 * shares[k]).toFixed(0)} %`);
    if (phase !== null) words.push(`phase ${phase.toFixed(2)} at ${phaseTime.toFixed(1)} s`);
    output.textContent = `Window that ends at ${time.toFixed(1)} s: ${words.join(", ")}`;
    range.setAttribute("aria-valuetext", output.textContent);
  };
  figure.querySelector(".lookup").hidden = false;
  range.addEventListener("input", () => show(+range.value));
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const time = ((event.clientX - box.left) / box.width * width - left) / (width - left - right) * duration;
    let low = 0, high = data.rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.rows[middle][0] < time) low = middle + 1; else high = middle;
    }
    if (low > 0 && time - data.rows[low - 1][0] < data.rows[low][0] - time) low -= 1;
    range.value = low; show(low);
  });
}
"""
