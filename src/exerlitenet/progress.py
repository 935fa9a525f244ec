"""How long work shows that it continues: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol, Self, TextIO


class Progress(Protocol):
    """Where long work reports. `partial(progress.step, "decoding clips")` is an `on_progress(done, total)`."""

    def step(self, what: str, done: float, total: float | None, note: str = "") -> None:
        """`done` of `total` (None: unknown) steps of `what` are done. note: a figure to show beside it."""
        ...

    def say(self, line: str) -> None:
        """A line that stays."""
        ...


class Lines:
    """Lines on stderr and no bars: for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def step(self, what: str, done: float, total: float | None, note: str = "") -> None:
        pass

    def say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class Bars:
    """A bar on stderr with the time left; lines scroll above it. A context manager.

    percent: shows the share that is done in place of steps.
    """

    def __init__(self, *, percent: bool = False) -> None:
        from rich import progress
        from rich.console import Console

        self._display = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TaskProgressColumn() if percent else progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._what: str | None = None

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def step(self, what: str, done: float, total: float | None, note: str = "") -> None:
        if what != self._what:  # other work has begun, and what was shown has ended
            for task in self._display.task_ids:
                self._display.remove_task(task)
            self._display.add_task(what, total=total, note=note)
            self._what = what
        self._display.update(self._display.task_ids[0], completed=done, total=total, note=note)

    def say(self, line: str) -> None:
        self._display.console.print(line, highlight=False, markup=False)


class Logged:
    """A progress whose lines also go into a log. log: is given each line."""

    def __init__(self, inner: Progress, log: Callable[[str], object]) -> None:
        self.step, self._inner, self._log = inner.step, inner, log

    def say(self, line: str) -> None:
        self._log(line)
        self._inner.say(line)
