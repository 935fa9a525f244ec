"""A camera on the command line, played from pictures in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pytest

from bundles import SPEC, frames_of, workout_pictures, write_bundle
from command import run
from exerlitenet.results import Frame


class Camera:
    """In place of `open_video`: the workout of `bundles`, for `limit_s` seconds, then what `end` does."""

    def __init__(
        self,
        name: str,
        *,
        end: type[BaseException] | None = None,
        pictures: int | None = None,
        **options: Any,
    ) -> None:
        self.name, self.options, self._end, self._pictures = name, options, end, pictures
        self.duration_s: float | None = None
        self.fault: str | None = None
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def __iter__(self) -> Iterator[Frame]:
        limit_s = self.options["limit_s"] or 26
        for frame in frames_of(workout_pictures()[: self._pictures], 15):
            if frame.time_s >= limit_s:
                break
            yield frame
        if self._end is not None:
            raise self._end
        self.duration_s = limit_s


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "model")


def use(monkeypatch: pytest.MonkeyPatch, **more: Any) -> list[Camera]:
    opened: list[Camera] = []

    def open_video(name: str, **options: Any) -> Camera:
        opened.append(Camera(name, **options, **more))
        return opened[-1]

    monkeypatch.setattr("exerlitenet.video.source.open_video", open_video)
    return opened


def test_a_line_whenever_something_changes_and_the_summary(
    monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    opened = use(monkeypatch)
    result = run("recognize", "camera:0", "--model", model, "--seconds", 26)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "camera:0: recognising for 26 s; Ctrl-C ends it"
    changes = lines[1 : lines.index("camera:0: 26.0 s, model tiny")]
    words = [tuple(line.split()[1:]) for line in changes]
    assert words[0] == ("none",)
    assert ("none",) in words[1:]
    assert words[-1] == ("biceps_curl", "5")  # the next one may still belong to the set
    assert ("squat", "4") in words
    assert all(before != after for before, after in pairwise(words))
    assert lines[-1].startswith("squat: 4 repetitions")
    [source] = opened
    assert source.closed
    assert source.options == {"rate": SPEC.rate, "short_side": SPEC.source_short_side, "limit_s": 26.0}


def test_ctrl_c_ends_with_the_summary(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    use(monkeypatch, end=KeyboardInterrupt)
    result = run("recognize", "camera:0", "--model", model, "--seconds", 12)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("squat: 4 repetitions")


def test_ctrl_c_before_the_first_picture_stops(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    opened = use(monkeypatch, end=KeyboardInterrupt, pictures=0)
    result = run("recognize", "camera:0", "--model", model)
    assert (result.exit_code, result.stderr) == (130, "exerlitenet: stopped\n")
    assert opened[0].closed


def test_json_on_standard_output_leaves_the_lines_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    use(monkeypatch)
    result = run("recognize", "camera:0", "--model", model, "--json", "-")
    assert json.loads(result.stdout)["exercise"] == "biceps_curl"
    assert "camera:0: recognising" in result.stderr
    assert "squat  4" in result.stderr


def test_a_camera_that_is_not_there(model: Path) -> None:
    result = run("recognize", "camera:97", "--model", model)
    assert result.exit_code == 2
    assert "camera:97" in result.stderr
    assert len(result.stderr.splitlines()) == 1
