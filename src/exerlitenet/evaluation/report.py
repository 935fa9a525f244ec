"""The report of a training run or an evaluation: one HTML page that opens offline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exerlitenet.datasets.manifest import ordered_classes
from exerlitenet.evaluation.classification import Classification
from exerlitenet.evaluation.metrics import Interval
from exerlitenet.evaluation.results import ClipResult, Evaluation, Row, main_figures
from exerlitenet.files import write_output
from exerlitenet.pages import html
from exerlitenet.pages.svg import Mark, Series, line_chart
from exerlitenet.pages.text import bounds, number_of, percent

NAMES = {
    "exercise_clips": "Which exercise, clips",
    "exercise_sequences": "Which exercise, sequences",
    "clips": "All classes, clips",
    "sequences": "All classes, sequences",
}


@dataclass(frozen=True)
class Section:
    """A further part of a report: words, and a table whose first column names the row.

    Cells may be text, numbers, None or `Interval`.
    """

    title: str
    text: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()


def write_report(path: Path, page: str) -> None:
    """Writes what `report` made. Its folder is made where it is missing, and nothing half-written is left behind.

    Raises InputError when it cannot be written.
    """
    # What is in the way of the folder is in the way of the file, which says so.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_output(path, page)


def report(
    *,
    title: str,
    evaluation: Evaluation | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
    config: Mapping[str, Any] | None = None,
    split_statement: str = "",
    classifications: Mapping[str, Classification] | None = None,
    sections: Sequence[Section] = (),
) -> str:
    """The page as HTML.

    evaluation: of a model on clips. classifications: further ones by name, such as of a run's own sequences.
    history: rows with phase, epoch, loss, accuracy, val_loss, val_accuracy, seconds; values may be text, as a
    CSV has them, or missing. config: shown at the end, may be nested. split_statement: the protocol, shown
    first.
    """
    body: list[str] = []
    statement = split_statement or (evaluation.protocol if evaluation else "")
    if statement:
        body.append(html.paragraph(statement))
    if evaluation is not None:
        if evaluation.warning:
            body.append(html.paragraph(evaluation.warning, "fault"))
        body.append(_headline(evaluation))
    if history:
        body += _curves(history)
    shown = {**(classifications or {}), **(evaluation.classifications if evaluation else {})}
    if shown:
        body += [_matrices(shown), _per_class(shown)]
    for s in sections:
        text, table = (
            html.paragraph(s.text) if s.text else "",
            html.table(s.columns, s.rows) if s.columns else "",
        )
        body.append(html.section(s.title, text, table))
    if evaluation is not None:
        body += _details(evaluation)
    if config:
        body.append(html.section("Configuration", html.card(config), folded=True))
    return html.page(title, body)


def _headline(evaluation: Evaluation) -> str:
    figures: dict[str, tuple[str, list[str]]] = {}
    # The last is an error, not a share of anything.
    for figure in main_figures(evaluation)[:5]:
        if figure.value is not None and figure.value.value is not None:
            inside = bounds(figure.value)
            remarks = [figure.on, f"95 %: {inside}" if inside else "", evaluation.label or ""]
            figures[figure.name] = (percent(figure.value.value), [words for words in remarks if words])
    facts = (
        f"Model {evaluation.model}, {len(evaluation.results)} clips ({evaluation.seconds / 60:.1f} minutes) "
        f"of {len(evaluation.by['group'])} groups. Intervals are 95 %, by bootstrap over groups."
    )
    return html.section("How good it is", html.tiles(figures), html.paragraph(facts, "quiet after"))


def _curves(history: Sequence[Mapping[str, Any]]) -> list[str]:
    phases: dict[str, list[Mapping[str, Any]]] = {}
    for row in history:
        phases.setdefault(str(row.get("phase", "")), []).append(row)
    out = []
    for phase, rows in phases.items():
        if figures := curve_figures(phase, rows):
            seconds = sum(value for _, value in _points(rows, "seconds"))
            took = f" in {_duration(seconds)}" if seconds else ""
            words = f"{number_of(len(rows), 'epoch')}{took}."
            if _points(rows, "val_loss"):
                words += " The best epoch is the one of the lowest validation loss."
            heading = f"Learning curves, phase {phase}" if phase else "Learning curves"
            out.append(html.section(heading, html.paragraph(words, "quiet"), figures))
    return out


def curve_figures(phase: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Loss and accuracy over the epochs of one phase, side by side; "" where there is nothing to draw.

    rows: with epoch, loss, accuracy, val_loss, val_accuracy, as of a history.
    """
    best = min(_points(rows, "val_loss"), key=lambda point: point[1], default=None)
    figures = []
    for title, key, shares in (("Loss", "loss", False), ("Accuracy", "accuracy", True)):
        series = (
            Series("training", 0, _points(rows, key)),
            Series("validation", 1, _points(rows, f"val_{key}")),
        )
        at_best = dict(series[1].points).get(best[0]) if best else None
        value = "" if at_best is None else percent(at_best) if shares else f"{at_best:.3f}"
        mark = Mark(best[0], f"best epoch {best[0]:g}: {value}") if best and value else None
        label = f"{title} of training and validation over the epochs of phase {phase}"
        chart = line_chart(series, label=label, x_name="epoch", percent=shares, mark=mark)
        if chart:
            figures.append(html.figure(title, chart))
    return html.side_by_side(figures) if figures else ""


