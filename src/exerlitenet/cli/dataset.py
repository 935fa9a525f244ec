"""`exerlitenet dataset`: what a data set holds, and everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exerlitenet.cli.options import JsonOption
from exerlitenet.cli.output import bar, check_writable, complain, console, write_json


def dataset(
    dataset: Annotated[
        Path, typer.Argument(metavar="FOLDER|CSV", help="A folder with one sub-folder per class, or a CSV.")
    ],
    json_to: JsonOption = None,
) -> None:
    """Show a data set: clips, seconds, classes, people, faults.

    Exit status 2 when there are faults; training leaves those clips out.
    """
    check_writable(json_to, [dataset])
    from exerlitenet.datasets.manifest import describe, read_manifest

    with bar("looking at clips") as told:
        manifest = read_manifest(dataset, may_be_empty=True, progress=told)
    console(quiet=json_to == "-").print(describe(manifest))
    if json_to is not None:
        write_json(manifest.to_json(), json_to)
    if manifest.faults:
        first = manifest.faults[0]
        complain(f"{dataset}: faults: {len(manifest.faults)}; the first: {first.file}: {first.problem}")
        raise typer.Exit(2)
