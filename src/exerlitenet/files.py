"""Files that are either whole or as they were, however a program ends."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from exerlitenet.errors import InputError

TEMPORARY = "tmp-"
"""What the names of half-written files begin with."""

STANDARD_OUTPUT = "-"


def temporary_beside(path: Path) -> Path:
    """Where a file is written before it becomes `path`: in its folder, and another one on every call.

    By chance, since threads share the number of their process, and containers that share a folder have the same
    numbers. The suffixes stay, since Keras, NumPy and FFmpeg look at them.
    """
    return path.with_name(f"{TEMPORARY}{os.urandom(6).hex()}-{path.name}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what is written there takes its place when the block ends well."""
    temporary = temporary_beside(path)
    try:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Writes a text in UTF-8; a reader sees the old content or the new, never a part."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


@contextmanager
def output_file(path: Path) -> Iterator[Path]:
    """`replacing` for a file that a user asked for. Raises InputError when it cannot be written."""
    check_can_be_written(path)
    try:
        with replacing(path) as temporary:
            yield temporary
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}); check the space left"
        ) from error


def write_output(path: Path, text: str) -> None:
    """The same for a text, in UTF-8; what cannot be encoded, as in some names of files, is escaped.

    A pipe or a device is written to and stays one.
    """
    if is_special(path):
        try:
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
        return
    with output_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, where it is missing. Raises InputError when it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: no folder can be made there ({error.strerror}); name another") from error


def is_special(path: Path) -> bool:
    """A pipe or a device: nothing can be put in its place."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def check_can_be_written(path: Path) -> None:
    """Raises InputError unless a file of that name can be made in its folder; leaves nothing."""
    temporary = temporary_beside(path)
    try:
        temporary.touch()
        temporary.unlink()
    # A name with a zero byte is a ValueError.
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written ({why}); choose another name or folder") from error


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
