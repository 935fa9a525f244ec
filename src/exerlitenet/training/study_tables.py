"""Tables of a finished study for the documents, from results/reproduction.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from exerlitenet.errors import InputError
from exerlitenet.training import paper_figures as paper
from exerlitenet.training.documents import Source, markdown
from exerlitenet.training.study_results import interval
from exerlitenet.training.study_rows import PAIR_COLUMNS, pair_rows, points

Results = Mapping[str, Any]

SPLITS = {"sequence": "random", "group": "by group"}


def load_study(paths: Sequence[Path]) -> Results:
    """The figures of a study. Raises InputError for a file that is no finished study."""
    [path] = paths
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise InputError(f"{path} cannot be read as JSON: {fault}") from fault
    if data.get("quick"):
        raise InputError(f"{path} is of a quick study, whose figures mean nothing; run it in full")
    results: Results = data
    return results


def _accuracy(results: Results) -> str:
    rows: list[list[Any]] = []
    for name, row in results["systems"].items():
        published = paper.ACCURACY.get(name)
        if published is not None:
            figures = (published.accuracy, published.precision, published.recall, published.f1)
            rows.append(
                [
                    row["short"],
                    "the paper's",
                    *(f"{value:.2f} %" for value in figures),
                    None,
                    published.best_epoch,
                ]
            )
        for split, found in row["splits"].items():
            judged, positive = found["sequences"], found["sequences"]["positive"] or {}
            rows.append(
                [
                    row["short"],
                    SPLITS[split],
                    interval(judged["accuracy"]),
                    *(_percent(positive.get(key)) for key in ("precision", "recall", "f1")),
                    f"{interval(found['clips']['accuracy'])} of {found['clips']['items']}",
                    ", ".join(str(seed["best_epoch"]) for seed in found["seeds"]),
                ]
            )
        if row["note"]:
            rows.append([row["short"], row["note"], *[None] * 6])
    columns = ("system", "split", "sequences right", "precision", "recall", "F1", "clips right", "best epoch")
    return markdown(columns, rows)


def _percent(data: Mapping[str, Any] | None) -> str:
    return f"{interval(data)}".partition(" [")[0]


def _splits(results: Results) -> str:
    rows = []
    for name, row in results["systems"].items():
        if not row["splits"]:
            continue
        published = paper.ACCURACY.get(name)
        rows.append(
            [
                row["short"],
                None if published is None else f"{published.accuracy:.2f} %",
                *(_mean(row["splits"].get(split)) for split in SPLITS),
                points(interval(row["overstated"])) if "overstated" in row else None,
            ]
        )
    columns = ("system", "the paper's", "random split", "split by group", "random less by group")
    return markdown(columns, rows)


def _mean(found: Mapping[str, Any] | None) -> str | None:
    if found is None:
        return None
    mean = f"{100 * found['mean_accuracy']:.1f}"
    return f"{mean} %" if found["deviation"] is None else f"{mean} ± {100 * found['deviation']:.1f} %"


def _pairs(results: Results) -> str:
    return markdown(PAIR_COLUMNS, pair_rows(results, SPLITS))


def _errors(results: Results) -> str:
    rows = []
    for row in results["systems"].values():
        for split, found in row["splits"].items():
            rows.append(
                [
                    row["short"],
                    SPLITS[split],
                    *(_percent(found["errors"].get(name)) for name in ("biceps_curl", "squat")),
                    points(interval(found.get("curls_over_squats"))),
                    points(interval(found["rest"]["difference"])),
                ]
            )
    columns = ("system", "split", "curls wrong", "squats wrong", "curls less squats", "at rest less moving")
    return markdown(columns, rows)


def _rows(results: Results) -> str:
    keys = ("where", "what", "paper", "ours", "verdict", "why")
    rows = [[row[key] or None for key in keys] for row in results["rows"]]
    return markdown(("in the paper", "what", "paper", "ours", "verdict", "why, or how"), rows)


def _networks(results: Results) -> str:
    rows = []
    for name, network in results["networks"].items():
        size, macs = network["size"], network["macs"]
        rows.append(
            [
                name,
                f"{network['total_parameters']:,}",
                f"{size['weights_bytes'] / 1e6:.1f} MB",
                f"{size['checkpoint_bytes_before'] / 1e6:.1f} / {size['checkpoint_bytes_after'] / 1e6:.1f} MB",
                f"{macs['frame'] / 1e9:.3f} / {2 * macs['frame'] / 1e9:.3f}",
                f"{macs['sequence'] / 1e9:.2f}",
                f"{network['flops_sequence'] / 1e9:.2f}",
                f"{network['forward_s']['value']:.2f} s",
            ]
        )
    columns = (
        *("network", "parameters", "weights", "with optimizer state, first / last phase"),
        *("GMAC / GFLOPs a frame", "GMAC a sequence", "GFLOPs a sequence", "forward pass"),
    )
    return markdown(columns, rows)


TABLES: dict[str, Callable[[Results], str]] = {
    "accuracy": _accuracy,
    "splits": _splits,
    "pairs": _pairs,
    "errors": _errors,
    "rows": _rows,
    "networks": _networks,
}

STUDY = Source("reproduction.json", load_study, TABLES)
