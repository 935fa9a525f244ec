"""A process of its own that is asked again and again, so that two programs can be timed in turn in one run.

A request is a line of JSON, [name, argument, ...], and so is what comes back. The process ends with its input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from exerlitenet.benchmark.process import calling
from exerlitenet.errors import InputError


class Worker:
    """Starts a program that answers requests. A context manager: leaving it ends the program.

    command: program and arguments. environment: variables beside those of this process. Raises OSError where there
    is no such program.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
            )
        except BaseException:
            self._said.close()
            raise

    @classmethod
    def calling(cls, function: str, arguments: Sequence[object] = ()) -> Self:
        """A Python process that calls "module:function", which should end in `serve`, with arguments for JSON."""
        return cls(calling(function, arguments))

    def ask(self, *request: object) -> Any:
        """Waits for the answer. Raises InputError with the program's last line when it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise InputError(self._last_line())
        return json.loads(line)

    def _last_line(self) -> str:
        status = self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"the process ended with status {status} and said nothing"

    @property
    def ended(self) -> bool:
        """Whether the program is no longer there."""
        return self._process.poll() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is at work on a request would not see the end of its input before it is done.
        if fault is not None:
            self._process.kill()
        self._process.communicate()
        self._said.close()


def serve(answers: Mapping[str, Callable[..., object]]) -> None:
    """In the worker: answers requests until the input ends. answers: name -> what answers it, for JSON.

    Standard output becomes standard error, so that no library's remark is taken for an answer.
    """
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            print(json.dumps(answers[name](*arguments)), file=out, flush=True)


@contextmanager
def one_core() -> Iterator[bool]:
    """Holds this thread, and processes started meanwhile, to one core. Gives whether the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, allowed)
