"""A progress for tests."""

from __future__ import annotations


class Quiet:
    """Keeps the lines and what the work was called, and shows nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[str] = []

    def step(self, what: str, done: float, total: float | None, note: str = "") -> None:
        if what not in self.steps[-1:]:
            self.steps.append(what)

    def say(self, line: str) -> None:
        self.lines.append(line)
