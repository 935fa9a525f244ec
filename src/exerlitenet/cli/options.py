"""Options that several verbs share, and what some of them need."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from exerlitenet.errors import InputError

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="DIR",
        help="Folder of the model; by default the one that ships.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE|-", help="Write the results as JSON; - is standard output."),
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page that opens offline.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change one value of the configuration; may be repeated."
    ),
]


def needs_training_extra() -> None:
    """Raises InputError where Keras is not installed."""
    if find_spec("keras") is None:
        raise InputError("this command needs the training extra: pip install 'exerlitenet[train]'")


def load_keras() -> None:
    """Imports Keras, which takes seconds: after everything that can be checked without it."""
    needs_training_extra()
    from exerlitenet.training.keras import import_keras

    import_keras()
