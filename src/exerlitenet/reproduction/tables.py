"""Tables of a finished study, for its page and for the documents alike, from the content of reproduction.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exerlitenet.evaluation.metrics import Interval
from exerlitenet.pages.text import percent, points
from exerlitenet.reproduction import paper
from exerlitenet.reproduction.systems import SPLIT_NAMES
from exerlitenet.reproduction.verdicts import tally

FIGURES = ("accuracy", "precision", "recall", "F1", "best epoch")

Results = Mapping[str, Any]
"""Content of reproduction.json, after `with_intervals`."""


@dataclass(frozen=True)
class Table:
    """columns: names. rows: one cell a column; None where there is nothing."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def splits(results: Results) -> Table:
    """What a random split hides: sequences with both classes weighing alike, and clips, by either split."""
    rows: list[tuple[Any, ...]] = []
    for name, row in results["systems"].items():
        if not row["splits"]:
            continue
        published = paper.accuracies(name)
        over = row.get("overstated", {})
        cells: list[Any] = [
            row["short"],
            published and published["accuracy"].shown(published["accuracy"].paper),
        ]
        for unit, figure, key in (
            ("sequences", "balanced_accuracy", "balanced"),
            ("clips", "accuracy", "clips"),
        ):
            found = [row["splits"].get(split) for split in SPLIT_NAMES]
            cells += [None if f is None else str(f[unit][figure]) for f in found]
            cells.append(points(over[key]) if key in over else None)
        rows.append(tuple(cells))
    if tested := results["tested"]:
        always = [percent(tested[s]["always"]["clips"]) if s in tested else None for s in SPLIT_NAMES]
        rows.append(("always the commoner class", None, "50.0 %", "50.0 %", None, *always, None))
    columns = (
        *("system", "the paper's", "sequences, random split", "sequences, new people", "difference"),
        *("clips, random split", "clips, new people", "clips, difference"),
    )
    return Table(columns, tuple(rows))


def tested_parts(results: Results) -> Table:
    """What the test parts hold."""

    def counts(found: Mapping[str, int]) -> str:
        return ", ".join(f"{n:,} {name}" for name, n in found.items())

    rows = []
    for split, found in results["tested"].items():
        always = found["always"]
        largest = f"{percent(found['largest_group'], 0)} of sequences"
        shown = f"{percent(always['sequences'])} of sequences ({always['class']})"
        sequences, clips = counts(found["sequences"]), counts(found["clips"])
        cells = (
            SPLIT_NAMES[split],
            sequences,
            clips,
            found["groups"],
            largest,
            shown,
            percent(always["clips"]),
        )
        rows.append(cells)
    columns = ("split", "sequences", "clips", "groups", "largest group", "always the commoner class")
    return Table((*columns, "the same, clips"), tuple(rows))


def accuracy(results: Results) -> Table:
    """The paper's measures: of test sequences, positive class biceps_curl."""
    rows: list[tuple[Any, ...]] = []
    for name, row in results["systems"].items():
        if published := paper.accuracies(name):
            shown = (published[figure].shown(published[figure].paper) for figure in FIGURES)
            rows.append((row["short"], "the paper's", *shown))
        for split, found in row["splits"].items():
            positive = found["sequences"]["positive"] or {}
            scores = (_value(positive.get(key)) for key in ("precision", "recall", "f1"))
            share = f"{found['sequences']['accuracy']}"
            rows.append((row["short"], SPLIT_NAMES[split], share, *scores, _seeds(found, "best_epoch")))
        if row["note"]:
            rows.append((row["short"], row["note"], *[None] * 5))
    for split, found in results["tested"].items():
        always = found["always"]
        rows.append(
            (f"always {always['class']}", SPLIT_NAMES[split], percent(always["sequences"]), *[None] * 4)
        )
    return Table(("system", "split", *FIGURES[:-1], "best epochs"), tuple(rows))


def stopping(results: Results) -> Table:
    """What early stopping chose, and what the last epoch would have been."""
    rows = tuple(
        (
            *names,
            f"{_seeds(found, 'best_epoch')} / {_seeds(found, 'epochs')}",
            _shares(found, "validation_at_best"),
            _shares(found, "validation_highest"),
            f"{found['sequences']['balanced_accuracy']}",
            f"{found['last']['balanced']}",
        )
        for names, found in _each(results)
        if "last" in found
    )
    columns = ("system", "split", "best epochs / epochs run", "validation accuracy, best epoch")
    more = ("highest of any epoch", "test sequences, balanced, best epoch", "last epoch")
    return Table((*columns, *more), rows)


