"""The first look: a rendered person is recognised and counted beside the truth; or any video of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exerlitenet.errors import InputError
from exerlitenet.files import output_file
from exerlitenet.recognition.page import write_page
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.results import Segment, Workout
from exerlitenet.video.annotate import annotate_video
from exerlitenet.video.camera import PREFIX
from exerlitenet.video.source import open_video

if TYPE_CHECKING:
    from exerlitenet.synthetic.clip import RenderedClip

VIDEO, REPORT, ANNOTATED = "sample.mp4", "report.html", "annotated.mp4"

Told = Callable[[str, float, float | None], None]
"""Told what is being done, how much of it is done, and of how much if that is known."""


@dataclass(frozen=True)
class Expected:
    """One set of the sample clip as it truly is; seconds."""

    exercise: str
    start_s: float
    end_s: float
    repetitions: int


@dataclass(frozen=True)
class Demo:
    """What the demo found, and where it wrote it.

    expected: the truth of the sample clip; empty for a video of the user's.
    """

    workout: Workout
    expected: tuple[Expected, ...]
    video: Path
    report: Path
    annotated: Path

    @property
    def right(self) -> bool:
        """The exercises in their order, each count at most one off; always so where no truth is known."""
        return not self.expected or is_right(self.workout.segments, self.expected)


def is_right(found: tuple[Segment, ...], expected: tuple[Expected, ...]) -> bool:
    """The same exercises in the same order, and each count at most one off."""
    return [s.exercise for s in found] == [e.exercise for e in expected] and all(
        abs(s.repetitions - e.repetitions) <= 1 for s, e in zip(found, expected, strict=True)
    )


def run_demo(
    out: Path,
    video: str | Path | None = None,
    *,
    model: str | Path | None = None,
    clip: Callable[[], RenderedClip] | None = None,
    progress: Told | None = None,
) -> Demo:
    """Recognises the sample clip, or `video`, and writes what it found into the folder `out`, which is made.

    clip: renders another sample. Raises InputError when the video or the model cannot be read, or nothing can
    be written.
    """
    told = progress or (lambda what, done, total: None)
    recognizer = Recognizer.load(model)
    if video is not None:
        _check_can_be_seen_twice(video)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{out}: no folder can be made there ({error.strerror}); name another by --out"
        ) from error
    expected: tuple[Expected, ...] = ()
    if video is None:
        path, expected = _sample(out, clip, told)
        source: str | Path = path
    else:
        source, path = video, Path(video)
    workout = recognizer.recognize(source, progress=lambda done, total: told("recognising", done, total))
    write_page([workout], out / REPORT)
    annotate_video(
        source, workout, out / ANNOTATED, progress=lambda share: told("drawing the results", share, 1.0)
    )
    return Demo(workout, expected, path, out / REPORT, out / ANNOTATED)


def _check_can_be_seen_twice(video: str | Path) -> None:
    """Raises InputError, before a folder is made, for what cannot be read once to recognise and once to draw."""
    if str(video).startswith(PREFIX):
        raise InputError(f"{video}: the demo takes files; for a camera use exerlitenet recognize {video}")
    with open_video(video):
        pass


def _sample(
    out: Path, clip: Callable[[], RenderedClip] | None, told: Told
) -> tuple[Path, tuple[Expected, ...]]:
    """Renders the sample clip into the folder. Returns the video and its truth."""
    from exerlitenet.synthetic.dataset import write_video
    from exerlitenet.synthetic.sample import sample_clip

    told("rendering a person", 0, None)
    rendered = (clip or sample_clip)()
    path = out / VIDEO
    with output_file(path) as unfinished:
        write_video(rendered.frames, rendered.fps, unfinished)
    return path, tuple(Expected(*segment) for segment in rendered.segments)
