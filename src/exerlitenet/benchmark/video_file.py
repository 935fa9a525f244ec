"""Files to recognise: rendered people as a camera would have recorded them, or as clean as they were rendered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from exerlitenet.benchmark.live import SEED

FPS = 30.0
GRAIN = 2.0
"""Standard deviation of a camera's noise, in steps of 8 bits. With it 720p takes about 4 Mbit/s, as phones and video
sites have; as it was rendered, about a tenth of that, which decodes faster than any real file of that size."""
GRAIN_PLAY = 64
"""Pixels by which the same noise is shifted about, anew for every frame."""


@dataclass(frozen=True)
class VideoFile:
    """What a file shows. width, height: in pixels. grain: whether a camera's noise lies on it."""

    width: int
    height: int
    grain: bool = True

    @property
    def name(self) -> str:
        """In measures."""
        return f"{self.height}p file{'' if self.grain else ' without grain'}"


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
