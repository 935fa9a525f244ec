"""Operations and sizes of a tiny model, which are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundles import CLASSES, FOLLOW_SPEC, SPEC, WIDTH, write_bundle
from exerlitenet.benchmark import operations
from exerlitenet.benchmark.graph import operator_times
from exerlitenet.benchmark.operations import encoder_cost, head_cost, measure_operations
from exerlitenet.benchmark.size import measure_int8_size, measure_size
from exerlitenet.recognition.bundle import CARD, Bundle, load_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("operations") / "model"))


def test_operations_are_those_of_the_graphs(bundle: Bundle, tmp_path: Path) -> None:
    assert encoder_cost(bundle).macs == 3 * WIDTH
    assert head_cost(bundle).macs == WIDTH * len(CLASSES)
    following = load_bundle(write_bundle(tmp_path / "follow", spec=FOLLOW_SPEC))
    assert encoder_cost(following).macs == 2 * 3 * WIDTH + SPEC.size**2 * 3 * 3


def test_shares_of_operators_are_of_the_whole(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"Conv": np.array([3.0, 6.0]), "Mul": np.array([0.9, 1.8]), "Add": np.array([0.1, 0.2])}
    monkeypatch.setattr(operations, "operator_times", lambda path, inputs, *, runs: times)
    found = [(measure.name, measure.value) for measure in operations.measure_operators(bundle, quick=True)]
    assert found == [
        ("encoder: share of time in Conv", 0.75),
        ("encoder: share of time in Mul", 0.225),
        ("encoder: share of time in all others", 0.025),
    ]


def test_times_of_operators_come_from_the_graph(bundle: Bundle) -> None:
    times = operator_times(bundle.folder / "encoder.onnx", operations.encoder_inputs(bundle), runs=3)
    assert set(times) == {"ReduceMean", "MatMul"}
    assert all(spent.shape == (3,) and (spent >= 0).all() for spent in times.values())


def test_sizes_are_those_on_disk(bundle: Bundle) -> None:
    graphs, card = measure_size(bundle, quick=True)
    folder = bundle.folder
    assert graphs.value == sum((folder / name).stat().st_size for name in ("encoder.onnx", "head.onnx"))
    assert card.value == (folder / CARD).stat().st_size
    [small] = measure_int8_size(bundle, quick=True)
    assert small.unit == "bytes"
    encoder, head, live, window = measure_operations(bundle, quick=True)
    assert live.value == pytest.approx(encoder.value + head.value, rel=1e-3)
    assert window.value == pytest.approx(SPEC.frames * encoder.value + head.value, rel=1e-3)
