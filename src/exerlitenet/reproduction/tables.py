"""Tables of a finished study, for its page and for the documents alike, from the content of reproduction.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exerlitenet.errors import InputError
from exerlitenet.evaluation.metrics import Interval
from exerlitenet.pages.markdown import Source, markdown, read_object
from exerlitenet.reproduction import paper
from exerlitenet.reproduction.results import FORMAT
from exerlitenet.reproduction.rows import SPLIT_NAMES, points, tally

Results = Mapping[str, Any]
"""Content of reproduction.json."""


@dataclass(frozen=True)
class Table:
    """columns: names. rows: one cell a column; None where there is nothing."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def splits(results: Results) -> Table:
    """What a random split hides: sequences with both classes weighing alike, and clips, by either split."""
    rows: list[tuple[Any, ...]] = []
    for name, row in _judged(results):
        published = paper.ACCURACY.get(name)
        over = row.get("overstated", {})
        cells: list[Any] = [row["short"], None if published is None else f"{published.accuracy:.2f} %"]
        for unit, figure in (("sequences", "balanced_accuracy"), ("clips", "accuracy")):
            found = [row["splits"].get(split) for split in SPLIT_NAMES]
            cells += [None if f is None else f"{Interval.from_json(f[unit][figure])}" for f in found]
            less = over.get("balanced" if unit == "sequences" else "clips")
            cells.append(points(Interval.from_json(less)) if less else None)
        rows.append(tuple(cells))
    if tested := results["tested"]:
        always = [f"{Interval(tested[s]['always']['clips'])}" if s in tested else None for s in SPLIT_NAMES]
        rows.append(("always the commoner class", None, "50.0 %", "50.0 %", None, *always, None))
    columns = (
        *("system", "the paper's", "sequences, random split", "sequences, new people", "difference"),
        *("clips, random split", "clips, new people", "clips, difference"),
    )
    return Table(columns, tuple(rows))


def tested_parts(results: Results) -> Table:
    """What the test parts hold."""
    columns = (
        *("split", "sequences", "clips", "groups", "largest group", "always the commoner class"),
        "the same, clips",
    )
    rows = tuple(
        (
            SPLIT_NAMES[split],
            _counts(found["sequences"]),
            _counts(found["clips"]),
            found["groups"],
            f"{100 * found['largest_group']:.0f} % of sequences",
            f"{Interval(found['always']['sequences'])} of sequences ({found['always']['class']})",
            f"{Interval(found['always']['clips'])}",
        )
        for split, found in results["tested"].items()
    )
    return Table(columns, rows)


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in found.items())


def accuracy(results: Results) -> Table:
    """The paper's measures: of test sequences, positive class biceps_curl."""
    rows: list[tuple[Any, ...]] = []
    for name, row in results["systems"].items():
        published = paper.ACCURACY.get(name)
        if published is not None:
            figures = (published.accuracy, published.precision, published.recall, published.f1)
            shown = [f"{value:.2f} %" for value in figures]
            rows.append((row["short"], "the paper's", *shown, str(published.best_epoch)))
        for split, found in row["splits"].items():
            judged, positive = found["sequences"], found["sequences"]["positive"] or {}
            rows.append(
                (
                    row["short"],
                    SPLIT_NAMES[split],
                    f"{Interval.from_json(judged['accuracy'])}",
                    *(value_of(positive.get(key)) for key in ("precision", "recall", "f1")),
                    _seeds(found, "best_epoch"),
                )
            )
        if row["note"]:
            rows.append((row["short"], row["note"], *[None] * 5))
    for split, found in results["tested"].items():
        always = f"always {found['always']['class']}"
        rows.append((always, SPLIT_NAMES[split], f"{Interval(found['always']['sequences'])}", *[None] * 4))
    return Table(
        ("system", "split", "accuracy", "precision", "recall", "F1", "best epochs"),
        tuple(rows),
    )


def stopping(results: Results) -> Table:
    """What early stopping chose, and what the last epoch would have been."""
    rows = []
    for _, row in _judged(results):
        for split, found in row["splits"].items():
            if "last" not in found:
                continue
            rows.append(
                (
                    row["short"],
                    SPLIT_NAMES[split],
                    " / ".join((_seeds(found, "best_epoch"), _seeds(found, "epochs"))),
                    _shares(found, "validation_at_best"),
                    _shares(found, "validation_highest"),
                    f"{Interval.from_json(found['sequences']['balanced_accuracy'])}",
                    f"{Interval.from_json(found['last']['balanced'])}",
                )
            )
    columns = (
        *(
            "system",
            "split",
            "best epochs / epochs run",
            "validation accuracy, best epoch",
            "highest of any epoch",
        ),
        *("test sequences, balanced, best epoch", "last epoch"),
    )
    return Table(columns, tuple(rows))


