"""A camera at work on the command line: a line whenever the exercise or the count changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from exerlitenet.cli.show import clock
from exerlitenet.results import Workout
from exerlitenet.video.source import open_video

if TYPE_CHECKING:
    from exerlitenet.recognition.recognizer import Recognizer
    from exerlitenet.recognition.tracker import TrackerState


def recognize_camera(
    recognizer: Recognizer, source: str, seconds: float | None, say: Callable[[str], object]
) -> Workout:
    """Recognises a live source until it ends, `seconds` have passed or Ctrl-C is pressed.

    say: is given each line. Raises InputError when the source cannot be opened, and KeyboardInterrupt when
    it was interrupted before the first frame.
    """
    spec = recognizer.engine.spec
    tracker = recognizer.tracker(keep=True)
    shown: tuple[str, int | None] | None = None
    with open_video(source, rate=spec.rate, short_side=spec.source_short_side, limit_s=seconds) as video:
        say(f"{source}: watching{'' if seconds is None else f' for {seconds:g} s'}; Ctrl-C ends it")
        duration_s = None
        try:
            for frame in video:
                state = tracker.push(frame)
                now = (state.exercise, state.current.repetitions if state.current else None)
                if state.predictions and now != shown:
                    shown = now
                    say(line_of(state))
            duration_s = video.duration_s
        except KeyboardInterrupt:
            if not tracker.started:
                raise
        return tracker.workout(duration_s=duration_s, video=source, fault=video.fault)


def line_of(state: TrackerState) -> str:
    """Such as "0:12.5  squat  3"."""
    count = state.current.repetitions if state.current else None
    return f"{clock(state.time_s)}  {state.exercise}" + ("" if count is None else f"  {count}")
