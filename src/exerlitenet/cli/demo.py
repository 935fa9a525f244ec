"""`exerlitenet demo`: does it work here, and what does it look like?

A rendered person is recognised and counted beside the truth; or any video of the user's.
"""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated

import typer

from exerlitenet.cli.options import ModelOption
from exerlitenet.cli.output import OnProgress, bar, complain, console
from exerlitenet.cli.show import clock, show_workout
from exerlitenet.errors import InputError
from exerlitenet.files import make_folder

if TYPE_CHECKING:
    from rich.console import Console

    from exerlitenet.results import Segment

VIDEO, REPORT, ANNOTATED = "sample.mp4", "report.html", "annotated.mp4"
PROGRAM, WRONG = "exerlitenet", 1
NEXT = """
What next:
  the page         {program} live, and open the address it prints
  your camera      {program} recognize camera:0 --seconds 30
  your own video   {program} recognize path/to/video.mp4
  from Python      from exerlitenet import recognize
                   workout = recognize("path/to/video.mp4")
                   print(workout.exercise, workout.repetitions)"""


Expected = tuple[str, float, float, int]
"""One set of the sample clip as it truly is: exercise, start and end in seconds, repetitions."""


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
    from exerlitenet.recognition.recognizer import Recognizer
    from exerlitenet.recognition.report import write_page
    from exerlitenet.video.annotate import annotate_video

    recognizer = Recognizer.load(model)
    if video is not None:
        check_can_be_read_twice(video)
    make_folder(out)
    expected: tuple[Expected, ...] = ()
    with bar("rendering a person" if video is None else "recognising") as on_progress:
        if video is None:
            expected = write_sample(out / VIDEO, on_progress)
        source = str(out / VIDEO) if video is None else video
        workout = recognizer.recognize(source, on_progress=on_progress)
        write_page([workout], out / REPORT)
        annotate_video(source, workout, out / ANNOTATED, on_progress=lambda share: on_progress(share, 1.0))
    shown = console()
    show_workout(shown, workout)
    right = show_truth(shown, workout.segments, expected)
    for name, path in (("video", source), ("annotated", out / ANNOTATED), ("report", out / REPORT)):
        shown.print(f"{name + ':':10} {path}", soft_wrap=True)
    # In a checkout the command is in .venv/bin, which no shell searches; the package may also run as a program.
    started = sys.argv[0] if Path(sys.argv[0]).name == PROGRAM else f"{sys.executable} -m {PROGRAM}"
    program = PROGRAM if which(PROGRAM) else started
    shown.print(NEXT.format(program=program), soft_wrap=True, markup=False)
    if workout.fault is not None:
        complain(f"{source}: {workout.fault}")
    if not right:
        complain(
            "the sample clip was recognised wrongly: this installation is broken; "
            "install it anew, and report it if that does not help"
        )
        raise typer.Exit(WRONG)


def check_can_be_read_twice(video: str) -> None:
    """Raises InputError, before a folder is made, for what cannot be read once to recognise and once to draw."""
    from exerlitenet.video.camera import PREFIX
    from exerlitenet.video.source import open_video

    if video.startswith(PREFIX):
        raise InputError(f"{video}: the demo takes files; for a camera use exerlitenet recognize {video}")
    with open_video(video):
        pass


def write_sample(path: Path, on_progress: OnProgress | None = None) -> tuple[Expected, ...]:
    """Renders the sample clip to a video. Returns its truth."""
    from exerlitenet.files import output_file
    from exerlitenet.synthetic.dataset import write_video
    from exerlitenet.synthetic.sample import sample_clip

    if on_progress is not None:
        on_progress(0, None)
    clip = sample_clip()
    with output_file(path) as unfinished:
        write_video(clip.frames, clip.fps, unfinished)
    return clip.segments


def show_truth(out: Console, found: tuple[Segment, ...], expected: tuple[Expected, ...]) -> bool:
    """What was counted beside the truth, where it is known, and a verdict.

    Returns whether the sample is recognised: the same exercises in the same order, and each count at most one off.
    """
    same = [s.exercise for s in found] == [exercise for exercise, *_ in expected]
    errors = []
    for number, (exercise, start_s, end_s, repetitions) in enumerate(expected):
        its = found[number : number + 1] if same else [s for s in found if s.exercise == exercise]
        counts = [s.repetitions for s in its if s.repetitions is not None]
        counted = sum(counts) if counts or not its else None
        errors.append(0 if counted is None else abs(counted - repetitions))
        words = "nothing: this model does not count" if counted is None else counted
        line = f"{exercise} from {clock(start_s)} to {clock(end_s)}"
        out.print(f"truth: {line}: expected {repetitions}, counted {words}", soft_wrap=True)
    if not expected:
        return True
    right = same and max(errors) <= 1
    out.print(("within one" if any(errors) else "right") if right else "WRONG")
    return right
