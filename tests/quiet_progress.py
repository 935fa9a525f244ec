"""A progress for tests."""

from __future__ import annotations


class Quiet:
    """Keeps the lines and the names of the stretches, and shows nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stretches: list[str] = []

    def begin(self, what: str, total: int) -> None:
        self.stretches.append(what)

    def advance(self, done: int, note: str = "") -> None:
        pass

    def say(self, line: str) -> None:
        self.lines.append(line)
