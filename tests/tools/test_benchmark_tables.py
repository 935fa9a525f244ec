"""Tables of documents from the CSV files of one machine or several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark_tables import BENCHMARK, benchmark_of_csv
from documents import render_document
from exerlitenet.benchmark.machine import file_name
from exerlitenet.benchmark.measure import COLUMNS, Benchmark, Measure, figure
from exerlitenet.benchmark.run import PARTS
from exerlitenet.errors import InputError

FIRST = Benchmark(
    "default",
    {"processor": "AMD EPYC", "cores": "2", "numpy": "2.4"},
    (
        Measure("live frame", 2.5, "ms", 2.25, 3.123, 40, "live"),
        Measure("live frame / window recomputed", 0.05, "ratio", 0.04, 0.06, 40, "live"),
        Measure("two graphs", 5718959, "bytes", part="size"),
    ),
    ("int8: needs onnx",),
)
SECOND = replace(
    FIRST,
    machine={"processor": "Apple M2", "cores": "8", "av": "18"},
    measures=(Measure("live frame", 3.5, "ms", 3.0, 4.0, 40, "live"), Measure("more", 1, "ms", part="live")),
    notes=(),
)


def document(folder: Path, table: str, *results: Benchmark) -> str:
    for result in results:
        (folder / file_name(result.machine)).write_text(result.to_csv())
    text = f"<!-- table: benchmark {table} -->\n<!-- end of table -->"
    lines = render_document(text, folder, {"benchmark": BENCHMARK}).splitlines()
    return "\n".join(lines[1:-1])


def test_a_part_of_one_machine(tmp_path: Path) -> None:
    assert document(tmp_path, "live", FIRST).splitlines() == [
        "| measure | AMD EPYC, 2 cores |",
        "| --- | --- |",
        "| live frame | 2.5 ms (2.25 to 3.12) |",
        "| live frame / window recomputed | 0.05 (0.04 to 0.06) |",
    ]
    assert "| two graphs | 5,718,959 bytes |" in document(tmp_path, "size", FIRST)


def test_several_machines_stand_side_by_side(tmp_path: Path) -> None:
    assert document(tmp_path, "live", FIRST, SECOND).splitlines() == [
        "| measure | AMD EPYC, 2 cores | Apple M2, 8 cores |",
        "| --- | --- | --- |",
        "| live frame | 2.5 ms (2.25 to 3.12) | 3.5 ms (3 to 4) |",
        "| live frame / window recomputed | 0.05 (0.04 to 0.06) | - |",
        "| more | - | 1 ms |",
    ]
    targets = document(tmp_path, "targets", FIRST, SECOND)
    assert (
        "| live frame, one right after another | at most 3 ms "
        "| reached: 2.5 ms (2.25 to 3.12) | not reached: 3.5 ms (3 to 4) |" in targets
    )
    assert "| exerlitenet --help | at most 0.3 s | not measured | not measured |" in targets
    machines = document(tmp_path, "machines", FIRST, SECOND).splitlines()
    assert "| numpy | 2.4 | - |" in machines
    assert "| left out | int8: needs onnx | - |" in machines


def test_every_part_has_a_table_and_none_is_made_up(tmp_path: Path) -> None:
    assert set(PARTS) <= set(BENCHMARK.tables)
    assert document(tmp_path, "live") == "*Not there yet: results/benchmark-*.csv.*"


def test_quick_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"benchmark-amd-epyc-2.csv was measured with --quick"):
        document(tmp_path, "live", replace(FIRST, quick=True))
    (tmp_path / "benchmark-amd-epyc-2.csv").write_text("x,y\n")
    with pytest.raises(InputError, match=r"benchmark-amd-epyc-2.csv: a benchmark is a CSV"):
        document(tmp_path, "live")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.053946, "0.0539"), (2.0, "2"), (2.146, "2.15"), (437.24, "437"), (1345.2, "1,345"), (0.0, "0")],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_csv_gives_back_what_was_written() -> None:
    hard = replace(FIRST, machine={"processor": 'A, "quick" one', "cores": "2"}, quick=True)
    assert benchmark_of_csv(hard.to_csv()) == hard


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,value\nx,1\n", "columns part, name"),
        (FIRST.to_csv().replace("2.5,ms", "fast,ms"), "line 7 .* no measure"),
        (",".join(COLUMNS) + "\n", "says its model"),
    ],
)
def test_other_csv_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        benchmark_of_csv(text)
