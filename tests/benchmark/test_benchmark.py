"""The benchmark: its measures hang together. How fast anything is is no test's business."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from bundles import write_bundle
from command import run
from exerlitenet.benchmark import Benchmark, run_benchmark
from exerlitenet.recognition.bundle import CARD


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("benchmark") / "model")


@pytest.fixture(scope="module")
def result(model: Path) -> Benchmark:
    return run_benchmark(model, quick=True)


def test_measures_hang_together(result: Benchmark, model: Path) -> None:
    assert result.model == "tiny"
    names = [measure.name for measure in result.measures]
    assert len(set(names)) == len(names)
    for measure in result.measures:
        assert measure.value > 0
        if measure.low is not None and measure.high is not None:
            assert measure.low <= measure.value <= measure.high
    parts = [result[f"{part}, one frame"] for part in ("prepare", "encode", "head")]
    live, window = result["live frame"], result["window of 15 recomputed"]
    assert live.repetitions == parts[0].repetitions == 5 * window.repetitions
    assert live.low is not None
    assert live.low >= max(part.low or 0 for part in parts)
    ratio = result["live frame / window recomputed"]
    assert ratio.value == pytest.approx(live.value / window.value, rel=0.02)
    # The model's pictures have a short side of 48.
    rate = result["file of 84 x 48 at 30 frames/s"]
    assert result["file of 84 x 48 at 30 frames/s, speed"].value == pytest.approx(rate.value / 30, rel=1e-3)
    graphs = sum((model / file).stat().st_size for file in ("encoder.onnx", "head.onnx"))
    assert (result["two graphs"].value, result["model card"].value) == (graphs, (model / CARD).stat().st_size)


def test_it_says_what_it_was_measured_on(result: Benchmark) -> None:
    assert {"processor", "cores", "system", "python", "onnxruntime"} <= set(result.machine)
    assert result.machine["threads of the model"] == "1"


def test_csv_and_json_hold_every_measure(result: Benchmark) -> None:
    rows = list(csv.DictReader(io.StringIO(result.to_csv())))
    measures = json.loads(json.dumps(result.to_json()))["measures"]
    assert [row["name"] for row in rows] == [m["name"] for m in measures] == [m.name for m in result.measures]
    assert [float(row["value"]) for row in rows] == [m.value for m in result.measures]


def test_command(result: Benchmark, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def run_benchmark(name: str | None, *, quick: bool, progress: object) -> Benchmark:
        asked.append((name, quick))
        return result

    monkeypatch.setattr("exerlitenet.benchmark.run_benchmark", run_benchmark)
    table = run("benchmark", "--model", model, "--quick", "--csv", tmp_path / "b.csv")
    assert table.exit_code == 0
    assert all(measure.name in table.stdout for measure in result.measures)
    assert (tmp_path / "b.csv").read_text() == result.to_csv()
    assert json.loads(run("benchmark", "--json", "-").stdout) == json.loads(json.dumps(result.to_json()))
    assert run("benchmark", "--csv", "-").stdout == result.to_csv()
    assert asked == [(str(model), True), (None, False), (None, False)]


def test_no_model(tmp_path: Path) -> None:
    answer = run("benchmark", "--model", tmp_path)
    assert answer.exit_code == 2
    assert "no model.json" in answer.stderr
