"""Tables of benchmarks for the documents, a column a machine, from results/benchmark-*.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmark_targets import TARGETS, Target
from documents import Source
from exerlitenet.benchmark.measure import COLUMNS, Benchmark, Measure, figure, spread
from exerlitenet.benchmark.run import PARTS
from exerlitenet.errors import InputError
from markdown_table import markdown


def load_benchmarks(paths: Sequence[Path]) -> list[Benchmark]:
    """Benchmarks of several machines. Raises InputError for a file that is no benchmark or was quick."""
    found = []
    for path in paths:
        try:
            result = benchmark_of_csv(path.read_text("utf-8"))
        except (OSError, ValueError, InputError) as fault:
            raise InputError(f"{path}: {fault}") from fault
        if result.quick:
            raise InputError(f"{path} was measured with --quick, so its figures are rough; run it in full")
        found.append(result)
    return found


def benchmark_of_csv(text: str) -> Benchmark:
    """The reverse of `Benchmark.to_csv`. Raises InputError for anything else."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise InputError(f"a benchmark is a CSV with the columns {', '.join(COLUMNS)}; write it anew")
    run: dict[str, str] = {}
    machine: dict[str, str] = {}
    measures, notes = [], []
    for row in reader:
        if row["part"] in ("run", "machine"):
            (run if row["part"] == "run" else machine)[row["name"]] = row["text"]
        elif row["part"] == "note":
            notes.append(row["text"])
        else:
            measures.append(_measure(row, reader.line_num))
    if "model" not in run or "quick" not in run:
        raise InputError("a benchmark's CSV says its model and whether it was quick; write it anew")
    return Benchmark(run["model"], machine, tuple(measures), tuple(notes), run["quick"] == "yes")


def _measure(row: Mapping[str, str], line: int) -> Measure:
    try:
        low, high = (float(row[key]) if row[key] else None for key in ("low", "high"))
        return Measure(
            row["name"], float(row["value"]), row["unit"], low, high, int(row["repetitions"]), row["part"]
        )
    except (TypeError, ValueError) as fault:
        raise InputError(
            f"line {line} of the benchmark's CSV is no measure: {fault}; write it anew"
        ) from fault


def with_unit(measure: Measure) -> str:
    """Value, unit and spread."""
    unit = "" if measure.unit == "ratio" else f" {measure.unit}"
    varies = spread(measure)
    return f"{figure(measure.value)}{unit}{f' ({varies})' if varies else ''}"


def title_of(result: Benchmark) -> str:
    """The machine in short."""
    cores = result.machine["cores"]
    return f"{result.machine['processor']}, {cores} core{'' if cores == '1' else 's'}"


def _part(part: str, results: Sequence[Benchmark]) -> str:
    """Measures of a part, a row each, in the order of the first machine that has them."""
    names = dict.fromkeys(measure.name for result in results for measure in result.of(part))
    rows = [[name, *(_cell(result, part, name) for result in results)] for name in names]
    return markdown(("measure", *map(title_of, results)), rows)


def _cell(result: Benchmark, part: str, name: str) -> str | None:
    measure = next((m for m in result.of(part) if m.name == name), None)
    return None if measure is None else with_unit(measure)


def _targets(results: Sequence[Benchmark]) -> str:
    rows = [
        [target.name, str(target), *(_verdict(result, target) for result in results)] for target in TARGETS
    ]
    return markdown(("measure", "target", *map(title_of, results)), rows)


def _verdict(result: Benchmark, target: Target) -> str:
    measure = result.find(target.measure)
    return "not measured" if measure is None else f"{target.verdict(measure)}: {with_unit(measure)}"


def _machines(results: Sequence[Benchmark]) -> str:
    keys = dict.fromkeys(key for result in results for key in result.machine)
    rows = [["model", *(result.model for result in results)]]
    rows += [[key, *(result.machine.get(key, "-") for result in results)] for key in keys]
    notes = max((len(result.notes) for result in results), default=0)
    for k in range(notes):
        rows.append(["left out", *(r.notes[k] if k < len(r.notes) else "-" for r in results)])
    return markdown(("", *map(title_of, results)), rows)


TABLES: dict[str, Callable[[Sequence[Benchmark]], str]] = {
    "targets": _targets,
    "machines": _machines,
    **{part: partial(_part, part) for part in PARTS},
}

BENCHMARK = Source("benchmark-*.csv", load_benchmarks, TABLES)
"""Every machine whose figures are kept is a column."""
