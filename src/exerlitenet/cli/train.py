"""`exerlitenet train`: a data set and a configuration become a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exerlitenet.cli.options import (
    DatasetArgument,
    SetOption,
    check_dataset,
    load_keras,
    needs_training_extra,
)
from exerlitenet.cli.output import console
from exerlitenet.errors import InputError

if TYPE_CHECKING:
    from exerlitenet.progress import Progress


def train(
    dataset: DatasetArgument,
    config: Annotated[
        str, typer.Option("--config", metavar="paper|default|FILE.toml", help="What to train, and how.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="Folder of the run; it is made.")],
    changes: SetOption = None,
    weights: Annotated[
        str, typer.Option("--weights", metavar="imagenet|none|FILE", help="What the backbone starts from.")
    ] = "imagenet",
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds", metavar="N", help="Cross-validate in N folds by group, then learn from all clips."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a run that was stopped, from its last epoch.")
    ] = False,
) -> None:
    """Train a model. Stopped at any moment, it continues with --resume."""
    needs_training_extra()
    if folds is not None and folds < 2:
        raise InputError(f"--folds takes a number from 2 on, got {folds}")
    from exerlitenet.training.config import load_config
    from exerlitenet.training.registry import fit_run

    settings = load_config(config, changes or ())
    check_dataset(dataset)
    if weights not in ("imagenet", "none") and not Path(weights).is_file():
        raise InputError(f"--weights takes imagenet, none or a .weights.h5 file, found no file {weights}")
    first = None if weights == "none" else weights
    load_keras()
    shown = console()
    with progress_on_stderr() as progress:
        run = fit_run(
            dataset, settings, weights=first, out=out, resume=resume, progress=progress, folds=folds
        )
    shown.print(f"{run.folder}: {accuracies(run.metrics)}", soft_wrap=True)
    shown.print(f"report: {out / 'report.html'}", soft_wrap=True)
    split = run.split
    part = next((name for name in ("test", "validation") if split.clips_of(name)), "all")
    if folds is not None:
        part = "folds"
    shown.print(f"next: exerlitenet evaluate {out} {dataset} --part {part}", soft_wrap=True)
    shown.print(f"      exerlitenet export {out} --out MODEL", soft_wrap=True)


@contextmanager
def progress_on_stderr() -> Iterator[Progress]:
    """Bars on a terminal, lines elsewhere."""
    from exerlitenet.progress import Bars, Lines

    if sys.stderr.isatty():
        with Bars() as bars:
            yield bars
    else:
        yield Lines()


def accuracies(metrics: Mapping[str, Any]) -> str:
    """The accuracies of a run's parts in one line, such as "validation: sequences 93.0 %, clips 95.0 %"."""
    found = [
        f"{part}: " + ", ".join(f"{unit} {100 * value:.1f} %" for unit, value in figures.items())
        for part, figures in _figures(metrics).items()
        if figures
    ]
    return "; ".join(found) or "trained"


def _figures(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Part -> unit -> accuracy, as far as the metrics have them."""
    parts = dict(metrics.get("parts", {}))
    for key, name in (("left_out", "held out"), ("strangers", "unseen subjects")):
        if key in metrics:
            parts[name] = metrics[key]
    out: dict[str, dict[str, float]] = {}
    for part, units in parts.items():
        reports = units.get("judgements", units)
        out[part] = {
            unit: report["accuracy"]["value"]
            for unit, report in reports.items()
            if isinstance(report, dict) and report.get("accuracy", {}).get("value") is not None
        }
    return out
