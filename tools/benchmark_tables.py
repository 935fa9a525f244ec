"""Tables of benchmarks for the documents, a column a machine, from results/benchmark-*.csv."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from documents import Source
from exerlitenet.benchmark.measure import Benchmark
from exerlitenet.benchmark.run import PARTS
from exerlitenet.benchmark.tables import title_of, with_unit
from exerlitenet.benchmark.targets import TARGETS, Target
from exerlitenet.errors import InputError
from exerlitenet.pages.markdown import markdown


def load_benchmarks(paths: Sequence[Path]) -> list[Benchmark]:
    """Benchmarks of several machines. Raises InputError for a file that is no benchmark or was quick."""
    found = []
    for path in paths:
        try:
            result = Benchmark.from_csv(path.read_text("utf-8"))
        except (OSError, ValueError, InputError) as fault:
            raise InputError(f"{path}: {fault}") from fault
        if result.quick:
            raise InputError(f"{path} was measured with --quick, so its figures are rough; run it in full")
        found.append(result)
    return found


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
