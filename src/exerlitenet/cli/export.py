"""`exerlitenet export`: a run becomes a model that needs no Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exerlitenet.cli.options import load_keras, needs_training_extra
from exerlitenet.cli.output import console


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished training run.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the model; it is made.")],
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Store the large matrices in 8 bits; evaluate it before you use it."),
    ] = False,
) -> None:
    """Turn a training run into a model: two ONNX graphs and a card, checked against Keras."""
    needs_training_extra()
    from exerlitenet.export.export import check_free
    from exerlitenet.training.registry import export_run
    from exerlitenet.training.run import Run

    Run.open(run)
    check_free(out)
    load_keras()
    report = export_run(run, out, int8=int8)
    shown = console()
    for line in report.lines():
        shown.print(line, soft_wrap=True)
    shown.print(f"next: exerlitenet recognize VIDEO --model {out}", soft_wrap=True)
