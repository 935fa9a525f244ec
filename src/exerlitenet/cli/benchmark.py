"""`exerlitenet benchmark`: speed and size of a model on this machine."""

from __future__ import annotations

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
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions: a few seconds.")] = False,
    model: ModelOption = None,
) -> None:
    """Measure speed and size of a model on this machine: one thread, rendered frames."""
    for path in (json_to, csv_to):
        check_writable(path)
    check_different(json_to, csv_to)
    from exerlitenet.benchmark import run_benchmark

    with bar("measuring") as told:
        result = run_benchmark(model, quick=quick, progress=told)
    out = console(quiet="-" in (json_to, csv_to))
    out.print(table_of(result))
    if json_to is not None:
        write_json(result.to_json(), json_to)
    if csv_to is not None:
        write_text(result.to_csv(), csv_to)


def table_of(result: Benchmark) -> Table:
    """One row per measure."""
    from rich.table import Table

    title = f"model {result.model}, {result.machine['processor']}, one thread"
    table = Table("measure", title=title, title_justify="left")
    for column in ("value", "10 to 90 %"):
        table.add_column(column, justify="right")
    table.add_column("unit")
    for measure in result.measures:
        spread = "" if measure.low is None else f"{measure.low:,.2f} to {measure.high:,.2f}"
        value = f"{measure.value:,.0f}" if measure.unit == "bytes" else f"{measure.value:,.2f}"
        table.add_row(measure.name, value, spread, measure.unit)
    return table
