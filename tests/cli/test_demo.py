"""The demo: the sample beside its truth, one's own video, and an installation that does not work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bundles import SQUAT, still, workout_pictures, write_bundle, write_workout
from clips import write_clip
from command import run
from exerlitenet.cli.demo import show_truth
from exerlitenet.cli.output import console
from exerlitenet.recognition.bundle import CARD, default_folder
from exerlitenet.results import Segment
from exerlitenet.synthetic import sample
from exerlitenet.synthetic.clip import render_clip

TRUTH = (("squat", 3.0, 11.0, 4), ("biceps_curl", 14.0, 24.0, 5))
FILES = {"report.html", "annotated.mp4"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("demo") / "model")


@pytest.fixture
def _coloured_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the rendered person, pictures that the tests' model understands."""
    rendered = render_clip(1_000_002, "squat", seconds=1, fps=5, width=64, height=48)
    clip = replace(rendered, frames=np.stack(workout_pictures()), fps=15.0, segments=TRUTH)
    monkeypatch.setattr(sample, "sample_clip", lambda: clip)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.usefixtures("_coloured_sample")
def test_the_sample_beside_its_truth(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("demo", "--model", model)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "truth: squat from 0:03.0 to 0:11.0: expected 4, counted 4" in result.stdout
    assert "truth: biceps_curl from 0:14.0 to 0:24.0: expected 5, counted 5" in result.stdout
    assert "\nright\n" in result.stdout
    for hint in (
        "recognize camera:0 --seconds 30",
        " recognize path/to/video.mp4",
        "from exerlitenet import recognize",
    ):
        assert hint in result.stdout
    assert names(tmp_path / "exerlitenet-demo") == {"sample.mp4", *FILES}
    assert run("demo", "--model", model).exit_code == 0  # a second time into the same folder


@pytest.mark.usefixtures("_coloured_sample")
def test_a_wrong_answer_is_status_1(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = sample.sample_clip()
    monkeypatch.setattr(
        sample, "sample_clip", lambda: replace(clip, segments=(TRUTH[0], ("squat", 14.0, 24.0, 5)))
    )
    result = run("demo", "--model", model, "--out", tmp_path / "d")
    assert result.exit_code == 1
    assert "WRONG" in result.stdout
    assert "installation is broken" in result.stderr


def test_ones_own_video(model: Path, tmp_path: Path) -> None:
    video, out = write_workout(tmp_path / "mine.mp4"), tmp_path / "d"
    result = run("demo", video, "--out", out, "--model", model)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "squat: 4 repetitions" in result.stdout
    assert "truth" not in result.stdout
    assert "right" not in result.stdout.split("What next")[0]
    assert names(out) == FILES


def test_bad_input(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    video = write_clip(tmp_path / "v.mp4", [still(SQUAT)] * 5)
    for arguments, message in [
        ((tmp_path / "nosuch.mp4", "--out", tmp_path / "d"), "no such file"),
        (("camera:0", "--out", tmp_path / "d"), "exerlitenet recognize camera:0"),
        ((video, "--out", tmp_path / "file"), "no folder can be made there"),
        ((video, "--out", tmp_path / "d", "--model", tmp_path), "no model.json"),
    ]:
        result = run("demo", "--model", model, *arguments)
        assert result.exit_code == 2
        [line] = result.stderr.splitlines()
        assert message in line
    assert names(tmp_path) == {"file", "v.mp4"}


@pytest.mark.skipif(not (default_folder() / CARD).is_file(), reason="no model in models/default yet")
def test_the_model_that_ships_is_right_on_the_sample(tmp_path: Path) -> None:
    result = run("demo", "--out", tmp_path / "d")
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout


def test_what_counts_as_right(capsys: pytest.CaptureFixture[str]) -> None:
    expected = (("squat", 3.0, 11.0, 4), ("biceps_curl", 14.0, 24.0, 5))

    def verdict(*counts: tuple[str, int | None]) -> str:
        found = tuple(Segment(10 * k, 10 * k + 5, name, 0.9, n) for k, (name, n) in enumerate(counts))
        right = show_truth(console(), found, expected)
        last = capsys.readouterr().out.splitlines()[-1]
        assert right == (last != "WRONG")
        return last

    assert verdict(("squat", 4), ("biceps_curl", 5)) == "right"
    assert (
        verdict(("squat", 5), ("biceps_curl", 4)) == verdict(("squat", 4), ("biceps_curl", 6)) == "within one"
    )
    assert verdict(("squat", 6), ("biceps_curl", 5)) == "WRONG"
    assert verdict(("biceps_curl", 5), ("squat", 4)) == "WRONG"
    assert verdict(("squat", 4)) == verdict() == "WRONG"
    assert verdict(("squat", 4), ("biceps_curl", 5), ("squat", 1)) == "WRONG"
    # A model that does not count is not broken: its exercises alone are compared.
    assert verdict(("squat", None), ("biceps_curl", None)) == "right"
    assert verdict(("biceps_curl", None), ("squat", None)) == "WRONG"
