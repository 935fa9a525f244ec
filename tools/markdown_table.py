"""A table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; None is "-"."""
    lines = [list(columns), ["---"] * len(columns)]
    lines += [["-" if cell is None else f"{cell}".replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
