"""What a verb says and writes: text for people, JSON for programs, bars while work is done."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.errors import InputError
from exerlitenet.files import STANDARD_OUTPUT as STANDARD_OUTPUT
from exerlitenet.files import check_writable as check_writable
from exerlitenet.files import write_output
from exerlitenet.progress import Bars

if TYPE_CHECKING:
    from rich.console import Console

# A pipe has no width; tables in it should not be cut to that of an old terminal.
WIDTH_OF_A_PIPE = 120

OnProgress = Callable[[float, float | None], None]
"""Called by long work with how much is done, and of how much if that is known."""


def complain(message: str) -> None:
    """One line on standard error, whatever names are in it."""
    print(f"exerlitenet: {' '.join(message.splitlines())}", file=sys.stderr, flush=True)


def console(*, quiet: bool = False) -> Console:
    """For people, on standard output. quiet: nothing is shown, since the output belongs to a program."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDTH_OF_A_PIPE
    return Console(quiet=quiet, width=width, highlight=False, markup=False, emoji=False)


def check_different(*paths: Path | str | None) -> None:
    """Raises InputError when two outputs would go to one file, or both to standard output, under whatever names."""
    places: set[str] = set()
    for path in paths:
        if path is None:
            continue
        name = os.fspath(path)
        # The file that a shell sends standard output to is the same place too.
        place = os.path.realpath("/dev/stdout" if name == STANDARD_OUTPUT else name)
        if place in places:
            raise InputError(f"{name}: named for two outputs; give each a file of its own")
        places.add(place)


def write_json(data: Any, where: str | Path) -> None:
    """Writes JSON to a file, whole or not at all, or to standard output for "-"."""
    text = json.dumps(data, indent=1, allow_nan=False) + "\n"
    write_text(text, where)


def write_text(text: str, where: str | Path) -> None:
    """The same for any text."""
    if where == STANDARD_OUTPUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    write_output(Path(where), text)


@contextmanager
def bar(what: str) -> Iterator[OnProgress]:
    """A bar on standard error while the block runs; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with Bars(percent=True) as bars:
        bars.step(what, 0, None)
        yield partial(bars.step, what)
