"""What a verb says and writes: text for people, JSON for programs, bars while work goes on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.errors import InputError
from exerlitenet.files import check_can_be_written, is_special, write_output

if TYPE_CHECKING:
    from rich.console import Console

STANDARD_OUTPUT = "-"
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


def check_writable(path: Path | str | None, inputs: Iterable[str | Path] = ()) -> None:
    """Raises InputError unless a file can be written there; called before long work, and leaves nothing.

    inputs: what must not be overwritten. "-" and None are fine.
    """
    if path is None or path == STANDARD_OUTPUT:
        return
    out = Path(path)
    if os.path.isdir(out):
        raise InputError(f"{out}: a folder of that name exists; give the name of a file")
    if not os.path.isdir(out.parent):
        raise InputError(f"{out}: no folder {out.parent} to write to; create it first")
    for source in inputs:
        if os.path.exists(out) and os.path.exists(source) and os.path.samefile(out, source):
            raise InputError(f"{out}: the source itself; give another name for the output")
    if not is_special(out):
        check_can_be_written(out)


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
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task(what, total=None)
        yield lambda done, total: display.update(task, completed=done, total=total)
