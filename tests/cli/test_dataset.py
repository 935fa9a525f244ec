"""`dataset`: what is in it, and every fault at once."""

from __future__ import annotations

import json
from pathlib import Path

from command import run, run_program
from datasets import write_dataset


def test_what_is_in_it(tmp_path: Path) -> None:
    table = write_dataset(tmp_path / "data")
    result = run("dataset", table)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "9 usable clips" in result.stdout
    assert "No faults." in result.stdout
    same = run("dataset", table.parent)
    assert same.stdout == result.stdout


def test_json(tmp_path: Path) -> None:
    table = write_dataset(tmp_path / "data")
    result = run("dataset", table, "--json", "-")
    data = json.loads(result.stdout)
    assert (data["clips"], data["groups"], data["classes"]["squat"]["clips"]) == (9, 3, 3)
    run("dataset", table, "--json", tmp_path / "d.json")
    assert json.loads((tmp_path / "d.json").read_text()) == data


def test_faults_are_all_shown_with_status_2(tmp_path: Path) -> None:
    table = write_dataset(tmp_path / "data")
    (table.parent / "0.mp4").write_text("no video")
    (table.parent / "4.mp4").unlink()
    result = run("dataset", table)
    assert result.exit_code == 2
    assert "2 faults" in result.stdout
    assert "0.mp4" in result.stdout
    assert "4.mp4" in result.stdout
    [line] = result.stderr.splitlines()
    assert "faults: 2; the first: 0.mp4" in line


def test_faults_are_all_shown_where_no_clip_is_usable_too(tmp_path: Path) -> None:
    table = write_dataset(tmp_path / "data", clips=2)
    for name in ("0.mp4", "1.mp4"):
        (table.parent / name).write_text(f"no video {name}")
    result = run("dataset", table, "--json", tmp_path / "d.json")
    assert result.exit_code == 2
    assert "0 usable clips" in result.stdout
    assert "2 faults" in result.stdout
    assert len(result.stderr.splitlines()) == 1
    data = json.loads((tmp_path / "d.json").read_text())
    assert [fault["file"] for fault in data["faults"]] == ["0.mp4", "1.mp4"]
    assert data["clips"] == 0


def test_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "text.csv").write_text("a,b\n1,2\n")
    for what in (tmp_path / "nosuch", tmp_path / "text.csv", tmp_path):
        result = run("dataset", what)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1
        assert result.stdout == ""


def test_without_keras(tmp_path: Path) -> None:
    table = write_dataset(tmp_path / "data", clips=3)
    result = run_program("dataset", table, without=("keras", "tensorflow", "matplotlib", "onnx"))
    assert (result.returncode, result.stderr) == (0, "")


def test_names_are_shown_as_they_are(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data").parent
    (folder / "manifest.csv").write_text("file,label\n0.mp4,squat\n[bold]broken.mp4,squat\n")
    result = run("dataset", folder)
    assert "1 usable clips" in result.stdout
    assert "[bold]broken.mp4" in result.stdout
    assert "1 faults" in result.stdout
