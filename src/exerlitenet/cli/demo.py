"""`exerlitenet demo`: does it work here, and what does it look like?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exerlitenet.cli.options import ModelOption
from exerlitenet.cli.output import bar, complain, console

if TYPE_CHECKING:
    from rich.console import Console

    from exerlitenet.demo import Demo

WRONG = 1
NEXT = """
What next:
  the page         exerlitenet live, and open the address it prints
  your camera      exerlitenet recognize camera:0 --seconds 30
  your own video   make demo VIDEO=path/to/video.mp4
                   exerlitenet recognize path/to/video.mp4
  from Python      from exerlitenet import recognize
                   workout = recognize("path/to/video.mp4")
                   print(workout.exercise, workout.repetitions)
"""


def demo(
    video: Annotated[
        str | None, typer.Argument(metavar="[VIDEO]", help="Your own; by default a rendered person.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the report and the videos are written.")
    ] = Path("exerlitenet-demo"),
    model: ModelOption = None,
) -> None:
    """Recognise a sample clip and compare with the truth, or take any video.

    Exit status 1 when the sample is recognised wrongly: the installation is broken then.
    """
    from exerlitenet.demo import run_demo

    with bar("rendering a person" if video is None else "recognising") as told:
        found = run_demo(out, video, model=model, progress=lambda what, done, total: told(done, total))
    shown = console()
    show(shown, found)
    shown.print(NEXT.rstrip(), soft_wrap=True)
    if found.workout.fault is not None:
        complain(f"{video}: {found.workout.fault}")
    if not found.right:
        complain(
            "the sample clip was recognised wrongly: this installation is broken; "
            "install it anew, and report it if that does not help"
        )
        raise typer.Exit(WRONG)


def show(out: Console, found: Demo) -> None:
    """Segments and counts, beside the truth where it is known, and what was written."""
    from exerlitenet.cli.show import clock, show_workout

    show_workout(out, found.workout)
    for number, expected in enumerate(found.expected):
        segments = found.workout.segments
        line = f"{expected.exercise} from {clock(expected.start_s)} to {clock(expected.end_s)}"
        if [s.exercise for s in segments] == [e.exercise for e in found.expected]:
            counted = str(segments[number].repetitions)
        else:
            counted = str(sum(s.repetitions for s in segments if s.exercise == expected.exercise))
        out.print(f"truth: {line}: expected {expected.repetitions}, counted {counted}", soft_wrap=True)
    if found.expected:
        out.print("right" if found.right else "WRONG")
    out.print(f"video:     {found.video}", soft_wrap=True)
    out.print(f"annotated: {found.annotated}", soft_wrap=True)
    out.print(f"report:    {found.report}", soft_wrap=True)
