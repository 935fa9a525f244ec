"""A recognised video for people: its segments as a table, and the sums in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from exerlitenet.results import Workout


def clock(seconds: float) -> str:
    """Minutes and seconds to a tenth: "1:02.5"."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def show_workout(out: Console, workout: Workout) -> None:
    """Header, segments, sums."""
    out.print(f"{workout.video}: {workout.duration_s:.1f} s, model {workout.model}", soft_wrap=True)
    if workout.segments:
        out.print(segment_table(workout))
    out.print(sums(workout), soft_wrap=True)


def segment_table(workout: Workout) -> Table:
    """One row per segment."""
    from rich.table import Table

    table = Table("from", "to", "exercise")
    table.add_column("repetitions", justify="right")
    table.add_column("confidence", justify="right")
    for segment in workout.segments:
        table.add_row(
            clock(segment.start_s),
            clock(segment.end_s),
            segment.exercise,
            "-" if segment.repetitions is None else str(segment.repetitions),
            f"{100 * segment.confidence:.0f} %",
        )
    return table


def sums(workout: Workout) -> str:
    """One line: "squat: 5 repetitions in 12.3 s; biceps_curl: 6 repetitions in 13.0 s"."""
    found: dict[str, tuple[int, float]] = {}
    for segment in workout.segments:
        count, seconds = found.get(segment.exercise, (0, 0.0))
        found[segment.exercise] = (
            count + (segment.repetitions or 0),
            seconds + segment.end_s - segment.start_s,
        )
    if not found:
        return "no exercise found"
    if any(segment.repetitions is None for segment in workout.segments):
        shown = "; ".join(f"{name}: {seconds:.1f} s" for name, (_, seconds) in found.items())
        return f"{shown}; this model does not count"
    return "; ".join(
        f"{name}: {count} repetition{'' if count == 1 else 's'} in {seconds:.1f} s"
        for name, (count, seconds) in found.items()
    )
