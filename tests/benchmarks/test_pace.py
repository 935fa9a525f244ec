"""The paper's measure on engines and clocks that tests hold."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import pace
from benchmarks.pace import frames_to_answer, stream_push, time_answer
from bundles import SPEC, CountingEngine, still, write_bundle
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


def test_a_stream_is_classified_at_its_rate(bundle: Bundle) -> None:
    engine = CountingEngine(OnnxEngine(bundle))
    # 15 frames at 7.5 a second are every other one of 29 captured ones.
    assert SPEC.rate == pace.CAPTURE_FPS / 2
    assert frames_to_answer(stream_push(engine), PICTURES) == 29
    assert engine.encoded == 15


def test_measures_of_the_model_hang_together(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace.time, "sleep", lambda seconds: None)
    frames, answer, delay, rate = pace.measure_shipped_pace(bundle, quick=True)
    assert (frames.value, frames.unit) == (29, "frames")
    assert (answer.unit, delay.unit, rate.unit) == ("s", "ms", "frames/s")
    assert rate.value > 0
