"""A file from opening it to its segments, in turn with decoding it alone; all cores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from exerlitenet.benchmark.live import SEED
from exerlitenet.benchmark.measure import Measure, Told, measure_of
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.video.source import open_video

FPS = 30.0
SIZES = ((1280, 720), (454, 256))
"""Width and height of the files in pixels."""


def measure_archive(bundle: Bundle, *, quick: bool, told: Told | None = None) -> list[Measure]:
    """Recognising rendered files of 720p and of 256 pixels, against only decoding every frame of them."""
    out: list[Measure] = []
    recognizer = Recognizer.load(bundle.folder)
    for k, size in enumerate(SIZES):

        def part(done: float, total: float | None, k: int = k) -> None:
            if told is not None:
                told(k + done / (total or 1), len(SIZES))

        with TemporaryDirectory() as folder:
            path = write_file(Path(folder), size, quick=quick)
            out += _measure_file(recognizer, path, size, rounds=2 if quick else 7, told=part)
    return out


def write_file(folder: Path, size: tuple[int, int], *, quick: bool) -> Path:
    """A rendered person's squats as H.264, over and over, so that what is done once a file weighs as in practice.

    size: width, height in pixels.
    """
    from exerlitenet.synthetic.clip import render_clip
    from exerlitenet.synthetic.dataset import write_video

    clip = render_clip(SEED, "squat", seconds=1.0 if quick else 4.0, fps=FPS, width=size[0], height=size[1])
    once = write_video(clip.frames, FPS, folder / "once.mp4")
    return repeat_file(once, folder / "rendered.mp4", times=4 if quick else 6)


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
    recognizer: Recognizer, path: Path, size: tuple[int, int], *, rounds: int, told: Told
) -> list[Measure]:
    sides: dict[str, Callable[[], object]] = {
        "recognised": lambda: recognizer.recognize(path),
        "decoded and scaled": lambda: read_alone(path, recognizer),
        "decoded alone": lambda: decode_alone(path),
    }
    frames = decode_alone(path)
    in_turn = time_in_turn(sides, rounds, told=told)
    name = f"file of {size[1]}p at {FPS:g} frames/s"
    seconds = {side: in_turn[side] / 1000 for side in sides}
    out = [measure_of(f"{name}, {side}", frames / seconds[side], "frames/s") for side in sides]
    speed = frames / FPS / seconds["recognised"]
    out.append(measure_of(f"{name}, speed", speed, "times real time"))
    ratio = seconds["decoded alone"] / seconds["recognised"]
    out.append(measure_of(f"{name}, rate recognised / decoded alone", ratio, "ratio"))
    return out
