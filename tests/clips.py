"""Small videos that tests make themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.errors import InputError
from exerlitenet.video.source import open_video

Rgb = NDArray[np.uint8]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def spot(x: float, y: float, height: int, width: int, radius: float = 0.12) -> Rgb:
    """A soft white spot on black, its middle at (x, y); place and radius in picture units (see `video.crop`)."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    unit = min(height, width)
    apart = np.hypot((columns - width / 2) / unit - x, (rows - height / 2) / unit - y)
    light = np.where(apart < radius, 255 * np.exp(-0.5 * (3.4 * apart / radius) ** 2), 0)
    return np.round(light)[..., None].repeat(3, axis=-1).astype(np.uint8)


def write_clip(
    path: Path,
    frames: Iterable[Rgb],
    fps: float = 30,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rotation: int = 0,
    hflip: bool = False,
    times_s: Sequence[float] | None = None,
    gop: int = 12,
    audio: bool = False,
    sample_aspect: Fraction | None = None,
    container_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Writes RGB or RGBA frames (uint8 [h, w, 3 or 4]) as a video; the suffix chooses the container.

    rotation: degrees counter-clockwise by which a player turns the picture.
    times_s: one time per frame instead of a fixed rate, for variable frame rates.
    audio: adds a second of silence as another stream.
    """
    pictures = list(frames)
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.gop_size = gop
        stream.options = options or ({"crf": "4", "preset": "ultrafast"} if codec == "libx264" else {})
        if sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if rotation or hflip:
            stream.set_display_rotation(rotation, hflip=hflip)
        time_base = Fraction(1, 1000) if times_s is not None else None
        if time_base is not None:
            stream.time_base = stream.codec_context.time_base = time_base
        sound = container.add_stream("aac", rate=8000) if audio else None
        for index, pixels in enumerate(pictures):
            layout = "rgba" if pixels.shape[2] == 4 else "rgb24"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=layout)
            if frame.format.name != pix_fmt:
                frame = _reformatted(frame, codec, pix_fmt)
            if times_s is None:
                frame.pts = index
            else:
                frame.pts, frame.time_base = round(times_s[index] * 1000), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _add_silence(container, sound, 8000, 8)
    return path


def _reformatted(frame: av.VideoFrame, codec: str, pix_fmt: str) -> av.VideoFrame:
    if (codec, pix_fmt) != ("libx264", "gray"):
        return frame.reformat(format=pix_fmt)
    # Players take grey H.264 for studio range (16 to 235), which the conversion to grey does not make.
    luma = frame.reformat(format="yuv420p").to_ndarray()[: frame.height]
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(luma), format="gray")


def write_sound(path: Path, cover: Rgb | None = None) -> Path:
    """Writes a second of silence; with a cover picture as an attached picture."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("libmp3lame" if path.suffix == ".mp3" else "aac", rate=16000)
        picture = None
        if cover is not None:
            picture = container.add_stream("mjpeg", rate=1)
            picture.height, picture.width = cover.shape[:2]
            picture.pix_fmt = "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
            container.mux(picture.encode(None))
        _add_silence(container, sound, 16000, 16)
    return path


def _add_silence(container: OutputContainer, sound: AudioStream, rate: int, blocks: int) -> None:
    """Encodes blocks of 1024 samples of silence and ends the stream."""
    for index in range(blocks):
        silence = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, index * 1024
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))


def grey_ramp(count: int, size: tuple[int, int] = (64, 48)) -> list[Rgb]:
    """Even grey frames, each brighter than the one before: frame k holds 20 + 200 k / count.

    size: width, height.
    """
    width, height = size
    return [np.full((height, width, 3), 20 + 200 * k // count, np.uint8) for k in range(count)]


def noise(count: int, size: tuple[int, int] = (64, 48), seed: int = 0) -> list[Rgb]:
    """Frames that do not compress, so that damage to a part of the file hits a part of the frames."""
    width, height = size
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def corners(size: tuple[int, int] = (64, 48)) -> Rgb:
    """Red top left, green top right, blue bottom left, white bottom right: shows any turn or mirror."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (255, 0, 0)
    picture[: height // 2, width // 2 :] = (0, 255, 0)
    picture[height // 2 :, : width // 2] = (0, 0, 255)
    picture[height // 2 :, width // 2 :] = (255, 255, 255)
    return picture


def write_images(folder: Path, frames: Iterable[Rgb], suffix: str = ".png", prefix: str = "frame") -> Path:
    """Writes frames as prefix1.png, prefix2.png, ... without leading zeros."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, pixels in enumerate(frames, start=1):
        Image.fromarray(pixels).save(folder / f"{prefix}{index}{suffix}")
    return folder


def cut(path: Path, share: float) -> Path:
    """Keeps the first `share` of a file's bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def garble(path: Path, start: float, end: float) -> Path:
    """Replaces the bytes between two shares of a file by noise."""
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * start), int(len(data) * end)
    data[first:last] = np.random.default_rng(1).integers(0, 256, last - first, dtype=np.uint8).tobytes()
    path.write_bytes(bytes(data))
    return path


def message_of(name: str | Path) -> str:
    """What opening a source that cannot be read says: one line that begins with its name."""
    with pytest.raises(InputError) as caught:
        open_video(name)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(str(name))
    return text


def seen_corners(rgb: np.ndarray) -> tuple[str, ...]:
    """Colours of the four corners: top left, top right, bottom left, bottom right."""
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    h, w = rgb.shape[:2]
    points = [(h // 5, w // 5), (h // 5, -w // 5), (-h // 5, w // 5), (-h // 5, -w // 5)]
    return tuple(min(names, key=lambda name: np.abs(rgb[p].astype(int) - names[name]).sum()) for p in points)
