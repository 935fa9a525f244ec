"""The machine's ceiling, and the share of it that a tiny model reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import ceiling
from benchmarks.ceiling import Roofline, measure_ceiling
from benchmarks.operations import encoder_cost, encoder_inputs
from bundles import write_bundle
from exerlitenet.recognition.bundle import Bundle, load_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("ceiling") / "model"))


def test_a_share_is_of_the_round_that_it_was_taken_in(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second round is twice as slow in everything, so the share stays."""
    work = 2 * ceiling.MATRIX**3
    taken = {
        "matrix product": [work / 1e8, work / 5e7],  # 100 and 50 GFLOP/s
        "copy": [2 * ceiling.ARRAY_BYTES / 2e7, 2 * ceiling.ARRAY_BYTES / 1e7],  # 20 and 10 GB/s
        "encode": [ceiling.FRAMES * 1.0, ceiling.FRAMES * 2.0],
    }
    asked: list[Any] = []

    def call(function: str, arguments: list[Any], *, environment: dict[str, str]) -> Any:
        asked.append((function, arguments[1], environment["OPENBLAS_NUM_THREADS"]))
        return taken

    monkeypatch.setattr(ceiling, "call", call)
    found = {measure.name: measure for measure in measure_ceiling(bundle, quick=True)}
    assert asked == [("benchmarks.ceiling:time_machine", 5, "1")]
    assert found["machine: matrix product, float32, one thread"].value == pytest.approx(75)
    assert found["machine: memory, copy, one thread"].value == pytest.approx(15)
    assert found["encoder: measured"].value == pytest.approx(1.5)
    cost = encoder_cost(bundle)
    moved = cost.weight_bytes + cost.activation_bytes
    share = found["encoder: share of the ceiling"]
    assert share.low == share.value == share.high == pytest.approx(moved / 20e6, rel=1e-4)
    assert found["encoder: intensity"].value == pytest.approx(2 * cost.macs / moved, rel=1e-4)


def test_the_machine_is_timed_in_a_process_of_its_own(bundle: Bundle) -> None:
    found = {measure.name: measure for measure in measure_ceiling(bundle, quick=True)}
    assert all(measure.value > 0 for measure in found.values())
    assert found["encoder: measured"].repetitions == 5


def test_work_with_much_arithmetic_is_bound_by_it() -> None:
    # 1 GFLOP and 10 MB on 100 GFLOP/s and 20 GB/s: 10 ms against 0.5 ms.
    work = Roofline(500_000_000, 10_000_000, 100.0, 20.0)
    assert work.intensity == 100
    assert work.ridge == 5
    assert (work.arithmetic_ms, work.memory_ms) == (pytest.approx(10), pytest.approx(0.5))
    assert work.bound_ms == work.arithmetic_ms
    assert work.share(20.0) == pytest.approx(0.5)


def test_work_with_little_arithmetic_is_bound_by_memory() -> None:
    work = Roofline(5_000_000, 10_000_000, 100.0, 20.0)
    assert work.intensity == 1 < work.ridge
    assert work.bound_ms == work.memory_ms == pytest.approx(0.5)


def test_both_bounds_meet_at_the_ridge() -> None:
    work = Roofline(25_000_000, 10_000_000, 100.0, 20.0)
    assert work.intensity == work.ridge
    assert work.arithmetic_ms == pytest.approx(work.memory_ms)


def test_shares_of_operators_are_of_the_whole(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"Conv": np.array([3.0, 6.0]), "Mul": np.array([0.9, 1.8]), "Add": np.array([0.1, 0.2])}
    monkeypatch.setattr(ceiling, "operator_times", lambda path, inputs, *, runs: times)
    found = [(measure.name, measure.value) for measure in ceiling.measure_operators(bundle, quick=True)]
    assert found == [
        ("encoder: share of time in Conv", 0.75),
        ("encoder: share of time in Mul", 0.225),
        ("encoder: share of time in all others", 0.025),
    ]


def test_times_of_operators_come_from_the_graph(bundle: Bundle) -> None:
    times = ceiling.operator_times(bundle.folder / "encoder.onnx", encoder_inputs(bundle), runs=3)
    assert set(times) == {"ReduceMean", "MatMul"}
    assert all(spent.shape == (3,) and (spent >= 0).all() for spent in times.values())
