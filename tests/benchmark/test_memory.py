"""Memory along a stream: its figures from samples that are easy to follow, and a short stream of a tiny model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundles import write_bundle
from exerlitenet.benchmark import memory
from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.benchmark.memory import HOUR_S, MemoryTrack, measure_memory, resident_mb
from exerlitenet.recognition.bundle import load_bundle


def track(mb: np.ndarray, stream_s: float = HOUR_S) -> MemoryTrack:
    return MemoryTrack(100.0, np.linspace(stream_s / len(mb), stream_s, len(mb)), mb)


def test_a_steady_leak_is_its_slope_in_mb_an_hour() -> None:
    leaking = track(np.linspace(100, 112, 120))
    assert leaking.slope_mb_an_hour == pytest.approx(12.1, rel=0.01)
    found = {measure.name: measure.value for measure in leaking.measures()}
    assert found["live stream, growth"] == pytest.approx(12.1, rel=0.01)
    assert found["live stream, highest in 60 minutes"] == 112
    assert found["live stream, after 60 minutes"] == 112
    assert found["live stream, at rest"] == 100


def test_what_grows_once_at_the_beginning_is_no_leak() -> None:
    mb = np.full(120, 130.0)
    mb[:10] = np.linspace(100, 130, 10)
    assert track(mb).slope_mb_an_hour == pytest.approx(0.0, abs=1e-9)


def test_the_highest_may_lie_in_the_middle_or_at_rest() -> None:
    mb = np.array([100.0, 150.0, 90.0, 90.0])
    assert {m.name: m.value for m in track(mb).measures()}["live stream, highest in 60 minutes"] == 150
    assert {m.name: m.value for m in track(mb - 70).measures()}["live stream, highest in 60 minutes"] == 100


def test_a_short_stream_says_nothing_of_an_hour() -> None:
    names = [measure.name for measure in track(np.array([100.0, 101.0]), stream_s=120).measures()]
    assert names == [
        "live stream, at rest",
        "live stream, after 2 minutes",
        "live stream, highest in 2 minutes",
    ]
    assert track(np.array([100.0])).slope_mb_an_hour == 0


def test_resident_memory_is_read_from_the_system() -> None:
    assert resident_mb("Name:\tx\nVmRSS:\t  1000 kB\nThreads:\t1\n") == pytest.approx(1.024)


def test_a_stream_of_a_tiny_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not memory.STATUS.is_file():
        pytest.skip("this system does not tell a process's memory in /proc")
    monkeypatch.setattr(memory, "QUICK_S", 12.0)
    bundle = load_bundle(write_bundle(tmp_path / "model"))
    rest, end, highest = measure_memory(bundle, quick=True)
    assert 10 < rest.value <= highest.value
    assert end.value <= highest.value
    assert end.name == "live stream, after 0.2 minutes"


def test_a_system_that_does_not_say_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "model"))
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none")
    with pytest.raises(Unavailable, match="cannot be read"):
        measure_memory(bundle, quick=True)
