"""Opening any source of pictures: a file, a folder of images, a camera, an address."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from exerlitenet.errors import InputError
from exerlitenet.results import Frame
from exerlitenet.video.camera import PREFIX, open_camera, reason
from exerlitenet.video.container import ContainerTrack
from exerlitenet.video.folder import FolderTrack
from exerlitenet.video.picture import Fit
from exerlitenet.video.prefetch import prefetched
from exerlitenet.video.sequence import TickClock
from exerlitenet.video.track import Track

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
# Seconds to wait for an address: to open it, and for each read.
ADDRESS_TIMEOUT_S = (20.0, 20.0)
# A title that is not UTF-8 is no reason to refuse a video. From PyAV 19 on that is so without being asked for.
METADATA: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


class VideoSource:
    """Frames of one video, in order of time; a context manager, and iterable once.

    Attributes:
        name: the source as the user gave it.
        fps: nominal frames a second of the original.
        width: of the original, upright, in pixels.
        height: of the original, upright, in pixels.
        duration_s: seconds as far as known; once all frames were read the real ones (last frame + one period).
        fault: set when damage was met: one line with its time. The frames before it were delivered.

    Examples:
        >>> from exerlitenet.video.source import open_video
        >>> with open_video("video.mp4", rate=7.5, short_side=96) as video:
        ...     shapes = {frame.rgb.shape for frame in video}
        >>> video.width, video.height, shapes
        (128, 160, {(120, 96, 3)})
    """

    def __init__(
        self, name: str, track: Track, *, rate: float | None, limit_s: float | None, prefetch: int = 0
    ) -> None:
        self.name = name
        self.fps, self.width, self.height = track.fps, track.width, track.height
        self._track = track
        self._rate = rate
        self._limit_s = limit_s
        self._frames: Generator[Frame, None, None] = self._read()
        if rate is not None:
            track.skip_unused(rate)
        if prefetch and not track.live:
            self._frames = prefetched(self._frames, prefetch)
        self.duration_s = track.duration_s
        if limit_s is not None:
            self.duration_s = limit_s if self.duration_s is None else min(limit_s, self.duration_s)

    @property
    def fault(self) -> str | None:
        return self._track.fault

    def close(self) -> None:
        """Releases the file or the camera; nothing can be read after it."""
        self._frames.close()
        self._track.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """Continues where an earlier loop stopped."""
        return self._frames

    def _read(self) -> Generator[Frame, None, None]:
        clock = None if self._rate is None else TickClock(self._rate)
        end_s = 0.0
        for time_s, duration_s, convert in self._track.pictures():
            if self._limit_s is not None and time_s >= self._limit_s:
                break
            end_s = time_s + duration_s
            if convert is not None and (clock is None or clock.ticks(time_s) > 0):
                yield Frame(time_s, convert())
        self.duration_s = end_s if self._limit_s is None else min(end_s, self._limit_s)


def open_video(
    source: str | Path,
    *,
    rate: float | None = None,
    short_side: int | None = None,
    long_side: int | None = None,
    limit_s: float | None = None,
    folder_fps: float = 7.5,
    prefetch: int = 0,
) -> VideoSource:
    """Opens a source and decodes its first picture.

    Args:
        source: any file FFmpeg reads, a folder of images (natural order by name), "camera:0", or an address
            (http, https, rtsp ...).
        rate: frames a second to choose by time with `TickClock`; only these are converted. Each comes once, so that
            `sample` at the same rate chooses the same ones. None gives every frame.
        short_side: frames are scaled down until their short side is at most so many pixels; never up.
        long_side: the same for the long side.
        limit_s: stop after so many seconds of video.
        folder_fps: images a second of a folder.
        prefetch: frames of a file or folder that a thread reads before they are asked for; of a camera or an address,
            each is read when it is asked for.

    Raises:
        InputError: if no picture can be had, with what was wrong and what to do.
    """
    name = str(source)
    check_arguments(rate, limit_s)
    track = open_track(name, Fit(short_side, long_side), folder_fps)
    return VideoSource(name, track, rate=rate, limit_s=limit_s, prefetch=prefetch)


def check_arguments(rate: float | None, limit_s: float | None) -> None:
    """Raises InputError for values that make no sense."""
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise InputError(f"the rate must be a positive number of frames a second, got {rate}")
    if limit_s is not None and not limit_s > 0:
        raise InputError(f"the limit must be a positive number of seconds, got {limit_s}")


def open_track(name: str, fit: Fit, folder_fps: float) -> Track:
    """Chooses by the name what kind of source it is, and opens it."""
    if not name.strip():
        raise InputError("an empty name; give a video file, a folder of images, camera:0 or an address")
    if name.startswith(PREFIX):
        return ContainerTrack(open_camera(name), name, kind="camera", fit=fit)
    if name.lower().startswith("file://"):
        from urllib.request import url2pathname  # loads an HTTP client, too

        return open_path(Path(url2pathname(urlsplit(name).path)), name, fit, folder_fps)
    if ADDRESS.match(name):
        return ContainerTrack(open_address(name), name, kind="address", fit=fit)
    return open_path(Path(name), name, fit, folder_fps)


def open_path(path: Path, name: str, fit: Fit, folder_fps: float) -> Track:
    """A folder of images or a file."""
    if os.path.isdir(path):  # unlike Path.is_dir it raises for no path, however odd
        return FolderTrack(path, name, fps=folder_fps, fit=fit)
    return ContainerTrack(open_file(path, name), name, kind="file", fit=fit)


def open_file(path: Path, name: str) -> InputContainer:
    """Opens a file with FFmpeg; every way in which that can fail has its own line."""
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{name}: an empty file; record or download it again")
        # "file:" keeps FFmpeg from taking a name with a colon for a protocol.
        container: InputContainer = av.open(f"file:{os.fspath(path)}", mode="r", **METADATA)
        return container
    except (av.error.FileNotFoundError, av.error.NotADirectoryError, FileNotFoundError) as error:
        raise InputError(f"{name}: no such file; check the path") from error
    except (av.error.PermissionError, PermissionError) as error:
        raise InputError(f"{name}: no permission to read it; check its access rights") from error
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise InputError(
            f"{name}: not a video, or damaged from its start; give a video file such as MP4, MKV, MOV or WebM"
        ) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be opened ({reason(error)}); give a video file") from error


def open_address(name: str) -> InputContainer:
    """Opens an address with FFmpeg."""
    try:
        container: InputContainer = av.open(name, mode="r", timeout=ADDRESS_TIMEOUT_S, **METADATA)
        return container
    except av.error.ProtocolNotFoundError as error:
        raise InputError(f"{name}: an unknown kind of address; use http, https, rtsp or a file") from error
    except av.error.InvalidDataError as error:
        raise InputError(f"{name}: what it sends is not a video; check the address") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        what = "no answer" if isinstance(error, av.error.ExitError) else reason(error)
        raise InputError(
            f"{name}: the address cannot be opened ({what}); check it and the network, or download the video"
        ) from error
