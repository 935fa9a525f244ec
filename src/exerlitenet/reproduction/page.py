"""The study as one HTML page that opens offline: the paper's tables and figures with ours beside them.

Made from the content of reproduction.json alone. What is beside a figure of the paper (matrices, curves, the
network) is made by figures.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from exerlitenet.evaluation.metrics import Interval, with_intervals
from exerlitenet.pages import html
from exerlitenet.pages.svg import IntervalRow, interval_chart
from exerlitenet.pages.text import bounds, percent, points
from exerlitenet.reproduction import paper, tables
from exerlitenet.reproduction.figures import confusions, curves, networks
from exerlitenet.reproduction.systems import SPLIT_NAMES
from exerlitenet.reproduction.tables import Results, Table

TITLE = "The paper's study, reproduced"


def study_report(results: Results) -> str:
    """The page as HTML. results: content of reproduction.json."""
    results = with_intervals(results)
    parts = (_head, _splits, _accuracies, _rest_of_the_tables, confusions, curves, networks, _settings)
    return html.page(TITLE, (section for part in parts for section in part(results)))


def _head(results: Results) -> Iterator[str]:
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

    def add(name: str, found: Interval, value: str, sign: str = "") -> None:
        inside = bounds(found, sign=sign)
        figures[name] = (value, [f"95 %: {inside}"] if inside else [])

    proposed = results["systems"].get("proposed", {"splits": {}})
    for split, name in SPLIT_NAMES.items():
        if found := proposed["splits"].get(split):
            balanced = found["sequences"]["balanced_accuracy"]
            clips = found["clips"]["accuracy"]
            add(f"proposed, {name}: sequences, balanced", balanced, percent(balanced.value))
            add(f"proposed, {name}: clips right", clips, percent(clips.value))
    if "overstated" in proposed:
        for key, unit in (("balanced", "sequences, balanced"), ("clips", "clips")):
            over = proposed["overstated"][key]
            add(f"the random split overstates proposed, {unit}", over, points(Interval(over.value)), "+")
    yield html.section("In short", html.tiles(figures))


def _table(table: Table, *wrap: str) -> str:
    """wrap: columns whose text may run over several lines; "*" for all. "" for a table without rows."""
    columns = table.columns if wrap == ("*",) else wrap
    return html.table(table.columns, table.rows, wrap=columns) if table.rows else ""


def _splits(results: Results) -> Iterator[str]:
    names = [f"ours, {name}" for name in SPLIT_NAMES.values()]
    charts = []
    for title, unit, figure in (
        ("Sequences right, balanced", "sequences", "balanced_accuracy"),
        ("Clips right", "clips", "accuracy"),
    ):
        rows = []
        for name, row in results["systems"].items():
            if row["splits"]:
                found = [row["splits"].get(split) for split in SPLIT_NAMES]
                ours = tuple(f and f[unit][figure] for f in found)
                published = paper.accuracies(name) if unit == "sequences" else None
                mark = published["accuracy"].paper / 100 if published else None
                rows.append(IntervalRow(row["short"], ours, mark))
        label = f"{title}, by system and split, with 95 % intervals"
        if chart := interval_chart(names, rows, label=label, mark_name="the paper"):
            charts.append(html.figure(title, chart))
    yield html.section(
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


def _overstated(results: Results) -> Iterator[str]:
    """How far the random split overstates the proposed network here, in one sentence."""
    row = results["systems"].get("proposed", {})
    if "overstated" in row and not results["quick"]:
        by_split = [row["splits"][split] for split in ("sequence", "group")]
        sequences = [found["sequences"]["balanced_accuracy"] for found in by_split]
        clips = [found["clips"]["accuracy"] for found in by_split]
        over = {key: points(row["overstated"][key]) for key in ("balanced", "clips")}
        yield html.paragraph(
            f"On these clips the proposed network gets {sequences[0]} of test sequences by the random split, both "
            f"classes weighing alike, and {sequences[1]} of new people's; of clips {clips[0]} and {clips[1]}. The "
            f"random split overstates it by {over['balanced']}, on clips by {over['clips']}."
        )


def _accuracies(results: Results) -> Iterator[str]:
    meanings = "; ".join(f"{row['short']}: {row['title']}" for row in results["systems"].values())
    yield html.section(
        "Accuracy, precision, recall, F1",
        html.paragraph(
            "Of test sequences; positive class biceps_curl, as in the paper. Plain accuracy leans on the class with "
            "more sequences: what always saying it would get stands below. A network with random weights is never "
            "evaluated.",
            "quiet",
        ),
        _table(tables.accuracy(results), "split"),
        html.paragraph(f"{meanings}.", "quiet"),
        _table(tables.tested_parts(results), "*"),
    )


def _rest_of_the_tables(results: Results) -> Iterator[str]:
    if stopping := _table(tables.stopping(results), "*"):
        yield html.section(
            "Where training stops",
            html.paragraph(
                "The paper's rule keeps the epoch whose validation loss is lowest and waits for five more. The last "
                "epoch shows how far the figures hang on that rule. One share of the validation part for each seed.",
                "quiet",
            ),
            stopping,
        )
    yield html.section(
        "Systems against each other",
        html.paragraph(
            "McNemar's exact test on distinct test clips, not on sequences. It takes clips as independent, which those "
            "of one group are not; the interval of the difference, by bootstrap over groups, does not. Frames or "
            "movement: a network that knows movement beats the controls, which see single frames, or frames in an "
            "order drawn by chance.",
            "quiet",
        ),
        _table(tables.pairs(results), "systems", "split") or html.paragraph("No two systems were evaluated."),
    )
    yield html.section(
        "Where the errors lie",
        html.paragraph(
            "The paper says that curls err more than squats, and that errors come from frames at rest between "
            "repetitions. At rest: by the time from a test window to the nearest peak (turning point, bottom or top) "
            "of a repetition, on clips whose repetitions are known. Shares are of sequences called something else."
        ),
        _table(tables.class_errors(results), "system", "split"),
        _table(tables.rest_errors(results), "*")
        or html.paragraph("The data set does not say when repetitions were at their peaks."),
    )
    yield html.section(
        "The paper, row by row",
        html.paragraph(
            "Reached: our figure is at least as good, or the same, by the paper's own split or convention. That says "
            "what its protocol allows on our clips; its clips are not published. What is copied from the paper is "
            "reached by copying."
        ),
        _table(tables.tallies(results)),
        _table(tables.verdict_rows(results), "in the paper", "what", "paper", "ours", "why, or how"),
    )


def _settings(results: Results) -> Iterator[str]:
    facts = {name: results[name] for name in ("settings", "machine", "versions", "configurations")}
    yield html.section("Settings", html.card(facts), folded=True)
