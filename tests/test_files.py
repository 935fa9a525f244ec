"""Whole files or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exerlitenet.errors import InputError
from exerlitenet.files import check_can_be_written, output_file, replacing, write_output


class Defect(Exception):
    pass


def write_half(path: Path) -> None:
    path.write_text("half")
    raise Defect


@pytest.mark.parametrize("way", [replacing, output_file])
def test_a_file_is_whole_or_as_it_was(tmp_path: Path, way: object) -> None:
    out = tmp_path / "x.json"
    with way(out) as unfinished:  # type: ignore[operator]
        unfinished.write_text("first")
        assert unfinished.suffix == ".json"
        assert not out.exists()
    assert out.read_text() == "first"
    with pytest.raises(Defect), way(out) as unfinished:  # type: ignore[operator]
        write_half(unfinished)
    assert out.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("way", [replacing, output_file])
def test_several_that_write_one_file_at_once_do_not_meet(tmp_path: Path, way: object) -> None:
    """Threads, or programs in containers, where the numbers of processes say nothing."""
    out = tmp_path / "x.json"
    with way(out) as slow:  # type: ignore[operator]
        slow.write_text("the slow one's")
        with way(out) as fast:  # type: ignore[operator]
            fast.write_text("the fast one's")
        assert out.read_text() == "the fast one's"
        check_can_be_written(out)
    assert out.read_text() == "the slow one's"
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_new_file_has_the_usual_rights(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_output(tmp_path / "out", "text")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_name_that_is_no_text_can_be_written_about(tmp_path: Path) -> None:
    write_output(tmp_path / "out", os.fsdecode(b"caf\xe9"))
    assert (tmp_path / "out").read_text() == "caf\\udce9"


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "nosuch/x", "file/x"])
def test_what_cannot_be_written_is_bad_input_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        check_can_be_written(tmp_path / name)
    with pytest.raises(InputError, match="cannot be written"):
        write_output(tmp_path / name, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fills_up_while_writing_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No space left on device"), output_file(tmp_path / "x"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())