def _points(rows: Sequence[Mapping[str, Any]], key: str) -> tuple[tuple[float, float], ...]:
    """(epoch, value) of the rows that have both as finite numbers."""
    pairs = ((_number(row.get("epoch")), _number(row.get(key))) for row in rows)
    return tuple(sorted((x, y) for x, y in pairs if x is not None and y is not None))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _matrices(shown: Mapping[str, Classification]) -> str:
    tables = [
        f"<div>{html.matrix(c.classes, c.confusion, _name(name))}{html.paragraph(c.statement, 'quiet')}</div>"
        for name, c in shown.items()
    ]
    words = "Rows are the truth, columns the prediction; per cent of the row."
    return html.section("Confusion matrices", html.paragraph(words, "quiet"), html.side_by_side(tables))


def _per_class(shown: Mapping[str, Classification]) -> str:
    overall = [(_name(name), c.items, c.groups, c.accuracy, c.balanced_accuracy) for name, c in shown.items()]
    rows: list[Sequence[Any]] = []
    for name, found in shown.items():
        for k, (class_name, s) in enumerate(found.scores.items()):
            first = _name(name) if k == 0 else ""
            words = f"{class_name} (positive)" if class_name == found.positive else class_name
            rows.append((first, words, s.support, s.precision, s.recall, s.f1))
    return html.section(
        "Accuracy, precision, recall and F1",
        html.paragraph("Balanced accuracy is recall averaged over the classes that occur.", "quiet"),
        html.table(("items", "number", "groups", "accuracy", "balanced accuracy"), overall),
        html.table(("items", "class", "number", "precision", "recall", "F1"), rows),
    )


def _name(name: str) -> str:
    return NAMES.get(name, name)


def _details(evaluation: Evaluation) -> Iterable[str]:
    def table(title: str, words: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterable[str]:
        if rows:
            quiet = html.paragraph(words, "quiet") if words else ""
            yield html.section(title, quiet, html.table(columns, rows))

    yield from table(
        "Repetitions",
        "Clips of three and more repetitions; those of the clip's true exercise are counted. OBO: off-by-one accuracy, "
        "the share of clips at most one off. Normalised MAE: mean of abs(counted - true) / true; bias: the same with "
        "its sign.",
        ("exercise", "clips", "true", "counted", "OBO", "exact", "normalised MAE", "bias"),
        [
            (name, c.clips, c.true, c.counted, c.within_one, c.exact, c.relative_error, c.bias)
            for name, c in evaluation.counting.items()
        ],
    )
    yield from table(
        "Worst clips",
        "Errors of classification, the surest first.",
        ("clip", "truth", "predicted", "likelier exercise", "p of the truth", "group", "activity", "view"),
        [_worst_row(r) for r in evaluation.worst],
    )
    yield from table(
        "Worst counts",
        "",
        ("clip", "exercise", "true", "counted", "group", "view"),
        [(r.name, r.label, r.repetitions, r.counted, r.group, r.view) for r in evaluation.worst_counted],
    )
    yield from table(
        "Activities taken for an exercise",
        "Clips of none, those most often mistaken first.",
        ("activity", "clips", "false positives"),
        evaluation.mistaken_activities,
    )
    for key in ("view", "group", "activity", "person"):
        if rows := evaluation.by[key]:
            title, folded = f"By {key}", key != "view"
            yield html.section(
                f"{title} ({len(rows)})" if folded else title, _rows_table(rows), folded=folded
            )
    yield from table(
        f"Not evaluated: {len(evaluation.failed)} clips that could not be read",
        "",
        ("file", "what is wrong"),
        [(fault.file, fault.problem) for fault in evaluation.failed],
    )


def _worst_row(result: ClipResult) -> tuple[Any, ...]:
    truth = result.probabilities.get(result.label)
    exercise = result.exercise if result.exercise_right is not None else None
    p = None if truth is None else Interval(truth)
    return (result.name, result.label, result.called, exercise, p, result.group, result.activity, result.view)


def _rows_table(rows: Sequence[Row]) -> str:
    called = ordered_classes(name for row in rows for name in row.called)
    columns = (
        "",
        "clips",
        "right",
        "exercise right",
        "sequences right",
        *(f"predicted {name}" for name in called),
    )
    return html.table(
        columns,
        [
            (
                row.name,
                row.clips,
                _share(row.right, row.clips),
                _share(row.exercise_right, row.exercise_clips),
                _share(row.sequences_right, row.sequences),
                *(row.called.get(name, 0) for name in called),
            )
            for row in rows
        ],
    )


def _share(right: int, items: int) -> Interval | None:
    return Interval(right / items) if items else None
