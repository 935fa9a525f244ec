"""The paper's measure on engines and clocks that tests hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundles import SPEC, CountingEngine, still, write_bundle
from exerlitenet.benchmark import pace
from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.benchmark.pace import frames_to_answer, sequence_push, stream_push, time_answer
from exerlitenet.recognition.bundle import Bundle, load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine

PICTURES = [still((20, 200, 0))]


class Clock:
    """Time that passes only when somebody sleeps or works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        monkeypatch.setattr(pace.time, "perf_counter", lambda: self.now_s)
        monkeypatch.setattr(pace.time, "sleep", self.work)

    def work(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("pace") / "model"))


def answers_at(clock: Clock, last: int, work_s: float):  # type: ignore[no-untyped-def]
    pushed = 0

    def push(rgb: np.ndarray) -> bool:
        nonlocal pushed
        pushed += 1
        clock.work(work_s)
        return pushed == last

    return push


def test_fifteen_frames_take_a_second_and_the_work_on_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    answer_s, delay_s = time_answer(answers_at(clock, 15, 0.01), PICTURES)
    assert answer_s == pytest.approx(1.01)
    assert delay_s == pytest.approx(0.01)


def test_work_that_is_slower_than_the_camera_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    answer_s, delay_s = time_answer(answers_at(clock, 15, 0.1), PICTURES)
    assert answer_s == pytest.approx(1 / 15 + 15 * 0.1)
    assert delay_s == pytest.approx(answer_s - 1)


def test_a_sequence_is_judged_when_it_is_there_and_a_stream_at_its_rate(bundle: Bundle) -> None:
    engine = CountingEngine(OnnxEngine(bundle))
    push = sequence_push(engine)
    answers = [push(PICTURES[0]) for _ in range(30)]
    assert answers == ([False] * 14 + [True]) * 2
    assert engine.encoded == 30
    # 15 frames at 7.5 a second are every other one of 29 captured ones.
    assert SPEC.rate == pace.CAPTURE_FPS / 2
    assert frames_to_answer(stream_push(engine), PICTURES) == 29
    assert engine.encoded == 45


def test_a_stream_and_a_sequence_say_the_same(bundle: Bundle) -> None:
    """The two ways differ in when they work, not in what comes out."""
    seen: list[np.ndarray] = []

    class Noting(CountingEngine):
        def classify(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
            found = super().classify(windows)
            seen.append(found[0])
            return found

    engine = Noting(OnnxEngine(bundle))
    for push in (sequence_push(engine), stream_push(engine)):
        assert frames_to_answer(push, PICTURES) > 0
    assert np.allclose(seen[0], seen[1], atol=1e-6)


def test_measures_of_the_model_hang_together(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace.time, "sleep", lambda seconds: None)
    frames, answer, delay, rate = pace.measure_shipped_pace(bundle, quick=True)
    assert (frames.value, frames.unit) == (29, "frames")
    assert (answer.unit, delay.unit, rate.unit) == ("s", "ms", "frames/s")
    assert rate.value > 0


def test_both_networks_are_compared(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "paper_bundle", lambda folder: bundle)
    monkeypatch.setattr(pace.time, "sleep", lambda seconds: None)
    found = {measure.name: measure for measure in pace.measure_paper_pace(bundle, quick=True)}
    assert list(found)[3:] == [
        "the paper's network: sustained, one judgement a sequence",
        "the paper's network: sustained, every frame judged",
        "sustained, the model every frame / the paper's network every sequence",
        "sustained, every frame judged, the model / the paper's network",
    ]
    assert all(measure.repetitions == 5 for name, measure in found.items() if "sustained" in name)


def test_without_keras_the_papers_network_is_told_to_be_missing(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exerlitenet.benchmark.paper_network.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"paper: its network needs keras.*pip install"):
        pace.measure_paper_pace(bundle, quick=True)
