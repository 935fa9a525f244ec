"""`exerlitenet benchmark`: speed, memory, size and operations of a model on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exerlitenet.cli.options import JsonOption, ModelOption
from exerlitenet.cli.output import bar, check_different, check_writable, console, write_json, write_text

if TYPE_CHECKING:
    from rich.table import Table

    from exerlitenet.benchmark import Benchmark


def benchmark(
    json_to: JsonOption = None,
    csv_to: Annotated[
        str | None, typer.Option("--csv", metavar="FILE|-", help="Write the measures as CSV, one a row.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Write the CSV into this folder, under the machine's processor and cores.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few repetitions: rough figures in under a minute.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PART", help="Measure this part alone; may be repeated."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="PEER",
            help="Measure this peer first, and no other: mediapipe, mediapipe-lite, keras-example; in a checkout.",
        ),
    ] = None,
    model: ModelOption = None,
) -> None:
    """Measure speed, memory and size on this machine, on rendered people; in a checkout also what others need."""
    from exerlitenet.benchmark.machine import file_name, machine

    named = None if out is None else out / file_name(machine())
    for path in (named, json_to, csv_to):
        check_writable(path)
    check_different(named, json_to, csv_to)
    from exerlitenet.benchmark import run_benchmark

    with bar("measuring") as on_progress:
        parts, peers = tuple(only or ()), tuple(against or ())
        result = run_benchmark(model, quick=quick, only=parts, against=peers, on_progress=on_progress)
    screen = console(quiet="-" in (json_to, csv_to))
    screen.print(table_of(result))
    for note in result.notes:
        screen.print(f"left out: {note}", soft_wrap=True)
    if json_to is not None:
        write_json(result.to_json(), json_to)
    if csv_to is not None:
        write_text(result.to_csv(), csv_to)
    if named is not None:
        write_text(result.to_csv(), named)
        screen.print(f"written: {named}", soft_wrap=True)


def table_of(result: Benchmark) -> Table:
    """One row per measure, part by part."""
    from rich.table import Table

    from exerlitenet.benchmark.measure import figure, spread

    machine = result.machine
    title = f"model {result.model}, {machine['processor']}, {machine['cores']} cores"
    table = Table("part", "measure", title=title, title_justify="left")
    for column in ("value", "10 to 90 %"):
        table.add_column(column, justify="right")
    table.add_column("unit")
    for part in result.parts:
        for k, measure in enumerate(result.of(part)):
            name = part if k == 0 else ""
            table.add_row(name, measure.name, figure(measure.value), spread(measure), measure.unit)
        table.add_section()
    return table