def pairs(results: Results) -> Table:
    """Systems against each other on clips."""
    short = {name: row["short"] for name, row in results["systems"].items()}
    rows = tuple(
        (
            f"{short[pair['first']]} against {short[pair['second']]}",
            SPLIT_NAMES[pair["split"]],
            *(pair[key] for key in ("clips", "only_first", "only_second")),
            f"{pair['p_value']:.3g}",
            points(pair["difference"]),
        )
        for pair in results["pairs"]
    )
    columns = ("systems", "split", "clips", "only first right", "only second right", "p", "difference")
    return Table(columns, rows)


def class_errors(results: Results) -> Table:
    """Errors of curls and squats."""
    rows = tuple(
        (
            *names,
            *(_value(found["errors"].get(name)) for name in ("biceps_curl", "squat")),
            points(found["curls_over_squats"]),
        )
        for names, found in _each(results)
        if "curls_over_squats" in found
    )
    return Table(("system", "split", "curls wrong", "squats wrong", "curls less squats"), rows)


def rest_errors(results: Results) -> Table:
    """Errors by the time from a window to the nearest peak of a repetition."""
    known = [(names, found["rest"]) for names, found in _each(results) if found["rest"]["sequences"]]
    rows = []
    for names, rest in known:
        bins = (f"{_value(row['error'])} of {row['sequences']}" for row in rest["rows"])
        rows.append((*names, rest["errors"], *bins, points(rest["difference"])))
    distances = (row["distance"] for row in known[0][1]["rows"]) if known else ()
    columns = ("system", "split", "errors", *distances, "no peak in the window less one in it")
    return Table(columns, tuple(rows))


def networks(results: Results) -> Table:
    """Size, operations and speed: a network a column, since there are more figures than networks."""
    found = results["networks"]
    figures: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "parameters": lambda n: f"{n['total_parameters']:,}",
        "trainable, first phase": lambda n: f"{n['parameters']['trainable_before']:,}",
        "trainable, last phase": lambda n: f"{n['parameters']['trainable_after']:,}",
        "weights": lambda n: f"{n['size']['weights_bytes'] / 1e6:.1f} MB",
        "with optimizer state, first phase": lambda n: f"{n['size']['checkpoint_bytes_before'] / 1e6:.1f} MB",
        "with optimizer state, last phase": lambda n: f"{n['size']['checkpoint_bytes_after'] / 1e6:.1f} MB",
        "GMAC a frame": lambda n: f"{n['macs']['frame'] / 1e9:.3f}",
        "GFLOPs a frame": lambda n: f"{2 * n['macs']['frame'] / 1e9:.3f}",
        "GMAC a sequence": lambda n: f"{n['macs']['sequence'] / 1e9:.2f}",
        "GFLOPs a sequence": lambda n: f"{n['flops_sequence'] / 1e9:.2f}",
        "forward pass of a sequence": lambda n: "{value:.2f} s ({low:.2f} to {high:.2f})".format(
            **n["forward_s"]
        ),
    }
    rows = tuple((name, *(show(n) for n in found.values())) for name, show in figures.items())
    return Table(("", *found), rows)


def verdict_rows(results: Results) -> Table:
    """The paper, row by row."""
    keys = ("where", "what", "paper", "ours", "verdict", "why")
    rows = tuple(tuple(row[key] or None for key in keys) for row in results["rows"])
    return Table(("in the paper", "what", "paper", "ours", "verdict", "why, or how"), rows)


def tallies(results: Results) -> Table:
    """How many rows of the paper are reached, each kind for itself."""
    columns = ("rows about", "rows", "reached", "not reached", "not to be had")
    return Table(columns, tuple(tally(results["rows"])))


def _each(results: Results) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """(system, split) as shown, and the system's figures on that split."""
    for row in results["systems"].values():
        for split, found in row["splits"].items():
            yield (row["short"], SPLIT_NAMES[split]), found


def _value(found: Interval | None) -> str:
    """A share without its interval."""
    return percent(None if found is None else found.value)


def _seeds(found: Mapping[str, Any], key: str) -> str:
    return ", ".join(str(seed[key]) for seed in found["seeds"])


def _shares(found: Mapping[str, Any], key: str) -> str | None:
    known = [seed[key] for seed in found["seeds"] if key in seed]
    return ", ".join(f"{100 * value:.0f}" for value in known) + " %" if known else None
