"""Results drawn onto the frames of a video, written as H.264 in an MP4 file."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image, ImageOps

from exerlitenet.errors import InputError
from exerlitenet.files import check_writable, output_file
from exerlitenet.results import Workout
from exerlitenet.video.camera import PREFIX, reason
from exerlitenet.video.overlay import Overlay
from exerlitenet.video.source import VideoSource, open_video

LONG_SIDE = 1280
# Fine enough for every usual frame rate; what MPEG streams use.
TIME_BASE = Fraction(1, 90_000)
BT709 = 1
LIMITED_RANGE = 1


def annotate_video(
    source: str | Path,
    workout: Workout,
    out: Path,
    *,
    seconds: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Writes `source` anew with the exercise, its confidence, the count and a timeline drawn on every frame.

    The long side is at most 1280 pixels, both sides are even, frame times are those of the source, and there
    is no sound. The file appears under its name only when it is whole and replaces what was there before.

    seconds: stop after so many, as recognition did. on_progress: called after each frame with the share that is
    done, 0 to 1.

    Raises InputError if the source cannot be read, is a camera, or `out` cannot be written or is no .mp4.
    """
    name = str(source)
    check_output(out, name)
    with (
        open_video(name, long_side=LONG_SIDE, limit_s=seconds) as video,
        output_file(out) as unfinished,
    ):
        try:
            write_frames(video, workout, unfinished, on_progress)
        except (av.error.FFmpegError, OSError) as error:
            raise InputError(f"{out}: cannot be written ({reason(error)}); check the space left") from error
    if on_progress is not None:
        on_progress(1.0)


def check_output(out: Path, source: str) -> None:
    """Raises InputError for a source or a name of which no annotated video can be made."""
    if source.startswith(PREFIX):
        raise InputError(f"{source}: what a camera saw is gone by now; record it to a file and annotate that")
    if out.suffix.lower() != ".mp4":
        raise InputError(f"{out}: the annotated video must be an .mp4 file; give a name that ends in .mp4")
    check_writable(out, [source])


def write_frames(
    video: VideoSource, workout: Workout, path: Path, on_progress: Callable[[float], None] | None
) -> None:
    """Encodes all frames of an opened video with their overlay."""
    duration_s = workout.duration_s or video.duration_s or 0.0
    reformatter = VideoReformatter()
    overlay: Overlay | None = None
    with av.open(f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream: VideoStream | None = None
        for frame in video:
            if stream is None or overlay is None:
                height, width = (side + side % 2 for side in frame.rgb.shape[:2])
                stream = add_stream(container, video.fps, width, height)
                overlay = Overlay(workout, duration_s, width, height)
                size = (width, height)
            picture = av.VideoFrame.from_ndarray(overlay.draw(fitted(frame.rgb, size), frame.time_s), "rgb24")
            encoded = reformatter.reformat(
                picture, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            encoded.pts, encoded.time_base = round(frame.time_s / TIME_BASE), TIME_BASE
            container.mux(stream.encode(encoded))
            if on_progress is not None and duration_s > 0:
                on_progress(min(1.0, frame.time_s / duration_s))
        if stream is not None:
            container.mux(stream.encode(None))


def add_stream(container: av.container.OutputContainer, fps: float, width: int, height: int) -> VideoStream:
    """An H.264 stream that keeps the times of its frames and says which colours it holds."""
    try:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError("this build of PyAV has no H.264 encoder; install the av wheel from PyPI") from error
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.options = {"preset": "veryfast", "crf": "21"}
    context = stream.codec_context
    context.time_base = TIME_BASE
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED_RANGE
    return stream


def fitted(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A frame brought to `size` (width, height): odd sides repeat their last line, others get black bars."""
    height, width = rgb.shape[:2]
    right, below = size[0] - width, size[1] - height
    if right == below == 0:
        return rgb
    if 0 <= right <= 1 and 0 <= below <= 1:
        return np.pad(rgb, ((0, below), (0, right), (0, 0)), mode="edge")
    return np.asarray(ImageOps.pad(Image.fromarray(rgb), size))
