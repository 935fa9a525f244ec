"""`exerlitenet dataset`: what a data set holds, and everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exerlitenet.cli.options import JsonOption
from exerlitenet.cli.output import bar, check_writable, complain, console, write_json

if TYPE_CHECKING:
    from rich.console import Group

    from exerlitenet.datasets.manifest import Manifest


def dataset(
    dataset: Annotated[
        Path, typer.Argument(metavar="FOLDER|CSV", help="A folder with one sub-folder per class, or a CSV.")
    ],
    json_to: JsonOption = None,
) -> None:
    """Show a data set: clips, seconds, classes, people, faults.

    Exit status 2 when there are faults; training does not use those clips.
    """
    check_writable(json_to, [dataset])
    from exerlitenet.datasets.manifest import read_manifest

    with bar("inspecting clips") as on_progress:
        manifest = read_manifest(dataset, may_be_empty=True, on_progress=on_progress)
    console(quiet=json_to == "-").print(describe(manifest))
    if json_to is not None:
        write_json(manifest.to_json(), json_to)
    if manifest.faults:
        first = manifest.faults[0]
        complain(f"{dataset}: faults: {len(manifest.faults)}; the first: {first.file}: {first.problem}")
        raise typer.Exit(2)


def describe(manifest: Manifest) -> Group:
    """What `exerlitenet dataset` prints: a table of the classes, remarks, and every fault in one table."""
    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

    facts = manifest.to_json()
    table = Table(title=f"{facts['clips']} usable clips in {manifest.root}", title_justify="left")
    table.add_column("class")
    for column in ("clips", "minutes", "people", "groups", "repetitions"):
        table.add_column(column, justify="right")
    for name, row in [*facts["classes"].items(), ("all", facts)]:
        table.add_row(
            Text(name),
            str(row["clips"]),
            f"{row['seconds'] / 60:.1f}",
            str(row["people"]) if row["people"] else "-",
            str(row["groups"]),
            str(row["repetitions"]) if row["clips_with_repetitions_counted"] else "-",
        )
    parts: list[RenderableType] = [table]
    if largest := facts["largest_groups"]:
        share = sum(row["share"] for row in largest)
        names = ", ".join(f"{row['group']} {row['clips']}" for row in largest)
        parts.append(
            Text(f"The {len(largest)} largest groups hold {100 * share:.0f} % of the clips: {names}.")
        )
    if manifest.left_out:
        shown = ", ".join(f"{name} {count}" for name, count in manifest.left_out.items())
        parts.append(Text(f"Not used, since these classes were not asked for: {shown}."))
    several = facts["people_in_several_groups"]
    if several:
        parts.append(
            Text(f"In more than one group: {', '.join(several)}. Put a person's clips in one group.")
        )
    if manifest.faults:
        faults = Table(title=f"{len(manifest.faults)} faults; these are not used", title_justify="left")
        faults.add_column("file", overflow="fold")
        faults.add_column("what is wrong", overflow="fold")
        for fault in manifest.faults:
            faults.add_row(Text(fault.file), Text(fault.problem))
        parts.append(faults)
    else:
        parts.append(Text("No faults."))
    return Group(*parts)
