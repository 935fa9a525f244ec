"""A file from opening it to its segments, in turn with decoding it alone; all cores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from exerlitenet.benchmark.live import SEED
from exerlitenet.benchmark.measure import Measure, Told, measure_of
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.video.source import open_video

FPS = 30.0
LARGE = (1280, 720)


def measure_archive(bundle: Bundle, *, quick: bool, told: Told | None = None) -> list[Measure]:
    """Recognising rendered files of 720p and of 256 pixels, against only decoding every frame of them.

    The rendered seconds come several times over in a file, so that what is done once a file weighs as in practice.
    """
    out: list[Measure] = []
    sizes = (LARGE, (454, 256))
    recognizer = Recognizer.load(bundle.folder)
    for k, size in enumerate(sizes):

        def part(done: float, total: float | None, k: int = k) -> None:
            if told is not None:
                told(k + done / (total or 1), len(sizes))

        with TemporaryDirectory() as folder:
            path, frames = write_file(Path(folder), size, quick=quick)
            out += _measure_file(recognizer, path, frames, size, rounds=2 if quick else 7, told=part)
    return out


def write_file(folder: Path, size: tuple[int, int], *, quick: bool) -> tuple[Path, int]:
    """A rendered person's squats as H.264. Returns the file and its number of frames."""
    from exerlitenet.synthetic.clip import render_clip
    from exerlitenet.synthetic.dataset import write_video

    seconds, times = (1.0, 4) if quick else (8.0, 4)
    clip = render_clip(SEED, "squat", seconds=seconds, fps=FPS, width=size[0], height=size[1])
    frames = np.concatenate([clip.frames] * times) if min(size) < 720 else clip.frames
    return write_video(frames, FPS, folder / "rendered.mp4"), len(frames)


def decode_alone(path: Path) -> int:
    """Decodes every frame with all cores and converts none; returns how many there were."""
    with av.open(str(path)) as container:
        [stream] = container.streams.video
        stream.thread_type = "AUTO"
        return sum(1 for _ in container.decode(stream))


def read_alone(path: Path, recognizer: Recognizer) -> None:
    """Decodes and scales what the model would look at, and looks at nothing."""
    spec = recognizer.engine.spec
    with open_video(path, rate=spec.rate, short_side=spec.source_short_side) as video:
        for _ in video:
            pass


def _measure_file(
    recognizer: Recognizer, path: Path, frames: int, size: tuple[int, int], *, rounds: int, told: Told
) -> list[Measure]:
    sides: dict[str, Callable[[], object]] = {
        "recognised": lambda: recognizer.recognize(path),
        "decoded and scaled": lambda: read_alone(path, recognizer),
        "decoded alone": lambda: decode_alone(path),
    }
    in_turn = time_in_turn(sides, rounds, told=told)
    name = f"file of {size[1]}p at {FPS:g} frames/s"
    seconds = {side: in_turn[side] / 1000 for side in sides}
    out = [measure_of(f"{name}, {side}", frames / seconds[side], "frames/s") for side in sides]
    speed = frames / FPS / seconds["recognised"]
    out.append(measure_of(f"{name}, speed", speed, "times real time"))
    ratio = seconds["decoded alone"] / seconds["recognised"]
    out.append(measure_of(f"{name}, rate recognised / decoded alone", ratio, "ratio"))
    return out
