"""From frames to the sequences a model sees: the one place that decides rate, resize, range and window.

Training, evaluation, files and the live page all pass through here, so a model never meets pictures that were
made in another way than those it learned from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.errors import InputError
from exerlitenet.results import Frame
from exerlitenet.video.crop import Crop, check_picture, crop_picture, whole_crop

Aspect = Literal["squash", "pad", "follow"]

ASPECTS: tuple[Aspect, ...] = ("squash", "pad", "follow")

# Presentation times are rounded to a video's time base; a frame this little before a tick still serves it.
TICK_TOLERANCE_S = 0.002


@dataclass(frozen=True)
class SequenceSpec:
    """How a model wants its input; stored with it in model.json.

    Attributes:
        frames: frames in a window (the paper: 15).
        rate: frames a second that the model gets. A window spans (frames - 1) / rate seconds.
        size: height and width of a frame in pixels.
        aspect: "squash" resizes to a square as the paper does; "pad" keeps the aspect and fills with black; "follow"
            crops a square around the person, chosen anew for every frame (see `recognition.follower`).
        source_short_side: frames are first brought to at most this short side, aspect kept, as cameras and files
            deliver very different sizes; the second resize then always works on similar pictures.
        least_frames: frames from which on a window is classified; before there are enough for a whole one, the first
            frame is held in front of them. 0 waits for a whole window.

    Examples:
        >>> from exerlitenet.video.sequence import SequenceSpec
        >>> SequenceSpec(frames=15, rate=7.5).window_s
        1.8666666666666667
    """

    frames: int = 15
    rate: float = 7.5
    size: int = 224
    aspect: Aspect = "squash"
    source_short_side: int = 256
    least_frames: int = 0

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise InputError(f"a sequence needs at least 1 frame, got frames={self.frames}")
        if not 0.1 <= self.rate <= 240:
            raise InputError(f"the rate must be from 0.1 to 240 frames a second, got rate={self.rate}")
        if self.size < 32:
            raise InputError(f"frames must be at least 32 pixels wide, got size={self.size}")
        if self.source_short_side < 32:
            raise InputError(
                f"sources need at least 32 pixels, got source_short_side={self.source_short_side}"
            )
        if self.aspect not in ASPECTS:
            raise InputError(f'aspect must be "squash", "pad" or "follow", got {self.aspect!r}')

        if not 0 <= self.least_frames <= self.frames:
            raise InputError(
                f"least_frames must be from 0 to frames, {self.frames}, got least_frames={self.least_frames}"
            )

    @property
    def first_window(self) -> int:
        """Frames of the first window that is classified."""
        return self.least_frames or self.frames

    @property
    def window_s(self) -> float:
        """Seconds from the first to the last frame of a window."""
        return (self.frames - 1) / self.rate


class TickClock:
    """Chooses frames by time: tick k is at k / rate and takes the first frame at or after it.

    Cameras vary, so frames are never chosen by count. A source slower than the rate serves several ticks with
    one frame, but at most `longest_gap_ticks`: what a longer gap would hold beyond that is left out.
    """

    def __init__(self, rate: float, longest_gap_ticks: int = 15) -> None:
        self.rate = rate
        self.longest_gap_ticks = longest_gap_ticks
        self._next_tick = 0
        self._start_s: float | None = None

    @property
    def last_tick_s(self) -> float:
        """Time of the last tick that was served, in seconds; the start before there was one."""
        return (self._start_s or 0.0) + max(0, self._next_tick - 1) / self.rate

    def tick_of(self, time_s: float) -> int:
        """The last tick at or before a time; the first frame, or time 0 before there was one, is at tick 0."""
        return math.floor((time_s - (self._start_s or 0.0) + TICK_TOLERANCE_S) * self.rate)

    def ticks(self, time_s: float) -> int:
        """How many ticks the frame at `time_s` serves: 0 = not needed. Times must not fall."""
        if self._start_s is None:
            self._start_s = time_s
        due = self.tick_of(time_s) - self._next_tick + 1
        if due <= 0:
            return 0
        self._next_tick += due
        return min(due, self.longest_gap_ticks)


def sample(frames: Iterable[Frame], rate: float) -> Iterator[Frame]:
    """Frames at `rate` a second, chosen by time; one that serves several ticks comes several times."""
    clock = TickClock(rate)
    for frame in frames:
        for _ in range(clock.ticks(frame.time_s)):
            yield frame


def prepare(rgb: NDArray[np.uint8], spec: SequenceSpec, crop: Crop | None = None) -> NDArray[np.uint8]:
    """Resize one frame.

    rgb: uint8 [height, width, 3] of any size. crop: of a spec that follows; the whole picture without it.
    Returns uint8 [size, size, 3].
    """
    check_picture(rgb)
    height, width = rgb.shape[:2]
    size = spec.size
    if spec.aspect != "squash":
        return crop_picture(rgb, crop or whole_crop(height, width), size)
    if (height, width) == (size, size):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((size, size), Image.Resampling.BILINEAR))


def to_unit_range(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 0..255 to float32 [0,1], the range the paper feeds; any shape."""
    return np.multiply(pixels, np.float32(1 / 255), dtype=np.float32)


def window_indices(start: int, ticks: int, frames: int) -> NDArray[np.int64]:
    """Ticks of the window from `start`: int64 [frames]; beyond the clip its first or last frame is held."""
    return np.clip(np.arange(start, start + frames), 0, ticks - 1)


def sequence_of(frames: Iterable[Frame], spec: SequenceSpec) -> NDArray[np.float32]:
    """First window of a stream: float32 [frames, size, size, 3] in [0,1]; a short one holds its last frame.

    Raises InputError for a stream without frames.
    """
    pictures: list[NDArray[np.uint8]] = []
    for frame in sample(frames, spec.rate):
        pictures.append(prepare(frame.rgb, spec))
        if len(pictures) == spec.frames:
            break
    if not pictures:
        raise InputError("a sequence needs at least one frame, got none")
    return to_unit_range(np.stack([pictures[i] for i in window_indices(0, len(pictures), spec.frames)]))
