"""Whatever FFmpeg opens, files, addresses and cameras alike, as a sequence of timed pictures."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Literal

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from exerlitenet.errors import InputError
from exerlitenet.video.frame_skipping import FrameSkipper
from exerlitenet.video.picture import Fit, PictureConverter
from exerlitenet.video.presentation import PresentationClock, seconds
from exerlitenet.video.track import Picture

Kind = Literal["file", "address", "camera"]

DEFAULT_FPS = 25.0
# How long a source may have nothing new.
LONGEST_WAIT_S = 10.0
# A reader that fails this often in a row has nothing more to give.
MOST_READ_FAULTS = 16
# A longer duration of one picture is an error of the file.
LONGEST_SHOWN_S = 10.0
# What a damaged file may lack at its end before that counts as damage.
MISSING_END_S = 0.5
# Pixels that the mark "default" counts for when a stream is chosen, as in the ffmpeg program.
DEFAULT_STREAM_BONUS = 5_000_000
# FFmpeg renders text files as pictures of text; nobody means that.
TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "idf", "adf"})


class ContainerTrack:
    """The best video stream of an FFmpeg container (see `Track`); closes the container when it is closed."""

    def __init__(self, container: InputContainer, name: str, *, kind: Kind, fit: Fit) -> None:
        self._container = container
        self._kind = kind
        self.fault: str | None = None
        # An address may be a broadcast; nothing tells.
        self.live = kind != "file"
        try:
            self._stream = video_stream(container, name)
            # Frame threads hold pictures back, which a camera must not.
            self._stream.thread_type = "SLICE" if kind == "camera" else "AUTO"  # type: ignore[assignment]
            aspect = self._stream.sample_aspect_ratio
            sample_aspect = float(aspect) if aspect and 0.1 < aspect < 10 else 1.0
            self._converter = PictureConverter(fit, sample_aspect)
            self.fps = frame_rate(self._stream)
            self._end = end_of(container, self._stream)
            self._decoder = decoder_of(self._stream)
            self._clock = PresentationClock()
            self._rate: float | None = None
            self._skipper: FrameSkipper | None = None
            self._frames = self._decoded()
            first = next(self._frames, None)
            if first is None:
                raise InputError(f"{name}: no picture can be decoded; the video is damaged, get it again")
        except BaseException:
            container.close()
            raise
        self._first = first
        stamp_s = self._stamp(first.pts, first.time_base or self._stream.time_base)
        self.duration_s = None if kind == "camera" else self._duration(stamp_s or 0.0)
        self.width, self.height = self._converter.upright_size(first)

    def skip_unused(self, rate: float) -> None:
        """Pictures that a TickClock of this rate will not choose need not be decoded (see `FrameSkipper`)."""
        if self._kind == "file" and self._decoder.name == "h264":
            self._rate = rate

    def pictures(self) -> Iterator[Picture]:
        """Pictures in order of time; those out of order are dropped."""
        for frame in chain([self._first], self._frames):
            if self._skipper is not None:
                yield from self._skipped(frame.pts)
            time_base = frame.time_base or self._stream.time_base
            time_s = self._timed(frame.pts, frame.duration, time_base)
            if time_s is not None:
                yield Picture(time_s, self._clock.end_s - time_s, partial(self._converter.rgb, frame))
            if self._rate is not None and self._skipper is None and self.fault is None:
                self._begin_skipping()
        yield from self._skipped(None)
        self._note_missing_end()

    def _begin_skipping(self) -> None:
        origin_s, time_base = self._clock.origin_s, self._stream.time_base
        if origin_s is not None and time_base and self._rate is not None:
            self._skipper = FrameSkipper(self._rate, origin_s, time_base)
        self._rate = None

    def _skipped(self, pts: int | None) -> Iterator[Picture]:
        """Pictures that were left out before the one with this stamp; None: all that are left."""
        if self._skipper is None:
            return
        for stamp, duration in self._skipper.before(pts):
            time_s = self._timed(stamp, duration, self._stream.time_base)
            if time_s is not None:
                yield Picture(time_s, self._clock.end_s - time_s, None)

    def _timed(self, pts: int | None, duration: int | None, time_base: Fraction | None) -> float | None:
        """The time of a picture on the presentation clock; None for one that must be dropped."""
        return self._clock.time_of(self._stamp(pts, time_base), self._shown_s(duration, time_base))

    def close(self) -> None:
        """Closes the container."""
        self._frames.close()
        self._container.close()

    def _stamp(self, pts: int | None, time_base: Fraction | None) -> float | None:
        if pts is not None and time_base:
            return seconds(pts, time_base)
        return time.monotonic() if self._kind == "camera" else None

    def _shown_s(self, duration: int | None, time_base: Fraction | None) -> float:
        """How long a picture is shown: as the container says, else one period of the frame rate."""
        shown_s = seconds(duration, time_base) if duration and time_base else 0.0
        return shown_s if 0 < shown_s <= LONGEST_SHOWN_S else 1 / self.fps

    def _duration(self, first_stamp_s: float) -> float | None:
        """Seconds from the first picture to the end that the container tells of, if plausible."""
        if self._end is None or self._end.stamp_s <= first_stamp_s:
            return None
        return self._end.stamp_s - first_stamp_s

    def _note(self, what: str) -> None:
        """Keeps the first fault only: the later ones mostly follow from it. From here on everything is decoded."""
        self._skipper = self._rate = None
        if self.fault is None:
            self.fault = f"damaged at {self._clock.end_s:.1f} s: {what}"

    def _note_missing_end(self) -> None:
        if self._kind != "file" or self._end is None or not self._end.exact or self._clock.origin_s is None:
            return
        missing = self._end.stamp_s - self._clock.origin_s - self._clock.end_s
        if missing > MISSING_END_S:
            end = f"the last {missing:.1f} s are missing"
            self.fault = (
                f"{self.fault}; {end}" if self.fault else f"damaged at {self._clock.end_s:.1f} s: {end}"
            )

    def _decoded(self) -> Generator[av.VideoFrame, None, None]:
        """Intact frames; after damage from the next key frame on: what is between depends on lost data."""
        started = wait_for_key = skipping = False
        for packet in self._packets():
            skips = self._skipper is not None and packet is not None and self._skipper.skips(packet)
            if skips != skipping:
                self._decoder.skip_frame = "NONREF" if skips else "DEFAULT"
                skipping = skips
            try:
                frames = self._decoder.decode(packet)
            except av.error.FFmpegError:
                if started:
                    self._note("some pictures cannot be decoded and were left out")
                    wait_for_key = True
                elif self._kind == "file":
                    # Whoever joins a broadcast waits for its headers; a file should begin with them.
                    self._note("the first pictures cannot be decoded and were left out")
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


@dataclass(frozen=True)
class StreamEnd:
    """Where a stream ends as far as the container tells before it is read.

    stamp_s: seconds on the container's clock.
    exact: whether it is the stream's own end, not that of the longest stream or an estimate.
    """

    stamp_s: float
    exact: bool


def end_of(container: InputContainer, stream: VideoStream) -> StreamEnd | None:
    """The end that the container tells of; None if it does not."""
    # Matroska keeps the end of each stream in a tag; its other duration is that of the whole file.
    tagged = tagged_seconds(stream.metadata.get("DURATION", ""))
    if tagged is not None:
        return StreamEnd(tagged, True)
    alone = len(container.streams) == 1
    if stream.duration and stream.time_base:
        end = (stream.start_time or 0) + stream.duration
        return StreamEnd(float(end * stream.time_base), alone or "mp4" in container.format.name)
    if container.duration:
        return StreamEnd(container.duration / av.time_base, alone)
    return None


def tagged_seconds(tag: str) -> float | None:
    """Seconds of a tag such as "00:01:02.500000000"; None if it is not of that form."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", tag.strip())
    if match is None:
        return None
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
