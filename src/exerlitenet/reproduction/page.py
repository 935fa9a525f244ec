"""The study as one HTML page that opens offline: the paper's tables and figures with ours beside them.

Made from the content of reproduction.json alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from exerlitenet.evaluation.metrics import Interval
from exerlitenet.files import write_output
from exerlitenet.pages import html
from exerlitenet.reproduction import paper, tables
from exerlitenet.reproduction.charts import IntervalRow, interval_chart
from exerlitenet.reproduction.figures import confusions, curves, networks
from exerlitenet.reproduction.rows import SPLIT_NAMES, points
from exerlitenet.reproduction.tables import Results, Table

TITLE = "The paper's study, reproduced"


def write_study_report(path: Path, results: Results) -> None:
    """Writes the page. Raises InputError when it cannot be written."""
    write_output(path, study_report(results))


def study_report(results: Results) -> str:
    """The page as HTML. results: content of reproduction.json."""
    return html.page(
        TITLE,
        [
            *_head(results),
            _splits(results),
            _accuracies(results),
            _stopping(results),
            _pairs(results),
            _errors(results),
            _rows(results),
            *confusions(results),
            *curves(results),
            *networks(results),
            _settings(results),
        ],
    )


def _head(results: Results) -> Iterable[str]:
    if results["quick"]:
        yield html.paragraph(
            "This is a quick study: it shows that everything runs. Its accuracies mean nothing.", "fault"
        )
    data = results["dataset"]
    classes = ", ".join(f"{name} {c['clips']}" for name, c in data["classes"].items())
    yield html.paragraph(
        f"{data['clips']} clips ({classes}) of {data['groups']} groups, {data['sequences']} sequences; seeds: "
        f"{', '.join(map(str, results['settings']['seeds']))}. Intervals are 95 %, by bootstrap over groups, all "
        "seeds pooled; one without width means that no error was seen, not that none is possible."
    )
    figures: dict[str, tuple[str, list[str]]] = {}
    proposed = results["systems"].get("proposed", {"splits": {}})
    for split, name in SPLIT_NAMES.items():
        if found := proposed["splits"].get(split):
            balanced = Interval.from_json(found["sequences"]["balanced_accuracy"])
            clips = Interval.from_json(found["clips"]["accuracy"])
            figures[f"proposed, {name}: sequences, balanced"] = (_value(balanced), [_bounds(balanced)])
            figures[f"proposed, {name}: clips right"] = (_value(clips), [_bounds(clips)])
    if "overstated" in proposed:
        for key, unit in (("balanced", "sequences, balanced"), ("clips", "clips")):
            over = points(Interval.from_json(proposed["overstated"][key]))
            figures[f"the random split overstates proposed, {unit}"] = (
                over.partition(" [")[0],
                [_inside(over)],
            )
    yield html.section("In short", html.tiles(figures))


def _value(found: Interval) -> str:
    return f"{found}".partition(" [")[0]


def _bounds(found: Interval) -> str:
    return _inside(f"{found}")


def _inside(shown: str) -> str:
    """The interval of a figure as shown, in words."""
    bounds = shown.partition(" [")[2].rstrip("]")
    return f"95 %: {bounds.replace(', ', ' to ')}" if bounds else ""


def _table(table: Table, *wrap: str) -> str:
    """wrap: columns whose text may run over several lines; "*" for all."""
    return html.table(table.columns, table.rows, wrap=table.columns if wrap == ("*",) else wrap)


def _rows(results: Results) -> str:
    return html.section(
        "The paper, row by row",
        html.paragraph(
            "Reached: our figure is at least as good, or the same, by the paper's own split or convention. That says "
            "what its protocol allows on our clips; its clips are not published. What is copied from the paper is "
            "reached by copying."
        ),
        _table(tables.tallies(results)),
        _table(tables.verdict_rows(results), "in the paper", "what", "paper", "ours", "why, or how"),
    )


def _accuracies(results: Results) -> str:
    meanings = "; ".join(f"{row['short']}: {row['title']}" for row in results["systems"].values())
    return html.section(
        "Accuracy, precision, recall, F1",
        html.paragraph(
            "Of test sequences; positive class biceps_curl, as in the paper. Plain accuracy leans on the class with "
            "more sequences: what always saying it would get stands below. A network with random weights is never "
            "judged.",
            "quiet",
        ),
        _table(tables.accuracy(results), "split"),
        html.paragraph(f"{meanings}.", "quiet"),
        _table(tables.tested_parts(results), "*"),
    )


def _stopping(results: Results) -> str:
    found = tables.stopping(results)
    if not found.rows:
        return ""
    return html.section(
        "Where training stops",
        html.paragraph(
            "The paper's rule keeps the epoch whose validation loss is lowest and waits for five more. The last epoch "
            "shows how far the figures hang on that rule. One share of the validation part for each seed.",
            "quiet",
        ),
        _table(found, "*"),
    )


def _splits(results: Results) -> str:
    judged = {name: row for name, row in results["systems"].items() if row["splits"]}
    charts = []
    for title, unit, figure in (
        ("Sequences right, balanced", "sequences", "balanced_accuracy"),
        ("Clips right", "clips", "accuracy"),
    ):
        chart = interval_chart(
            [f"ours, {name}" for name in SPLIT_NAMES.values()],
            [
                IntervalRow(
                    row["short"],
                    tuple(
                        Interval.from_json(row["splits"][split][unit][figure])
                        if split in row["splits"]
                        else None
                        for split in SPLIT_NAMES
                    ),
                    paper.ACCURACY[name].accuracy / 100
                    if unit == "sequences" and name in paper.ACCURACY
                    else None,
                )
                for name, row in judged.items()
            ],
            label=f"{title}, by system and split, with 95 % intervals",
        )
        if chart:
            charts.append(f"<figure><figcaption>{title}</figcaption>{chart}</figure>")
    return html.section(
        "What a random split hides",
        html.paragraph(
            "The same sequences, divided in two ways. By the random split, sequences of one clip and person stand "
            "in training and in test; by group, test people and places are new. The paper's split is random, so "
            "its 92.08 % too can come from knowing the clips; it says nothing about new people."
        ),
        *_overstated(results),
        *charts,
        _table(tables.splits(results), "*"),
        *(html.paragraph(words, "quiet") for words in results["statements"].values()),
    )


def _overstated(results: Results) -> Iterable[str]:
    """How far the random split overstates the proposed network here, in one sentence."""
    row = results["systems"].get("proposed", {})
    if "overstated" in row and not results["quick"]:
        by_split = [row["splits"][split] for split in ("sequence", "group")]
        sequences = [Interval.from_json(found["sequences"]["balanced_accuracy"]) for found in by_split]
        clips = [Interval.from_json(found["clips"]["accuracy"]) for found in by_split]
        yield html.paragraph(
            f"On these clips the proposed network gets {sequences[0]} of test sequences by the random split, both "
            f"classes weighing alike, and {sequences[1]} of new people's; of clips {clips[0]} and {clips[1]}. The "
            f"random split overstates it by {points(Interval.from_json(row['overstated']['balanced']))}, on clips by "
            f"{points(Interval.from_json(row['overstated']['clips']))}."
        )


def _pairs(results: Results) -> str:
    return html.section(
        "Systems against each other",
        html.paragraph(
            "McNemar's exact test on distinct test clips, not on sequences. It takes clips as independent, which those "
            "of one group are not; the interval of the difference, by bootstrap over groups, does not. Frames or "
            "movement: a network that knows movement beats the controls, which see single frames, or frames in an "
            "order drawn by chance.",
            "quiet",
        ),
        _table(tables.pairs(results), "systems", "split")
        if results["pairs"]
        else html.paragraph("No two systems were judged."),
    )


def _errors(results: Results) -> str:
    classes, rest = tables.class_errors(results), tables.rest_errors(results)
    return html.section(
        "Where the errors lie",
        html.paragraph(
            "The paper says that curls err more than squats, and that errors come from frames at rest between "
            "repetitions. At rest: by the time from a test window to the nearest far end (bottom or top) "
            "of a repetition, on clips whose repetitions are known. Shares are of sequences called something else."
        ),
        _table(classes, "system", "split") if classes.rows else "",
        _table(rest, "*")
        if rest.rows
        else html.paragraph("The data set does not say when repetitions were at their far ends."),
    )


def _settings(results: Results) -> str:
    facts = {
        "settings": results["settings"],
        "machine": results["machine"],
        "versions": results["versions"],
        "configurations": results["configurations"],
    }
    return html.section("Settings", html.card(facts), folded=True)
