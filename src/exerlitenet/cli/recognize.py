"""`exerlitenet recognize`: videos and cameras in, exercises and repetitions out."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exerlitenet.cli.options import JsonOption, ModelOption, ReportOption
from exerlitenet.cli.output import bar, check_different, check_writable, complain, console, write_json
from exerlitenet.cli.show import clock, show_workout
from exerlitenet.errors import InputError

if TYPE_CHECKING:
    from exerlitenet.recognition.recognizer import Recognizer
    from exerlitenet.recognition.tracker import TrackerState
    from exerlitenet.results import Workout

CAMERA = "camera:"


def recognize(
    videos: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO...", help="Files, folders of images, addresses, or camera:0."),
    ],
    model: ModelOption = None,
    json_to: JsonOption = None,
    report: ReportOption = None,
    annotate: Annotated[
        Path | None,
        typer.Option("--annotate", metavar="FILE.mp4", help="Write the video with the results drawn on it."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="N", help="Stop after so many seconds of video.")
    ] = None,
) -> None:
    """Say which exercise videos show, from when to when, and how often.

    Exit status 2 when a video cannot be read; the others are still done.
    """
    check(videos, json_to, report, annotate, seconds)
    from exerlitenet.recognition.recognizer import Recognizer

    recognizer = Recognizer.load(model)
    out = console(quiet=json_to == "-")
    objects: list[dict[str, Any]] = []
    workouts: list[Workout] = []
    for number, video in enumerate(videos):
        try:
            workout = recognize_one(recognizer, video, seconds, quiet=json_to == "-")
        except InputError as error:
            complain(str(error))
            objects.append({"video": video, "error": str(error)})
            continue
        if number:
            out.print()
        show_workout(out, workout)
        if workout.fault is not None:
            complain(f"{video}: {workout.fault}")
        workouts.append(workout)
        objects.append(workout.to_json())
    if json_to is not None:
        write_json(objects[0] if len(objects) == 1 else objects, json_to)
    if report is not None and workouts:
        from exerlitenet.recognition.report import write_page

        write_page(workouts, report)
        out.print(f"report: {report}", soft_wrap=True)
    if annotate is not None and workouts:
        from exerlitenet.video.annotate import annotate_video

        with bar(f"writing {annotate.name}") as on_progress:
            annotate_video(
                videos[0], workouts[0], annotate, seconds=seconds, on_progress=lambda s: on_progress(s, 1.0)
            )
        out.print(f"annotated video: {annotate}", soft_wrap=True)
    if len(workouts) < len(videos):
        raise typer.Exit(2)


def check(
    videos: list[str], json_to: str | None, report: Path | None, annotate: Path | None, seconds: float | None
) -> None:
    """Raises InputError for what can be known to go wrong before any work is done."""
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise InputError(f"--seconds takes a positive number of seconds, got {seconds:g}")
    if annotate is not None:
        if len(videos) > 1:
            raise InputError(f"--annotate takes one video, got {len(videos)}; run the command once for each")
        from exerlitenet.video.annotate import check_output

        check_output(annotate, videos[0])
    for path in (json_to, report):
        check_writable(path, videos)
    check_different(json_to, report, annotate)


def recognize_one(recognizer: Recognizer, video: str, seconds: float | None, *, quiet: bool) -> Workout:
    """One video, with a bar; a camera, with a line whenever something changes."""
    if video.startswith(CAMERA):
        return recognize_camera(recognizer, video, seconds, say=complain if quiet else typer.echo)
    with bar(Path(video).name or video) as on_progress:
        return recognizer.recognize(video, seconds=seconds, on_progress=on_progress)


def recognize_camera(
    recognizer: Recognizer, source: str, seconds: float | None, say: Callable[[str], object]
) -> Workout:
    """Recognises a live source, with a line whenever the exercise or the count changes, until it ends,
    `seconds` have passed or Ctrl-C is pressed.

    say: is given each line. Raises InputError when the source cannot be opened, and KeyboardInterrupt when
    it was interrupted before the first frame.
    """
    from exerlitenet.video.source import open_video

    spec = recognizer.engine.spec
    tracker = recognizer.tracker(keep=True)
    shown: tuple[str, int | None] | None = None
    with open_video(source, rate=spec.rate, short_side=spec.source_short_side, limit_s=seconds) as video:
        say(f"{source}: recognising{'' if seconds is None else f' for {seconds:g} s'}; Ctrl-C ends it")
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
