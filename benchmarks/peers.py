"""Other people's models beside ours: MediaPipe Pose, and Keras' CNN-RNN example.

A peer that is not installed is left out with a line that says how to get it.
"""

from __future__ import annotations

import os
import subprocess
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.worker import Worker, one_core
from exerlitenet.benchmark.live import Pictures, render_pictures
from exerlitenet.benchmark.measure import Measure, OnProgress, Unavailable, ignore, measure_of, rounded
from exerlitenet.benchmark.process import call
from exerlitenet.benchmark.stopwatch import LiveFrames
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine

MEDIAPIPE_PYTHON = "EXERLITENET_MEDIAPIPE_PYTHON"
"""Environment variable: the Python of an environment that has MediaPipe."""

MEDIAPIPE = "0.10.21"
"""The last version that carries Pose and its model, so that it runs without a network."""

HOW_TO_GET_MEDIAPIPE = (
    f"python3.11 -m venv X; X/bin/pip install mediapipe=={MEDIAPIPE}; export {MEDIAPIPE_PYTHON}=X/bin/python"
)
SCRIPT = Path(__file__).with_name("mediapipe_pose.py")
COMPLEXITIES = {"full": 1, "lite": 0}
FRAMES_A_BLOCK = 10


def measure_mediapipe(
    bundle: Bundle, model: str = "full", *, quick: bool, on_progress: OnProgress = ignore
) -> list[Measure]:
    """MediaPipe Pose, tracking one person, and our live frame, in turn on the same pictures and the same one core.

    model: "full" or "lite". Also MediaPipe with all cores. Of a frame of theirs the conversion that `process` does is
    part, of ours the preparation and the head.

    Raises Unavailable without an environment that has MediaPipe, and where that lacks the model.
    """
    python = mediapipe_python()
    pictures = render_pictures(bundle.spec, quick=quick)
    rounds = 4 if quick else 30
    name = f"MediaPipe {MEDIAPIPE} Pose {model}"
    with TemporaryDirectory() as folder:
        frames = Path(folder) / "frames.npz"
        np.savez(frames, frames=np.stack(pictures))
        command = [python, "-I", str(SCRIPT), str(frames), str(COMPLEXITIES[model])]
        try:
            with Worker(command) as free, one_core() as held, Worker(command) as pinned:
                live = LiveFrames(OnnxEngine(bundle, threads=1), pictures)
                return _in_turn(name, live, pinned, free, held=held, rounds=rounds, on_progress=on_progress)
        except InputError as fault:
            raise Unavailable(f"peers: {name} did not run: {fault}") from fault


