"""Whatever FFmpeg opens, files, addresses and cameras alike, as a sequence of timed pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from functools import partial
from typing import Literal

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from exerlitenet.errors import InputError
from exerlitenet.video.picture import Fit, PictureConverter
from exerlitenet.video.track import Picture

Kind = Literal["file", "address", "camera"]

DEFAULT_FPS = 25.0
# A fall of the time stamps by more than this is a restarted clock, by less a picture out of order.
CLOCK_RESTART_S = 1.0
LONGEST_WAIT_S = 10.0
# A reader that fails this often in a row has nothing more to give.
MOST_READ_FAULTS = 16
# What a damaged file may lack at its end before that counts as damage.
MISSING_END_S = 0.5
DEFAULT_STREAM_BONUS = 5_000_000
# FFmpeg renders text files as pictures of text; nobody means that.
TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "idf", "adf"})


class ContainerTrack:
    """The best video stream of an FFmpeg container (see `Track`); closes the container when it is closed."""

    def __init__(self, container: InputContainer, name: str, *, kind: Kind, fit: Fit) -> None:
        self._container = container
        self._kind = kind
        self.fault: str | None = None
        try:
            self._stream = video_stream(container, name)
            # Frame threads hold pictures back, which a camera must not.
            self._stream.thread_type = "SLICE" if kind == "camera" else "AUTO"  # type: ignore[assignment]
            aspect = self._stream.sample_aspect_ratio
            sample_aspect = float(aspect) if aspect and 0.1 < aspect < 10 else 1.0
            self._converter = PictureConverter(fit, sample_aspect)
            self.fps = frame_rate(self._stream)
            self.duration_s = None if kind == "camera" else known_duration(container, self._stream)
            self._decoder = decoder_of(self._stream)
            self._end_s = 0.0
            self._frames = self._decoded()
            first = next(self._frames, None)
            if first is None:
                raise InputError(f"{name}: no picture can be decoded; the video is damaged, get it again")
        except BaseException:
            container.close()
            raise
        self._first = first
        self.width, self.height = self._converter.upright_size(first)

    def pictures(self) -> Iterator[Picture]:
        """Pictures in order of time; those out of order or without a time of their own are dropped."""
        period = 1 / self.fps
        origin: float | None = None
        last = -math.inf
        for frame in self._with_first():
            stamp = self._stamp(frame)
            if stamp is None:
                time_s = 0.0 if origin is None else last + period
            else:
                if origin is None:
                    origin = stamp
                time_s = stamp - origin
                if last - time_s > CLOCK_RESTART_S:
                    origin = stamp - last - period
                    time_s = last + period
            if origin is None:
                # Without time stamps the frame rate counts.
                time_s = 0.0 if last == -math.inf else last + period
            if time_s <= last:
                continue
            last = time_s
            self._end_s = time_s + period
            yield time_s, partial(self._converter.rgb, frame)
        self._note_missing_end()

    def close(self) -> None:
        """Closes the container."""
        self._frames.close()
        self._container.close()

    def _with_first(self) -> Iterator[av.VideoFrame]:
        yield self._first
        yield from self._frames

    def _stamp(self, frame: av.VideoFrame) -> float | None:
        time_base = frame.time_base or self._stream.time_base
        if frame.pts is not None and time_base:
            return float(frame.pts * time_base)
        return time.monotonic() if self._kind == "camera" else None

    def _note(self, what: str) -> None:
        """Keeps the first fault only: the later ones mostly follow from it."""
        if self.fault is None:
            self.fault = f"damaged at {self._end_s:.1f} s: {what}"

    def _note_missing_end(self) -> None:
        if self._kind == "file" and self.duration_s is not None:
            missing = self.duration_s - self._end_s
            if missing > MISSING_END_S:
                end = f"the last {missing:.1f} s are missing"
                self.fault = (
                    f"{self.fault}; {end}" if self.fault else f"damaged at {self._end_s:.1f} s: {end}"
                )

    def _decoded(self) -> Generator[av.VideoFrame, None, None]:
        """Intact frames; after damage from the next key frame on: what lies between rests on lost data."""
        started = wait_for_key = False
        for packet in self._packets():
            try:
                frames = self._decoder.decode(packet)
            except av.error.FFmpegError:
                # Before the first picture a decoder may still wait for its headers.
                if started:
                    self._note("some pictures cannot be decoded and were left out")
                    wait_for_key = True
                continue
            for frame in frames:
                if frame.is_corrupt:
                    if started:
                        self._note("some pictures are incomplete and were left out")
                        wait_for_key = True
                    continue
                if wait_for_key and not frame.key_frame:
                    continue
                wait_for_key = False
                started = True
                yield frame

    def _packets(self) -> Iterator[av.Packet[VideoStream] | None]:
        """Packets of the stream; after a break-off None, to fetch what the decoder still holds."""
        failures = 0
        waiting_since: float | None = None
        while failures < MOST_READ_FAULTS:
            try:
                for packet in self._container.demux(self._stream):
                    failures = 0
                    waiting_since = None
                    if packet.is_corrupt:
                        self._note("part of the data is missing")
                    # The last packet is empty: it fetches what the decoder still holds.
                    yield packet
                return
            except av.error.BlockingIOError:
                # Some capture formats answer at once that there is no new picture yet.
                now = time.monotonic()
                waiting_since = now if waiting_since is None else waiting_since
                if now - waiting_since > LONGEST_WAIT_S:
                    self._note("the source stopped answering")
                    break
                time.sleep(0.005)
            except av.error.ExitError:
                self._note("the source stopped answering")
                break
            except av.error.FFmpegError:
                failures += 1
                self._note("the data cannot be read")
        yield None


def decoder_of(stream: VideoStream) -> VideoCodecContext:
    """The stream's decoder; for VP8 and VP9 with transparency the one that decodes that too."""
    native = stream.codec_context
    library = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(native.name)
    if library is None or stream.metadata.get("ALPHA_MODE", stream.metadata.get("alpha_mode")) != "1":
        return native
    try:
        decoder = av.CodecContext.create(library, "r")
    except (av.error.FFmpegError, ValueError):
        return native
    return decoder if isinstance(decoder, VideoCodecContext) else native


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The best video stream that is no cover picture."""
    if container.format.name in TEXT_FORMATS:
        raise InputError(f"{name}: a text file, not a video; give a video file")
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        what = "only sound" if container.streams.audio else "no pictures"
        raise InputError(f"{name}: no video stream, {what} in it; give a file with a video stream")
    # As the ffmpeg program chooses: the largest picture, with an advantage for the one marked as default.
    stream = max(
        streams,
        key=lambda s: (
            s.codec_context is not None
            and s.width * s.height + DEFAULT_STREAM_BONUS * bool(s.disposition & Disposition.default)
        ),
    )
    if stream.codec_context is None:
        raise InputError(f"{name}: no decoder for its video format; convert it to H.264 in an MP4 file")
    return stream


def frame_rate(stream: VideoStream) -> float:
    """Frames a second as the container says or FFmpeg guesses; 25 where neither is plausible."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0.01 <= rate <= 1000:
            return float(rate)
    return DEFAULT_FPS


def known_duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds of the video as far as the container tells: the stream's own length, else the whole file's."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    tag = stream.metadata.get("DURATION", "")
    parts = tag.split(":")
    if len(parts) == 3:
        try:
            hours, minutes, seconds = (float(part) for part in parts)
        except ValueError:
            pass
        else:
            return hours * 3600 + minutes * 60 + seconds
    return container.duration / av.time_base if container.duration else None
