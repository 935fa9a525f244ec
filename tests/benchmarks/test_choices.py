"""Threads and batches are compared with what the live path does."""

from __future__ import annotations

import pytest

from benchmarks import choices
from bundles import write_bundle
from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.recognition.bundle import Bundle, load_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("choices") / "model"))


def test_threads_are_compared_with_one_where_there_are_more_cores(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "cores", lambda: 3)
    monkeypatch.setattr(choices, "PAUSE_S", 0.0)
    names = [measure.name for measure in choices.measure_threads(bundle, quick=True)]
    counts = ("1 thread", "2 threads", "3 threads", "2 threads / 1 thread", "3 threads / 1 thread")
    assert names == [f"live frame after a pause, {count}" for count in counts]
    monkeypatch.setattr(choices, "cores", lambda: 1)
    with pytest.raises(Unavailable, match="one core"):
        choices.measure_threads(bundle, quick=True)


def test_batches_are_reported_a_frame(bundle: Bundle) -> None:
    found = {measure.name: measure for measure in choices.measure_batches(bundle, quick=True)}
    assert [name for name in found if "/" not in name] == [
        "encode, 1 frame a call",
        "encode, 8 frames a call",
        "encode, 32 frames a call",
    ]
    assert all(measure.value > 0 for measure in found.values())
