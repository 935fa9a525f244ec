"""How long work shows that it goes on: bars on a terminal, one line an epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TextIO


class Progress(Protocol):
    """Told by long work what it is doing."""

    def begin(self, what: str, total: int) -> None:
        """A stretch of `total` steps begins; the one before it has ended."""
        ...

    def advance(self, done: int, note: str = "") -> None:
        """`done` steps of the stretch are done. note: a figure to show beside it."""
        ...

    def say(self, line: str) -> None:
        """A line that stays."""
        ...


class Lines:
    """Lines on stderr and no bars: for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def begin(self, what: str, total: int) -> None:
        pass

    def advance(self, done: int, note: str = "") -> None:
        pass

    def say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class Bars:
    """A bar on stderr with the time left; lines scroll above it. A context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Display

        self._display = Display(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: int | None = None

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()

    def begin(self, what: str, total: int) -> None:
        if self._task is not None:
            self._display.remove_task(self._task)  # type: ignore[arg-type]
        self._task = self._display.add_task(what, total=total, note="")

    def advance(self, done: int, note: str = "") -> None:
        if self._task is not None:
            self._display.update(self._task, completed=done, note=note)  # type: ignore[arg-type]

    def say(self, line: str) -> None:
        self._display.console.print(line, highlight=False, markup=False)


class Logged:
    """A progress whose lines also go into a log. log: is given each line."""

    def __init__(self, inner: Progress, log: Callable[[str], object]) -> None:
        self._inner, self._log = inner, log

    def begin(self, what: str, total: int) -> None:
        self._inner.begin(what, total)

    def advance(self, done: int, note: str = "") -> None:
        self._inner.advance(done, note)

    def say(self, line: str) -> None:
        self._log(line)
        self._inner.say(line)


class Stretch:
    """Turns calls of (done, all) into a stretch of a Progress."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress, self._what, self._begun = progress, what, False

    def __call__(self, done: int, total: int) -> None:
        if not self._begun:
            self._progress.begin(self._what, total)
            self._begun = True
        self._progress.advance(done)
