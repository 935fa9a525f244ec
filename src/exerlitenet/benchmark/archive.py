"""A file from opening it to its segments, in turn with decoding it alone; all cores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from exerlitenet.benchmark.measure import Measure, Told, measure_of, rounded
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.benchmark.video_file import FPS, VideoFile, megabits, write_file
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.video.source import open_video

FILES = (VideoFile(1280, 720), VideoFile(1280, 720, grain=False), VideoFile(454, 256))


def measure_archive(bundle: Bundle, *, quick: bool, told: Told | None = None) -> list[Measure]:
    """Recognising rendered files, against only decoding every frame of them."""
    out: list[Measure] = []
    recognizer = Recognizer.load(bundle.folder)
    for k, file in enumerate(FILES):

        def part(done: float, total: float | None, k: int = k) -> None:
            if told is not None:
                told(k + done / (total or 1), len(FILES))

        with TemporaryDirectory() as folder:
            path = write_file(Path(folder), file, quick=quick)
            out += measure_file(recognizer, path, file.name, rounds=2 if quick else 7, told=part)
    return out


def measure_file(recognizer: Recognizer, path: Path, name: str, *, rounds: int, told: Told) -> list[Measure]:
    """Frames a second of each way to go through a file, in turn, and their ratio. name: of the file, in measures."""
    sides: dict[str, Callable[[], object]] = {
        "recognised": lambda: recognizer.recognize(path),
        "decoded and scaled": lambda: read_alone(path, recognizer),
        "decoded alone": lambda: decode_alone(path),
    }
    frames = decode_alone(path)
    in_turn = time_in_turn(sides, rounds, told=told)
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
    """Decodes and scales what the model would look at, and looks at nothing."""
    spec = recognizer.engine.spec
    with open_video(path, rate=spec.rate, short_side=spec.source_short_side) as video:
        for _ in video:
            pass