def measure_mediapipe_lite(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """The same of its smaller model, which is not in its wheel."""
    return measure_mediapipe(bundle, "lite", quick=quick, on_progress=on_progress)


def _in_turn(
    name: str,
    live: LiveFrames,
    pinned: Worker,
    free: Worker,
    *,
    held: bool,
    rounds: int,
    on_progress: OnProgress,
) -> list[Measure]:
    """Rows of blocks of frames, side after side. held: whether `pinned` and this process are held to one core."""
    theirs: dict[str, list[float]] = {"pinned": [], "free": []}

    def ours() -> None:
        for _ in range(FRAMES_A_BLOCK):
            live()

    def block(side: str, worker: Worker) -> None:
        theirs[side] += worker.ask("time", FRAMES_A_BLOCK)

    time_in_turn(
        {"ours": ours, "pinned": partial(block, "pinned", pinned), "free": partial(block, "free", free)},
        rounds,
        warm_up=2,
        on_progress=on_progress,
    )
    count = rounds * FRAMES_A_BLOCK
    whole = np.array(live.whole[-count:])
    taken = {side: np.array(times[-count:]) for side, times in theirs.items()}
    ratios = {side: _blocks(times) / _blocks(whole) for side, times in taken.items()}
    where = "one core" if held else "not held to a core"
    return [
        measure_of(f"{name}, {where}", taken["pinned"], "ms a frame"),
        measure_of(f"live frame in turn with it, {where}: {name}", whole, "ms a frame"),
        measure_of(f"{name} / live frame, {where}", ratios["pinned"], "ratio"),
        measure_of(f"{name}, all cores", taken["free"], "ms a frame"),
        measure_of(f"{name} on all cores / live frame, {where}", ratios["free"], "ratio"),
        Measure(f"{name}, frames with a pose", rounded(pinned.ask("found")), "ratio"),
    ]


def _blocks(times: np.ndarray) -> np.ndarray:
    """Mean of each block: float64 [rounds]."""
    means: np.ndarray = times.reshape(-1, FRAMES_A_BLOCK).mean(axis=1)
    return means


def mediapipe_python() -> str:
    """The Python that `MEDIAPIPE_PYTHON` names. Raises Unavailable when it is missing or has no such MediaPipe."""
    python = os.environ.get(MEDIAPIPE_PYTHON, "")
    if not python:
        raise Unavailable(f"peers: MediaPipe needs an environment of its own: {HOW_TO_GET_MEDIAPIPE}")
    code = "from importlib.metadata import version; print(version('mediapipe'))"
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    except OSError as fault:
        raise Unavailable(
            f"peers: {MEDIAPIPE_PYTHON} names {python}, which does not run ({fault.strerror}): "
            f"{HOW_TO_GET_MEDIAPIPE}"
        ) from fault
    found = done.stdout.strip()
    if done.returncode != 0 or found != MEDIAPIPE:
        has = f"MediaPipe {found}" if found else "no MediaPipe"
        raise Unavailable(f"peers: {python} has {has}, expected {MEDIAPIPE}: {HOW_TO_GET_MEDIAPIPE}")
    return python


def measure_keras_example(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """Keras' example "Video Classification with a CNN-RNN Architecture", random weights, in turn with our live frame.

    Both run in ONNX Runtime on one thread, which is kind to the example: it calls `predict` once a frame. Its frames
    come prepared, ours are prepared within the time.

    Raises Unavailable where Keras or what exports from it is not installed.
    """
    missing = [
        name for name in ("keras", "tensorflow", "tf2onnx", "onnx", "onnxscript") if find_spec(name) is None
    ]
    if missing:
        raise Unavailable(
            f"peers: Keras' CNN-RNN example needs {', '.join(missing)}, not installed: pip install '.[train]'"
        )
    with TemporaryDirectory() as folder:
        macs = call("benchmarks.cnn_rnn:write_cnn_rnn", [folder])
        return time_keras_example(
            bundle,
            Path(folder),
            render_pictures(bundle.spec, quick=quick),
            macs=macs,
            rounds=2 if quick else 12,
            on_progress=on_progress,
        )


def time_keras_example(
    bundle: Bundle,
    folder: Path,
    pictures: Pictures,
    *,
    macs: dict[str, int],
    rounds: int,
    on_progress: OnProgress = ignore,
) -> list[Measure]:
    """The graphs that `cnn_rnn` writes. macs: of "frame" and "sequence", as it counts them."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    extractor, classifier = (
        onnxruntime.InferenceSession(str(folder / file), options, providers=["CPUExecutionProvider"])
        for file in ("extractor.onnx", "classifier.onnx")
    )
    [pixels], [features] = extractor.get_inputs(), classifier.get_inputs()
    side, frames = pixels.shape[1], features.shape[1]
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (1, side, side, 3)).astype(np.float32)

    def frame() -> np.ndarray:
        found: np.ndarray = extractor.run(None, {pixels.name: picture})[0]
        return found

    def sequence() -> None:
        classifier.run(None, {features.name: np.stack([frame()[0] for _ in range(frames)])[None]})

    live = LiveFrames(OnnxEngine(bundle, threads=1), pictures)
    in_turn = time_in_turn(
        {"live": live, "frame": frame, "sequence": sequence}, rounds, warm_up=2, on_progress=on_progress
    )
    name = "Keras' CNN-RNN example, random weights, one thread"
    return [
        in_turn.measure("frame", f"{name}: features of a frame"),
        in_turn.measure("sequence", f"{name}: a sequence of {frames} frames"),
        in_turn.ratio(f"{name}: features of a frame / live frame", "frame", "live"),
        Measure(f"{name}: features of a frame, operations", rounded(macs["frame"] / 1e6), "million MAC"),
        Measure(
            f"{name}: a sequence of {frames} frames, operations",
            rounded(macs["sequence"] / 1e6),
            "million MAC",
        ),
    ]
