"""Tables between markers: what stands there is what the results say, and never made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from documents import Source, render_document
from exerlitenet.errors import InputError
from markdown_table import markdown


def load(paths: Sequence[Path]) -> list[str]:
    return [path.read_text() for path in paths]


SOURCES = {
    "one": Source("one.txt", load, {"words": lambda texts: f"Words: {', '.join(texts)}"}),
    "many": Source("many-*.txt", load, {"words": lambda texts: f"{len(texts)} files: {' '.join(texts)}"}),
}
MARKER = "<!-- table: {} words -->\n{}<!-- end of table -->"


def test_everything_between_markers_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("a|b")
    old = (
        f"Before.\n\n{MARKER.format('one', 'old' + chr(10))}\n\nMiddle.\n{MARKER.format('one', '')}\nAfter.\n"
    )
    new = render_document(old, tmp_path, SOURCES)
    marked = MARKER.format("one", "Words: a|b\n")
    assert new == f"Before.\n\n{marked}\n\nMiddle.\n{marked}\nAfter.\n"
    assert render_document(new, tmp_path, SOURCES) == new


def test_a_source_may_have_several_files_in_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"many-{name}.txt").write_text(name)
    found = render_document(MARKER.format("many", ""), tmp_path, SOURCES)
    assert found == MARKER.format("many", "2 files: a b\n")


def test_what_is_not_there_is_reported(tmp_path: Path) -> None:
    found = render_document(MARKER.format("many", "99 files\n"), tmp_path, SOURCES)
    assert found == MARKER.format("many", "*Not there yet: results/many-*.txt.*\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MARKER.format("none", ""), "no table is called none words; there are one words, many words"),
        (MARKER.format("one", "").replace("words", "lines"), "no table is called one lines"),
        ("<!-- table: one words -->\n", "got 1 and 0"),
        ("<!-- end of table -->\n", "got 0 and 1"),
        ("<!-- table: one -->\n<!-- end of table -->\n", "got 1 and 1"),
    ],
)
def test_wrong_markers_are_reported(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("x")
    with pytest.raises(InputError, match=said):
        render_document(text, tmp_path, SOURCES)


def test_a_markdown_cell_cannot_break_its_table() -> None:
    assert markdown(("a", "b"), [["x|y", None]]) == "| a | b |\n| --- | --- |\n| x\\|y | - |"
