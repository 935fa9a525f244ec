"""The report of a training run or an evaluation: one HTML page that opens offline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exerlitenet.datasets.manifest import ordered_classes
from exerlitenet.evaluation.classification import Judgement
from exerlitenet.evaluation.metrics import Interval
from exerlitenet.evaluation.results import ClipResult, Evaluation, Row
from exerlitenet.files import write_output
from exerlitenet.pages import html
from exerlitenet.pages.svg import Mark, Series, legend, line_chart
from exerlitenet.results import NONE

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


def write_report(
    path: Path,
    *,
    title: str,
    evaluation: Evaluation | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
    config: Mapping[str, Any] | None = None,
    split_statement: str = "",
    judgements: Mapping[str, Judgement] | None = None,
    sections: Sequence[Section] = (),
) -> None:
    """Write a report page.

    evaluation: a model judged on clips. judgements: further ones by name, such as of a run's own sequences.
    history: rows with phase, epoch, loss, accuracy, val_loss, val_accuracy, seconds; values may be text, as a
    CSV has them, or missing. config: shown at the end, may be nested. split_statement: the protocol, shown
    first.

    Its folder is made where it is missing, and nothing half-written is left behind. Raises InputError when it
    cannot be written.
    """
    text = report(
        title=title,
        evaluation=evaluation,
        history=history,
        config=config,
        split_statement=split_statement,
        judgements=judgements,
        sections=sections,
    )
    # What is in the way of the folder is in the way of the file, which says so.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_output(path, text)


def report(
    *,
    title: str,
    evaluation: Evaluation | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
    config: Mapping[str, Any] | None = None,
    split_statement: str = "",
    judgements: Mapping[str, Judgement] | None = None,
    sections: Sequence[Section] = (),
) -> str:
    """The page as HTML; see `write_report`."""
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
    shown = {**(judgements or {}), **(evaluation.judgements if evaluation else {})}
    if shown:
        body.append(_matrices(shown))
        body.append(_per_class(shown))
    body += [
        html.section(
            s.title,
            html.paragraph(s.text) if s.text else "",
            html.table(s.columns, s.rows) if s.columns else "",
        )
        for s in sections
    ]
    if evaluation is not None:
        body += _details(evaluation)
    if config:
        body.append(html.section("Configuration", html.card(config), folded=True))
    return html.page(title, body)


def _headline(evaluation: Evaluation) -> str:
    figures: dict[str, tuple[str, list[str]]] = {}

    def add(name: str, interval: Interval | None, remark: str) -> None:
        if interval is not None and interval.value is not None:
            between = interval.low is not None and interval.high is not None
            bounds = [f"95 %: {100 * (interval.low or 0):.1f} to {100 * (interval.high or 0):.1f}"]
            seen = [evaluation.label] if evaluation.label else []
            figures[name] = (f"{100 * interval.value:.1f} %", [remark, *(bounds if between else []), *seen])

    judged = evaluation.judgements
    if "exercise_clips" in judged:
        both = " or ".join(judged["exercise_clips"].classes).replace("_", " ")
        add(both, judged["exercise_clips"].accuracy, f"right of {judged['exercise_clips'].items} clips")
        add(
            "the same by sequence",
            judged["exercise_sequences"].balanced_accuracy,
            f"balanced, {judged['exercise_sequences'].items} sequences",
        )
    add("all classes", judged["clips"].balanced_accuracy, f"balanced, {judged['clips'].items} clips")
    nones = sum(r.label == NONE for r in evaluation.results)
    add("none called an exercise", evaluation.none_called_exercise, f"of {nones} clips")
    if "all" in evaluation.counting:
        counting = evaluation.counting["all"]
        add("repetitions within one", counting.within_one, f"of {counting.clips} clips of three and more")
    facts = (
        f"Model {evaluation.model}, {len(evaluation.results)} clips ({evaluation.seconds / 60:.1f} minutes) "
        f"of {len(evaluation.by_group)} groups. Intervals are 95 %, by bootstrap over groups."
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
            words = f"{len(rows)} epoch{'s' if len(rows) != 1 else ''}{took}."
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
    for title, key, percent in (("Loss", "loss", False), ("Accuracy", "accuracy", True)):
        series = (
            Series("training", 0, _points(rows, key)),
            Series("validation", 1, _points(rows, f"val_{key}")),
        )
        at_best = dict(series[1].points).get(best[0]) if best else None
        value = "" if at_best is None else f"{100 * at_best:.1f} %" if percent else f"{at_best:.3f}"
        mark = Mark(best[0], f"best epoch {best[0]:g}: {value}") if best and value else None
        label = f"{title} of training and validation over the epochs of phase {phase}"
        chart = line_chart(series, label=label, x_name="epoch", percent=percent, mark=mark)
        if chart:
            figures.append(f"<figure><figcaption>{title}</figcaption>{legend(series)}{chart}</figure>")
    return side_by_side(figures) if figures else ""


def side_by_side(parts: Iterable[str], *, narrow: bool = False) -> str:
    """HTML parts beside each other where the page is wide enough: two in a row, or three narrow ones."""
    return f'<div class="pair{" narrow" if narrow else ""}">{"".join(parts)}</div>'


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


def _matrices(judgements: Mapping[str, Judgement]) -> str:
    tables = [
        f"<div>{html.matrix(j.classes, j.confusion, _name(name))}{html.paragraph(j.statement, 'quiet')}</div>"
        for name, j in judgements.items()
    ]
    return html.section(
        "Confusion matrices",
        html.paragraph("Rows are the truth, columns what it was called; per cent of the row.", "quiet"),
        side_by_side(tables),
    )


def _per_class(judgements: Mapping[str, Judgement]) -> str:
    overall = [
        (_name(name), j.items, j.groups, j.accuracy, j.balanced_accuracy) for name, j in judgements.items()
    ]
    rows: list[Sequence[Any]] = []
    for name, judgement in judgements.items():
        for k, (class_name, s) in enumerate(judgement.scores.items()):
            first = _name(name) if k == 0 else ""
            shown = f"{class_name} (positive)" if class_name == judgement.positive else class_name
            rows.append((first, shown, s.support, s.precision, s.recall, s.f1))
    return html.section(
        "Accuracy, precision, recall and F1",
        html.paragraph("Balanced accuracy is recall averaged over the classes that occur.", "quiet"),
        html.table(("judged", "number", "groups", "accuracy", "balanced accuracy"), overall),
        html.table(("judged", "class", "number", "precision", "recall", "F1"), rows),
    )


def _name(name: str) -> str:
    return NAMES.get(name, name)


def _details(evaluation: Evaluation) -> Iterable[str]:
    if evaluation.counting:
        columns = (
            *("exercise", "clips", "true", "counted", "within one", "exact"),
            *("relative error", "bias"),
        )
        rows = [
            (name, c.clips, c.true, c.counted, c.within_one, c.exact, c.relative_error, c.bias)
            for name, c in evaluation.counting.items()
        ]
        yield html.section(
            "Repetitions",
            html.paragraph(
                "Clips of three and more repetitions; those of the clip's true exercise are counted. Relative "
                "error: mean of abs(counted - true) / true; bias: the same with its sign.",
                "quiet",
            ),
            html.table(columns, rows),
        )
    if evaluation.worst:
        yield html.section(
            "Worst clips",
            html.paragraph("Called something else than they are, the surest errors first.", "quiet"),
            html.table(
                ("clip", "is", "called", "likelier exercise", "p of the truth", "group", "activity", "view"),
                [_worst_row(r) for r in evaluation.worst],
            ),
        )
    if evaluation.worst_counted:
        yield html.section(
            "Worst counts",
            html.table(
                ("clip", "exercise", "true", "counted", "group", "view"),
                [
                    (r.name, r.label, r.repetitions, r.counted, r.group, r.view)
                    for r in evaluation.worst_counted
                ],
            ),
        )
    if evaluation.mistaken_activities:
        yield html.section(
            "Activities called an exercise",
            html.paragraph("Clips of none, those most often mistaken first.", "quiet"),
            html.table(("activity", "clips", "called an exercise"), evaluation.mistaken_activities),
        )
    for title, rows_of, folded in (
        ("By view", evaluation.by_view, False),
        ("By group", evaluation.by_group, True),
        ("By activity", evaluation.by_activity, True),
        ("By person", evaluation.by_person, True),
    ):
        if rows_of:
            heading = f"{title} ({len(rows_of)})" if folded else title
            yield html.section(heading, _rows_table(rows_of), folded=folded)
    if evaluation.failed:
        yield html.section(
            f"Not judged: {len(evaluation.failed)} clips that could not be read",
            html.table(("file", "what is wrong"), [(f.file, f.problem) for f in evaluation.failed]),
        )


def _worst_row(result: ClipResult) -> tuple[Any, ...]:
    truth = result.probabilities.get(result.label)
    return (
        result.name,
        result.label,
        result.called,
        result.exercise if result.exercise_right is not None else None,
        None if truth is None else Interval(truth),
        result.group,
        result.activity,
        result.view,
    )


def _rows_table(rows: Sequence[Row]) -> str:
    called = ordered_classes(name for row in rows for name in row.called)
    columns = (
        *("", "clips", "right", "exercise right", "sequences right"),
        *(f"called {name}" for name in called),
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
