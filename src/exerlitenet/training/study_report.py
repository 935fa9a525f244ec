"""The study as one HTML page that opens offline: the paper's tables and figures with ours beside them.

Made from the content of reproduction.json alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from exerlitenet.files import write_output
from exerlitenet.training import html
from exerlitenet.training import paper_figures as paper
from exerlitenet.training.metrics import Interval
from exerlitenet.training.study_charts import IntervalRow, interval_chart
from exerlitenet.training.study_figures import Results, confusions, curves, networks
from exerlitenet.training.study_results import interval
from exerlitenet.training.study_rows import PAIR_COLUMNS, SPLIT_NAMES, pair_rows, points

TITLE = "The paper's study, reproduced"
PARTS = {"biceps_curl": "curl", "squat": "squat"}


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
            accuracy = interval(found["sequences"]["accuracy"])
            remarks = [f"of {found['sequences']['items']} test sequences", _bounds(accuracy)]
            figures[f"proposed, {name}"] = (_percent(accuracy), remarks)
    if "overstated" in proposed:
        figures["the random split overstates by"] = (
            points(interval(proposed["overstated"])).split(" [")[0],
            [],
        )
    verdicts = [row["verdict"] for row in results["rows"]]
    figures["rows of the paper reached"] = (
        f"{verdicts.count('reached')} of {len(verdicts)}",
        [f"{verdicts.count(kind)} {kind}" for kind in ("not reached", "not to be had")],
    )
    yield html.section("In short", html.tiles(figures))


def _percent(found: Interval) -> str:
    return f"{found}".partition(" [")[0]


def _bounds(found: Interval) -> str:
    bounds = f"{found}".partition(" [")[2].rstrip("]")
    return f"95 %: {bounds.replace(', ', ' to ')}" if bounds else ""


def _rows(results: Results) -> str:
    keys = ("what", "where", "paper", "ours", "verdict", "why")
    return html.section(
        "The paper, row by row",
        html.table(
            ("what", "in the paper", "paper", "ours", "verdict", "why, or how"),
            [tuple(row[key] for key in keys) for row in results["rows"]],
            wrap=("what", "in the paper", "paper", "ours", "why, or how"),
        ),
    )


def _accuracies(results: Results) -> str:
    rows: list[tuple[Any, ...]] = []
    for name, row in results["systems"].items():
        published = paper.ACCURACY.get(name)
        if published:
            figures = (published.accuracy, published.precision, published.recall, published.f1)
            shown = [f"{value:.2f} %" for value in figures]
            rows.append((row["short"], "the paper's", *shown, None, str(published.best_epoch)))
        for split, found in row["splits"].items():
            judged = found["sequences"]
            positive = judged["positive"] or {}
            shares = [_percent(interval(positive.get(key))) for key in ("precision", "recall", "f1")]
            best = ", ".join(str(seed["best_epoch"]) for seed in found["seeds"])
            clips = f"{interval(found['clips']['accuracy'])} of {found['clips']['items']}"
            rows.append(
                (row["short"], SPLIT_NAMES[split], f"{interval(judged['accuracy'])}", *shares, clips, best)
            )
        if row["note"]:
            rows.append((row["short"], row["note"], *[None] * 6))
    meanings = "; ".join(f"{row['short']}: {row['title']}" for row in results["systems"].values())
    return html.section(
        "Accuracy, precision, recall, F1",
        html.paragraph(
            "Of test sequences; positive class biceps_curl, as in the paper. Clips: each distinct test clip once, "
            "by its mean probability. A network with random weights is never judged.",
            "quiet",
        ),
        html.table(
            ("system", "split", "accuracy", "precision", "recall", "F1", "clips right", "best epochs"),
            rows,
            wrap=("split",),
        ),
        html.paragraph(f"{meanings}.", "quiet"),
    )


def _splits(results: Results) -> str:
    judged = {name: row for name, row in results["systems"].items() if row["splits"]}
    chart = interval_chart(
        [f"ours, {name}" for name in SPLIT_NAMES.values()],
        [
            IntervalRow(
                row["short"],
                tuple(
                    interval(row["splits"][split]["sequences"]["accuracy"])
                    if split in row["splits"]
                    else None
                    for split in SPLIT_NAMES
                ),
                paper.ACCURACY[name].accuracy / 100 if name in paper.ACCURACY else None,
            )
            for name, row in judged.items()
        ],
        label="Accuracy of test sequences by system and split, with 95 % intervals",
    )
    rows = [
        (
            row["short"],
            *(_seeds(row["splits"].get(split)) for split in SPLIT_NAMES),
            points(interval(row["overstated"])) if "overstated" in row else None,
        )
        for row in judged.values()
    ]
    return html.section(
        "What a random split hides",
        html.paragraph(
            "The same sequences, divided in two ways. By the random split, sequences of one clip and person stand "
            "in training and in test; by group, test people and places are new. The paper's split is random, so "
            "its 92.08 % too can come from knowing the clips; it says nothing about new people."
        ),
        *_overstated(results),
        *([f"<figure><figcaption>Sequences right</figcaption>{chart}</figure>"] if chart else []),
        html.table(
            ("system", "random: mean of seeds", "by group: mean of seeds", "random less by group"),
            rows,
            wrap=("system", "split"),
        ),
        *(html.paragraph(words, "quiet") for words in results["statements"].values()),
    )


def _overstated(results: Results) -> Iterable[str]:
    """How far the random split overstates the proposed network here, in one sentence."""
    row = results["systems"].get("proposed", {})
    if "overstated" in row and not results["quick"]:
        random, group = (interval(row["splits"][s]["sequences"]["accuracy"]) for s in ("sequence", "group"))
        yield html.paragraph(
            f"On these clips the proposed network gets {random} of test sequences by the random split and {group} of "
            f"new people's: the random split overstates it by {points(interval(row['overstated']))}."
        )


def _seeds(found: Mapping[str, Any] | None) -> str | None:
    if found is None:
        return None
    each = ", ".join(f"{100 * seed['accuracy']:.1f}" for seed in found["seeds"])
    if found["deviation"] is None:
        return f"{100 * found['mean_accuracy']:.1f} %"
    return f"{100 * found['mean_accuracy']:.1f} ± {100 * found['deviation']:.1f} % ({each})"


def _pairs(results: Results) -> str:
    rows = pair_rows(results, SPLIT_NAMES)
    return html.section(
        "Systems against each other",
        html.paragraph(
            "McNemar's exact test on distinct test clips, not on sequences; the interval of the difference is by "
            "bootstrap over groups. Frames or movement: a network that knows movement beats the controls, which "
            "see single frames, or frames in an order drawn by chance.",
            "quiet",
        ),
        html.table(PAIR_COLUMNS, rows, wrap=("systems", "split"))
        if rows
        else html.paragraph("No two systems were judged."),
    )


def _errors(results: Results) -> str:
    classes, rest = [], []
    for row in results["systems"].values():
        for split, found in row["splits"].items():
            rates = found["errors"]
            if "curls_over_squats" in found:
                classes.append(
                    (
                        row["short"],
                        SPLIT_NAMES[split],
                        *(interval(rates[name]) for name in PARTS),
                        points(interval(found["curls_over_squats"])),
                    )
                )
            if found["rest"]["sequences"]:
                bins = [
                    f"{_percent(interval(r['error']))} of {r['sequences']}" for r in found["rest"]["rows"]
                ]
                rest.append(
                    (row["short"], SPLIT_NAMES[split], *bins, points(interval(found["rest"]["difference"])))
                )
    names = [r["distance"] for r in _first_rest(results)]
    last = "windows without a far end less those with one"
    return html.section(
        "Where the errors lie",
        html.paragraph(
            "The paper says that curls err more than squats, and that errors come from frames at rest between "
            "repetitions. At rest: by the time from a test window to the nearest far end (bottom or top) "
            "of a repetition, on clips whose repetitions are known. Shares are of sequences called something else."
        ),
        html.table(
            ("system", "split", "curls wrong", "squats wrong", "curls less squats"),
            classes,
            wrap=("system", "split"),
        )
        if classes
        else "",
        html.table(("system", "split", *names, last), rest, wrap=("system", "split", *names, last))
        if rest
        else html.paragraph("The data set does not say when repetitions were at their far ends."),
    )


def _first_rest(results: Results) -> list[Mapping[str, Any]]:
    for row in results["systems"].values():
        for found in row["splits"].values():
            return list(found["rest"]["rows"])
    return []


def _settings(results: Results) -> str:
    facts = {
        "settings": results["settings"],
        "machine": results["machine"],
        "versions": results["versions"],
        "configurations": results["configurations"],
    }
    return html.section("Settings", html.card(facts), folded=True)
