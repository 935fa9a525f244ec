"""Files that are either whole or not there, however a program ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = "tmp-"
"""What the names of half-written files begin with."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what is written there takes its place when the block ends well."""
    # The suffixes stay: Keras and NumPy look at them.
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
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
