"""A file from opening it to its segments, in turn with decoding it alone; all cores.

The files are rendered people as a camera would have recorded them, or as clean as they were rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from numpy.typing import NDArray

from exerlitenet.benchmark.live import SEED
from exerlitenet.benchmark.measure import Measure, OnProgress, ignore, measure_of, rounded
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.video.source import open_video

FPS = 30.0
GRAIN = 2.0
"""Standard deviation of a camera's noise, in steps of 8 bits. With it 720p takes about 4 Mbit/s, as phones and video
sites have; as it was rendered, about a tenth of that, which decodes faster than any real file of that size."""
GRAIN_PLAY = 64
"""Pixels by which the same noise is shifted about, anew for every frame."""


@dataclass(frozen=True)
class VideoFile:
    """What a file shows. width, height: in pixels. grain: whether it has a camera's noise."""

    width: int
    height: int
    grain: bool = True

    @property
    def name(self) -> str:
        """In measures."""
        return f"{self.height}p file{'' if self.grain else ' without grain'}"


FILES = (VideoFile(1280, 720), VideoFile(1280, 720, grain=False), VideoFile(454, 256))


def measure_archive(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """Recognising rendered files, against only decoding every frame of them."""
    out: list[Measure] = []
    recognizer = Recognizer.load(bundle.folder)
    for k, file in enumerate(FILES):

        def part(done: float, total: float | None, k: int = k) -> None:
            on_progress(k + done / (total or 1), len(FILES))

        with TemporaryDirectory() as folder:
            path = write_file(Path(folder), file, quick=quick)
            out += measure_file(recognizer, path, file.name, rounds=2 if quick else 7, on_progress=part)
    return out


def measure_file(
    recognizer: Recognizer, path: Path, name: str, *, rounds: int, on_progress: OnProgress
) -> list[Measure]:
    """Frames a second of each way to go through a file, in turn, and their ratio. name: of the file, in measures."""
    sides: dict[str, Callable[[], object]] = {
        "recognised": lambda: recognizer.recognize(path),
        "decoded and scaled": lambda: read_alone(path, recognizer),
        "decoded alone": lambda: decode_alone(path),
    }
    frames = decode_alone(path)
    in_turn = time_in_turn(sides, rounds, on_progress=on_progress)
    seconds = {side: in_turn[side] / 1000 for side in sides}
    return [
        Measure(f"{name}: bit rate", rounded(megabits(path, frames), 3), "Mbit/s"),
        *(measure_of(f"{name}: {side}", frames / seconds[side], "frames/s") for side in sides),
        measure_of(f"{name}: speed", frames / FPS / seconds["recognised"], "times real time"),
        measure_of(
            f"{name}: recognised / decoded alone",
            seconds["decoded alone"] / seconds["recognised"],
            "ratio",
        ),
    ]


def decode_alone(path: Path) -> int:
    """Decodes every frame with all cores and converts none; returns how many there were."""
    with av.open(str(path)) as container:
        [stream] = container.streams.video
        stream.thread_type = "AUTO"
        return sum(1 for _ in container.decode(stream))


def read_alone(path: Path, recognizer: Recognizer) -> None:
    """Decodes and scales what the model would encode, and encodes nothing."""
    spec = recognizer.engine.spec
    with open_video(path, rate=spec.rate, short_side=spec.source_short_side) as video:
        for _ in video:
            pass


def write_file(folder: Path, file: VideoFile, *, quick: bool) -> Path:
    """A rendered person's squats as H.264, over and over, so that what is done once a file weighs as in practice."""
    from exerlitenet.synthetic.clip import render_clip
    from exerlitenet.synthetic.dataset import write_video

    seconds = 1.0 if quick else 4.0
    clip = render_clip(SEED, "squat", seconds=seconds, fps=FPS, width=file.width, height=file.height)
    frames = with_grain(clip.frames) if file.grain else clip.frames
    once = write_video(frames, FPS, folder / "once.mp4")
    return repeat_file(once, folder / "rendered.mp4", times=4 if quick else 6)


def with_grain(frames: NDArray[np.uint8], deviation: float = GRAIN) -> NDArray[np.uint8]:
    """A camera's noise on frames uint8 [n, height, width, 3]: grey, new on every frame, the same on every call."""
    height, width = frames.shape[1:3]
    rng = np.random.default_rng(SEED)
    noise = rng.normal(0, deviation, (height + GRAIN_PLAY, width + GRAIN_PLAY, 1)).astype(np.float32)
    out = np.empty_like(frames)
    for frame, grainy in zip(frames, out, strict=True):
        y, x = rng.integers(0, GRAIN_PLAY, 2)
        grainy[:] = np.clip(frame + noise[y : y + height, x : x + width], 0, 255)
    return out


def repeat_file(source: Path, out: Path, *, times: int) -> Path:
    """The video stream of a file so many times one after another, without encoding it anew. Returns `out`."""
    with av.open(str(out), "w") as target:
        stream = None
        for k in range(times):
            with av.open(str(source)) as container:
                [original] = container.streams.video
                if stream is None:
                    stream = target.add_stream_from_template(original)
                length = original.duration or 0
                for packet in container.demux(original):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += k * length
                    packet.dts += k * length
                    packet.stream = stream
                    target.mux(packet)
    return out


def megabits(path: Path, frames: int) -> float:
    """Bit rate of a file of so many frames, in Mbit/s."""
    return path.stat().st_size * 8 / 1e6 / (frames / FPS)
