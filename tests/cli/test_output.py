"""Writing whole files or none, and bars that are shown on terminals only."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from exerlitenet.cli.output import bar, check_different, check_writable, write_json
from exerlitenet.cli.show import clock, sums
from exerlitenet.errors import InputError
from exerlitenet.results import Segment, Workout


def test_a_check_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    check_writable(out)
    assert not list(tmp_path.iterdir())
    out.write_text("old")
    check_writable(str(out), ["camera:0", "http://host/x.mp4", tmp_path / "other.mp4"])
    assert out.read_text() == "old"
    check_writable("-")
    check_writable(None)


def test_a_link_to_the_source_is_the_source(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_text("")
    (tmp_path / "link.json").symlink_to("v.mp4")
    with pytest.raises(InputError, match="the source itself"):
        check_writable(tmp_path / "link.json", [tmp_path / "v.mp4"])


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_writable(pipe)
        write_json([1], pipe)
        assert json.loads(os.read(reader, 100)) == [1]
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_two_outputs(tmp_path: Path) -> None:
    check_different("-", None, tmp_path / "a", tmp_path / "b")
    with pytest.raises(InputError, match="-: named for two outputs"):
        check_different("-", tmp_path / "a", "-")
    with pytest.raises(InputError, match="named for two outputs"):
        check_different(tmp_path / "a", tmp_path / "b" / ".." / "a")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="link/a: named for two outputs"):
        check_different(tmp_path / "a", str(tmp_path / "link" / "a"))


def test_standard_output_under_other_names() -> None:
    with pytest.raises(InputError, match="-: named for two outputs"):
        check_different("-", Path("-"))
    if os.path.exists("/dev/stdout"):
        with pytest.raises(InputError, match="/dev/stdout: named for two outputs"):
            check_different("-", "/dev/stdout")


def test_no_bar_in_a_pipe_and_one_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with bar("work") as reported:
        reported(1, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with bar("work [1]") as reported:
        reported(1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "work [1]" in captured.err


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.94, "0:59.9"), (59.96, "1:00.0"), (3600, "60:00.0")]
)
def test_times(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_sums() -> None:
    assert sums(Workout((), ())) == "no exercise found"
    segments = (
        Segment(0, 2, "squat", 0.9, 1),
        Segment(3, 5, "biceps_curl", 0.9, 1),
        Segment(6, 9, "squat", 0.9, 2),
    )
    assert sums(Workout(segments, ())) == "squat: 3 repetitions in 5.0 s; biceps_curl: 1 repetition in 2.0 s"
