"""The paper's measure: from the start of capture to the answer at 15 frames a second, and the rate without pacing."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

import numpy as np
from numpy.typing import NDArray

from exerlitenet.benchmark.live import Pictures, render_pictures
from exerlitenet.benchmark.measure import Measure, OnProgress, ignore, measure_of
from exerlitenet.benchmark.stopwatch import LiveFrames
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.engine import Engine
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.predictor import Predictor
from exerlitenet.results import Frame

CAPTURE_FPS = 15.0
SHIPPED = "the model"

Push = Callable[[NDArray[np.uint8]], bool]
"""Takes the next captured picture; says whether the first answer is there."""


def measure_shipped_pace(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """The model as it works on a stream: frames chosen at its own rate, the first answer as soon as it gives one."""
    pictures = render_pictures(bundle.spec, quick=quick)
    engine = OnnxEngine(bundle, threads=1)
    runs = 2 if quick else 12
    out = measure_answers(SHIPPED, lambda: stream_push(engine), pictures, runs, on_progress)
    live = LiveFrames(engine, pictures)
    in_turn = time_in_turn({"frame": live}, 30 if quick else 600)
    out.append(measure_of(f"{SHIPPED}: sustained, every frame judged", 1000 / in_turn["frame"], "frames/s"))
    return out


def measure_answers(
    who: str, begin: Callable[[], Push], pictures: Pictures, runs: int, on_progress: OnProgress
) -> list[Measure]:
    """Seconds from the start of capture to the first answer, and what of it comes after the last frame."""
    answers, delays = [], []
    frames = frames_to_answer(begin(), pictures)  # and nothing is done for the first time when it counts
    for k in range(runs):
        answer_s, delay_s = time_answer(begin(), pictures)
        answers.append(answer_s)
        delays.append(1000 * delay_s)
        on_progress(k + 1, runs)
    return [
        Measure(f"{who}: frames to the first answer", frames, "frames"),
        measure_of(f"{who}: capture at 15 frames/s to the answer", np.array(answers), "s"),
        measure_of(f"{who}: last frame to the answer", np.array(delays), "ms"),
    ]


def frames_to_answer(push: Push, pictures: Pictures) -> int:
    """How many captured frames the first answer takes; without pacing."""
    return next(k for k in count(1) if push(pictures[(k - 1) % len(pictures)]))


def time_answer(push: Push, pictures: Pictures, fps: float = CAPTURE_FPS) -> tuple[float, float]:
    """(seconds from the start of capture to the answer, of these after the last frame).

    Frame k, from 1, is there k / fps after the start: capturing one takes a period. 15 frames take a second.
    """
    begin_s = time.perf_counter()
    captured_s = begin_s
    for k in count(1):
        captured_s = begin_s + k / fps
        time.sleep(max(0.0, captured_s - time.perf_counter()))
        if push(pictures[(k - 1) % len(pictures)]):
            break
    end_s = time.perf_counter()
    return end_s - begin_s, end_s - captured_s


def stream_push(engine: Engine) -> Push:
    """A stream as ours works: every frame encoded once, when it comes."""
    state = Predictor(engine)
    pushed = 0

    def push(rgb: NDArray[np.uint8]) -> bool:
        nonlocal pushed
        pushed += 1
        return bool(state.push(Frame((pushed - 1) / CAPTURE_FPS, rgb)))

    return push