def pairs(results: Results) -> Table:
    """Systems against each other on clips."""
    systems = results["systems"]
    rows = tuple(
        (
            f"{systems[pair['first']]['short']} against {systems[pair['second']]['short']}",
            SPLIT_NAMES[pair["split"]],
            pair["clips"],
            pair["only_first"],
            pair["only_second"],
            f"{pair['p_value']:.3g}",
            points(Interval.from_json(pair["difference"])),
        )
        for pair in results["pairs"]
    )
    columns = ("systems", "split", "clips", "only first right", "only second right", "p", "difference")
    return Table(columns, rows)


def class_errors(results: Results) -> Table:
    """Errors of curls and squats."""
    rows = tuple(
        (
            row["short"],
            SPLIT_NAMES[split],
            *(value_of(found["errors"].get(name)) for name in ("biceps_curl", "squat")),
            points(Interval.from_json(found["curls_over_squats"])),
        )
        for _, row in _judged(results)
        for split, found in row["splits"].items()
        if "curls_over_squats" in found
    )
    return Table(("system", "split", "curls wrong", "squats wrong", "curls less squats"), rows)


def rest_errors(results: Results) -> Table:
    """Errors by the time from a window to the nearest far end of a repetition."""
    rows = []
    names: list[str] = []
    for _, row in _judged(results):
        for split, found in row["splits"].items():
            rest = found["rest"]
            if not rest["sequences"]:
                continue
            names = [r["distance"] for r in rest["rows"]]
            bins = [f"{value_of(r['error'])} of {r['sequences']}" for r in rest["rows"]]
            cells = (row["short"], SPLIT_NAMES[split], rest["errors"], *bins)
            rows.append((*cells, points(Interval.from_json(rest["difference"]))))
    return Table(
        ("system", "split", "errors", *names, "no far end in the window less one in it"), tuple(rows)
    )


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
        "forward pass of a sequence": lambda n: _seconds(n["forward_s"]),
    }
    rows = tuple((name, *(show(n) for n in found.values())) for name, show in figures.items())
    return Table(("", *found), rows)


def _seconds(taken: Mapping[str, float]) -> str:
    return f"{taken['value']:.2f} s ({taken['low']:.2f} to {taken['high']:.2f})"


def verdict_rows(results: Results) -> Table:
    """The paper, row by row."""
    keys = ("where", "what", "paper", "ours", "verdict", "why")
    rows = tuple(tuple(row[key] or None for key in keys) for row in results["rows"])
    return Table(("in the paper", "what", "paper", "ours", "verdict", "why, or how"), rows)


def tallies(results: Results) -> Table:
    """How many rows of the paper are reached, each kind for itself."""
    columns = ("rows about", "rows", "reached", "not reached", "not to be had")
    return Table(columns, tuple(tally(results["rows"])))


def _judged(results: Results) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, row) for name, row in results["systems"].items() if row["splits"]]


def value_of(data: Mapping[str, Any] | None) -> str:
    """A share without its interval."""
    return f"{Interval(Interval.from_json(data).value)}"


def _seeds(found: Mapping[str, Any], key: str) -> str:
    return ", ".join(str(seed[key]) for seed in found["seeds"])


def _shares(found: Mapping[str, Any], key: str) -> str | None:
    known = [seed[key] for seed in found["seeds"] if key in seed]
    return ", ".join(f"{100 * value:.0f}" for value in known) + " %" if known else None


TABLES: dict[str, Callable[[Results], Table]] = {
    "splits": splits,
    "tested": tested_parts,
    "accuracy": accuracy,
    "stopping": stopping,
    "pairs": pairs,
    "errors": class_errors,
    "rest": rest_errors,
    "rows": verdict_rows,
    "tally": tallies,
    "networks": networks,
}


def load_study(paths: Sequence[Path]) -> Results:
    """The figures of a study. Raises InputError for a file that is no finished study of this format."""
    [path] = paths
    data = read_object(path)
    if data.get("quick"):
        raise InputError(f"{path} is of a quick study, whose figures mean nothing; run it in full")
    if data.get("format") != FORMAT:
        raise InputError(
            f"{path} must be a study of format {FORMAT}, got {data.get('format')!r}; "
            "write it anew by `exerlitenet reproduce ... --resume`"
        )
    return data


def _written(table: Callable[[Results], Table]) -> Callable[[Results], str]:
    def write(results: Results) -> str:
        found = table(results)
        return markdown(found.columns, found.rows)

    return write


STUDY = Source("reproduction.json", load_study, {name: _written(table) for name, table in TABLES.items()})
