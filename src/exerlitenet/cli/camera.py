"""A camera at work on the command line: a line whenever the exercise or the count changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from exerlitenet.cli.show import clock
from exerlitenet.recognition.live import LiveRecognition
from exerlitenet.results import NONE, Workout
from exerlitenet.video.source import open_video

if TYPE_CHECKING:
    from exerlitenet.recognition.live import Now
    from exerlitenet.recognition.recognizer import Recognizer


def watch(
    recognizer: Recognizer, source: str, seconds: float | None, say: Callable[[str], object]
) -> Workout:
    """Recognises a live source until it ends, `seconds` have passed or Ctrl-C is pressed.

    say: is given each line. Raises InputError when the source cannot be opened, and KeyboardInterrupt when
    it was interrupted before the first frame.
    """
    spec = recognizer.engine.spec
    live = LiveRecognition(recognizer)
    shown: tuple[str, int] | None = None
    with open_video(source, rate=spec.rate, short_side=spec.source_short_side, limit_s=seconds) as video:
        say(f"{source}: watching{'' if seconds is None else f' for {seconds:g} s'}; Ctrl-C ends it")
        interrupted = False
        try:
            for frame in video:
                now = live.push(frame)
                if now is not None and (now.exercise, now.repetitions) != shown:
                    shown = (now.exercise, now.repetitions)
                    say(line_of(now))
        except KeyboardInterrupt:
            if not live.started:
                raise
            interrupted = True
        return live.finish(
            duration_s=None if interrupted else video.duration_s, video=source, fault=video.fault
        )


def line_of(now: Now) -> str:
    """Such as "0:12.5  squat  3"."""
    return f"{clock(now.time_s)}  {now.exercise}" + ("" if now.exercise == NONE else f"  {now.repetitions}")
