"""`recognize`: its JSON, tables, pages and videos, and what happens to bad input among good."""

from __future__ import annotations

import json
import os
from pathlib import Path

import av
import pytest

from bundles import SQUAT, still, write_bundle, write_workout
from clips import cut, noise, write_clip, write_images
from command import run, run_program
from exerlitenet.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """model/ and workout.mp4; not to be written to."""
    folder = tmp_path_factory.mktemp("recognize")
    write_bundle(folder / "model")
    write_workout(folder / "workout.mp4")
    return folder


@pytest.fixture
def model(folder: Path) -> tuple[str, Path]:
    return "--model", folder / "model"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_for_people(folder: Path, model: tuple[str, Path]) -> None:
    video = folder / "workout.mp4"
    result = run("recognize", video, *model)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == f"{video}: 26.0 s, model tiny"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert [row[2:4] for row in rows] == [["squat", "4"], ["biceps_curl", "5"]]
    assert all(row[4].endswith(" %") for row in rows)
    assert lines[-1].startswith("squat: 4 repetitions in 8.1 s; biceps_curl: 5 repetitions in 10.1 s")


def test_json_of_one_video(folder: Path, model: tuple[str, Path]) -> None:
    video = folder / "workout.mp4"
    result = run("recognize", video, *model, "--json", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    data = json.loads(result.stdout)
    assert list(data) == ["video", "duration_s", "model", "exercise", "segments", "predictions"]
    assert (data["video"], data["model"], data["exercise"]) == (str(video), "tiny", "biceps_curl")
    first = data["segments"][0]
    assert {"start_s", "end_s", "exercise", "confidence", "repetitions"} <= set(first)
    assert all(set(p["probabilities"]) == {"squat", "biceps_curl", "none"} for p in data["predictions"])
    assert len(data["predictions"]) >= 2 * 24
    assert data == Recognizer.load(model[1]).recognize(video).to_json()


def test_a_model_that_does_not_count(folder: Path, tmp_path: Path) -> None:
    """Everywhere its counts are missing, not 0."""
    model = write_bundle(tmp_path / "m", phase=False)
    video, report, drawn = next(folder.glob("*.mp4")), tmp_path / "r.html", tmp_path / "a.mp4"
    result = run(
        "recognize",
        video,
        "--model",
        model,
        "--json",
        tmp_path / "o.json",
        "--report",
        report,
        "--annotate",
        drawn,
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert "this model does not count" in result.stdout
    assert "0 repetitions" not in result.stdout
    segments = json.loads((tmp_path / "o.json").read_text())["segments"]
    assert {segment["repetitions"] for segment in segments} == {None}
    assert "repetitions not counted" in report.read_text("utf-8")
    assert drawn.stat().st_size > 1000


def test_a_list_for_several_videos_in_their_order(
    folder: Path, model: tuple[str, Path], tmp_path: Path
) -> None:
    images = write_images(tmp_path / "images", [still(SQUAT)] * 30)
    out = tmp_path / "out.json"
    result = run("recognize", images, folder / "workout.mp4", *model, "--json", out)
    assert result.exit_code == 0
    assert "squat: 0 repetitions in 4.0 s" in result.stdout
    assert [entry["exercise"] for entry in json.loads(out.read_text())] == ["squat", "biceps_curl"]
    assert names(tmp_path) == {"images", "out.json"}


def test_bad_videos_among_good_ones(folder: Path, model: tuple[str, Path], tmp_path: Path) -> None:
    good, text, missing = folder / "workout.mp4", tmp_path / "text.mp4", tmp_path / "missing.mp4"
    text.write_text("no video")
    result = run("recognize", missing, good, text, *model, "--json", "-")
    assert result.exit_code == 2
    first, second, third = json.loads(result.stdout)
    assert set(first) == set(third) == {"video", "error"}
    assert (first["video"], third["video"]) == (str(missing), str(text))
    assert second["exercise"] == "biceps_curl"
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0] == f"exerlitenet: {first['error']}"
    assert "missing.mp4: no such file" in lines[0]
    assert "text.mp4: not a video" in lines[1]


def test_one_bad_video_is_an_object(model: tuple[str, Path], tmp_path: Path) -> None:
    result = run("recognize", tmp_path / "missing.mp4", *model, "--json", "-")
    assert result.exit_code == 2
    assert set(json.loads(result.stdout)) == {"video", "error"}


def test_a_video_damaged_in_the_middle_counts_as_read(model: tuple[str, Path], tmp_path: Path) -> None:
    video = cut(write_clip(tmp_path / "v.mkv", noise(60), fps=15), 0.6)
    result = run("recognize", video, *model, "--json", "-")
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert "damaged at" in data["fault"]
    assert result.stderr == f"exerlitenet: {video}: {data['fault']}\n"


def test_a_very_short_video_has_a_prediction(model: tuple[str, Path], tmp_path: Path) -> None:
    video = write_clip(tmp_path / "v.mp4", [still(SQUAT)], fps=10)
    data = json.loads(run("recognize", video, *model, "--json", "-").stdout)
    assert len(data["predictions"]) == 1


def test_seconds(folder: Path, model: tuple[str, Path]) -> None:
    data = json.loads(run("recognize", folder / "workout.mp4", *model, "--seconds", 9, "--json", "-").stdout)
    assert data["duration_s"] == pytest.approx(9, abs=0.1)
    assert data["exercise"] == "squat"
    for bad in ("0", "-3", "nan", "inf"):
        result = run("recognize", folder / "workout.mp4", *model, "--seconds", bad)
        assert result.exit_code == 2
        assert "--seconds takes a positive number" in result.stderr


def test_report_and_annotated_video(folder: Path, model: tuple[str, Path], tmp_path: Path) -> None:
    report, annotated = tmp_path / "r.html", tmp_path / "a.mp4"
    result = run("recognize", folder / "workout.mp4", *model, "--report", report, "--annotate", annotated)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "workout.mp4" in report.read_text()
    with av.open(str(annotated)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 26 * 15
    assert names(tmp_path) == {"r.html", "a.mp4"}


def test_the_annotated_video_ends_where_recognition_did(
    folder: Path, model: tuple[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "a.mp4"
    result = run("recognize", folder / "workout.mp4", *model, "--seconds", 4, "--annotate", out)
    assert result.exit_code == 0
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 4 * 15


def test_no_page_where_nothing_was_read(model: tuple[str, Path], tmp_path: Path) -> None:
    result = run("recognize", tmp_path / "missing.mp4", *model, "--report", tmp_path / "r.html")
    assert result.exit_code == 2
    assert names(tmp_path) == set()


@pytest.mark.parametrize("option", ["--json", "--report", "--annotate"])
def test_outputs_are_checked_before_the_work(
    folder: Path,
    model: tuple[str, Path],
    tmp_path: Path,
    option: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Recognizer, "load", None)  # must not come so far
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.mp4").mkdir()
    video = folder / "workout.mp4"
    for out, message in [
        (tmp_path / "nosuch" / "x.mp4", "create it first"),
        (tmp_path / "file" / "x.mp4", "create it first"),
        (tmp_path / "folder.mp4", "a folder of that name exists"),
        (tmp_path / ("x" * 300 + ".mp4"), "cannot be written"),
        (video, "the source itself"),
    ]:
        result = run("recognize", video, *model, option, out)
        assert result.exit_code == 2, message
        [line] = result.stderr.splitlines()
        assert line.startswith(f"exerlitenet: {out}: ")
        assert message in line
    assert names(tmp_path) == {"file", "folder.mp4"}


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(folder: Path, model: tuple[str, Path], tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = run("recognize", folder / "workout.mp4", *model, "--json", tmp_path / "x.json")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_two_outputs_in_one_file(folder: Path, model: tuple[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "x"
    result = run("recognize", folder / "workout.mp4", *model, "--json", out, "--report", out)
    assert result.exit_code == 2
    assert "named for two outputs" in result.stderr


def test_annotate_takes_one_video_that_can_be_seen_twice(
    folder: Path, model: tuple[str, Path], tmp_path: Path
) -> None:
    video, out = folder / "workout.mp4", tmp_path / "a.mp4"
    result = run("recognize", video, video, *model, "--annotate", out)
    assert result.exit_code == 2
    assert "--annotate takes one video, got 2" in result.stderr
    result = run("recognize", "camera:0", *model, "--annotate", out)
    assert result.exit_code == 2
    assert "record it to a file" in result.stderr
    result = run("recognize", video, *model, "--annotate", tmp_path / "a.avi")
    assert result.exit_code == 2
    assert "must be an .mp4 file" in result.stderr


def test_a_name_that_is_no_text(folder: Path, model: tuple[str, Path], tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    (tmp_path / name).write_bytes((folder / "workout.mp4").read_bytes())
    result = run_program("recognize", name, *model, "--report", "r.html", "--json", "o.json", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "caf\\udce9.mp4" in result.stdout
    assert json.loads((tmp_path / "o.json").read_text())["video"] == name


def test_output_to_a_device(folder: Path, model: tuple[str, Path]) -> None:
    for option in ("--json", "--report"):
        result = run_program("recognize", folder / "workout.mp4", *model, option, "/dev/null")
        assert result.returncode == 0
        assert not os.path.isfile("/dev/null")


def test_without_keras_tensorflow_and_matplotlib(
    folder: Path, model: tuple[str, Path], tmp_path: Path
) -> None:
    result = run_program(
        *("recognize", folder / "workout.mp4", *model, "--report", tmp_path / "r.html"),
        without=("keras", "tensorflow", "matplotlib", "onnx", "tf2onnx"),
    )
    assert (result.returncode, result.stderr) == (0, "")
