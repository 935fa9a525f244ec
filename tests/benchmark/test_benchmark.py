"""The benchmark as a whole: its parts hang together. How fast anything is is no test's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundles import write_bundle
from exerlitenet.benchmark import PARTS, Benchmark, run_benchmark
from exerlitenet.errors import InputError

SMALL = ("live", "size")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("benchmark") / "model")


@pytest.fixture(scope="module")
def result(model: Path) -> Benchmark:
    return run_benchmark(model, quick=True, only=SMALL)


def test_measures_hang_together(result: Benchmark) -> None:
    assert (result.model, result.quick, result.parts) == ("tiny", True, SMALL)
    names = [measure.name for measure in result.measures]
    assert len(set(names)) == len(names)
    for measure in result.measures:
        assert measure.value > 0, measure
        if measure.low is not None and measure.high is not None:
            assert measure.low <= measure.value <= measure.high, measure


def test_unknown_parts_are_told(model: Path) -> None:
    with pytest.raises(InputError, match=r"no part colour; the parts are live, archive"):
        run_benchmark(model, quick=True, only=["live", "colour"])
    assert list(PARTS)[0] == "live"
