"""The machine's ceiling, and the share of it that a tiny model reaches."""

from __future__ import annotations

from typing import Any

import pytest

from bundles import write_bundle
from exerlitenet.benchmark import ceiling
from exerlitenet.benchmark.ceiling import measure_ceiling
from exerlitenet.benchmark.operations import encoder_cost
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
    assert asked == [("exerlitenet.benchmark.ceiling:time_machine", 5, "1")]
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
