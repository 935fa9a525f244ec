"""`evaluate`: a bundle evaluated on a data set, without Keras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bundles import CLASSES, write_bundle
from command import run, run_program
from datasets import write_dataset
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.evaluation.cross_validation import Folds, HeldOut
from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.results import Prediction


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("evaluate") / "data")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    """Trained, so its card says, on the first six clips, validated on two, tested on none of these."""
    digests = [clip.digest for clip in read_manifest(dataset, check=False).clips]
    provenance: dict[str, Any] = {
        "train_digests": digests[:6],
        "split": {"validation": digests[6:8], "test": ["0" * 64]},
        "protocol": "Split by hand.",
    }
    return write_bundle(tmp_path_factory.mktemp("evaluate") / "model", provenance=provenance)


def rows(text: str) -> dict[str, list[str]]:
    lines = (line.split("│")[1:-1] for line in text.splitlines() if line.startswith("│"))
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_for_people(model: Path, dataset: Path) -> None:
    result = run("evaluate", model, dataset)
    assert result.exit_code == 0
    assert "trained on 6 of these 9 clips" in result.stderr
    assert "on clips seen in training" in result.stdout
    found = rows(result.stdout)
    assert found["squat or biceps_curl, clips"][0] == "6 clips"
    assert found["squat or biceps_curl, clips"][1].startswith("100.0 %")
    assert found["3 classes, clips, balanced"][1].startswith("100.0 %")
    assert found["false-positive rate of none clips"] == ["3 clips", "0.0 % [0.0, 0.0]"]
    assert found["repetitions, off-by-one accuracy (OBO)"][0] == "6 clips of three and more"
    assert found["repetitions, off-by-one accuracy (OBO)"][1].startswith("100.0 %")
    assert "repetitions, normalised MAE" in found


def test_json(model: Path, dataset: Path, tmp_path: Path) -> None:
    result = run("evaluate", model, dataset, "--json", "-")
    data = json.loads(result.stdout)
    assert (data["model"], data["clips"], data["groups"]) == ("tiny", 9, 3)
    assert data["judgements"]["clips"]["confusion"] == [[3, 0, 0], [0, 3, 0], [0, 0, 3]]
    assert data["label"] == "on clips seen in training"
    assert data["protocol"].startswith("All 9 clips")
    assert "robustness" not in data


def test_a_part_of_the_models_split(model: Path, dataset: Path) -> None:
    result = run("evaluate", model, dataset, "--part", "validation", "--json", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    data = json.loads(result.stdout)
    assert [clip["name"] for clip in data["results"]] == ["6.mp4", "7.mp4"]
    assert data["warning"] is None
    assert data["protocol"] == "Part validation of the model's own split, 2 of 9 clips. Split by hand."
    trained = run("evaluate", model, dataset, "--part", "train", "--json", "-")
    assert len(json.loads(trained.stdout)["results"]) == 6
    assert "trained on 6 of these 6" in trained.stderr


def test_parts_that_are_not_there(model: Path, dataset: Path, tmp_path: Path) -> None:
    result = run("evaluate", model, dataset, "--part", "test")
    assert result.exit_code == 2
    assert "none of these 9 clips belongs to the model's part test" in result.stderr
    plain = write_bundle(tmp_path / "plain")
    result = run("evaluate", plain, dataset, "--part", "validation")
    assert result.exit_code == 2
    assert "names no clips of the part validation (it names: none)" in result.stderr
    result = run("evaluate", model, dataset, "--part", "half")
    assert result.exit_code == 2
    assert "--part takes all, train, validation, test, folds, got 'half'" in result.stderr


@pytest.fixture
def folded(dataset: Path, tmp_path: Path) -> Path:
    """The folder of a run whose folds were right about every clip but the first, of which the frame network knew."""
    rows = []
    for number, clip in enumerate(read_manifest(dataset, check=False).clips):
        said = "none" if number == 0 else clip.label
        predictions = [
            Prediction(k / 7.5, dict.fromkeys(CLASSES, 0.05) | {said: 0.9}, said) for k in range(14, 60)
        ]
        seen = ClipPredictions(predictions, [(k / 7.5, 0.0) for k in range(60)], 8.0)
        rows.append(HeldOut(clip.name, clip.digest, number % 3, number < 3, 8.0, seen))
    from exerlitenet.training.config import load_config
    from exerlitenet.training.run import Run

    folder = tmp_path / "run"
    Run.create(folder, load_config("default"))
    Folds("folded", CLASSES, 3, 14 / 7.5, tuple(rows)).save(folder)
    return folder


def test_what_folds_have_said_and_apart_for_unseen_subjects(
    folded: Path, dataset: Path, tmp_path: Path
) -> None:
    report = tmp_path / "r.html"
    result = run(
        "evaluate", folded, dataset, "--part", "folds", "--json", tmp_path / "e.json", "--report", report
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("model folded, 9 clips. Cross-validated by group in 3 folds")
    assert "The frame network has learned posture from 3 of these 9 clips." in result.stdout
    found = rows(result.stdout)
    everyone, unseen = found["3 classes, clips, balanced"][1:]
    assert everyone.startswith("88.9 %")  # two of three squats
    assert unseen.startswith("100.0 %")
    data = json.loads((tmp_path / "e.json").read_text())
    assert (data["model"], data["clips"], data["strangers"]["clips"]) == ("folded", 9, 6)
    assert data["judgements"]["clips"]["confusion"] == [[2, 0, 1], [0, 3, 0], [0, 0, 3]]
    assert "robustness" not in data
    page = report.read_text()
    assert "Evaluation: folded" in page
    assert "Cross-validated by group" in page


def test_what_folds_have_said_is_not_made_worse(folded: Path, dataset: Path) -> None:
    result = run("evaluate", folded, dataset, "--part", "folds", "--degrade", "light")
    assert result.exit_code == 2
    assert (
        "--degrade runs the model anew, --part folds shows what heads have said; leave one out"
        in result.stderr
    )
    assert len(result.stderr.splitlines()) == 1


def test_folds_of_what_has_none_or_another_data_set(
    folded: Path, model: Path, dataset: Path, tmp_path: Path
) -> None:
    for name in (model, "default", tmp_path / "nosuch"):
        result = run("evaluate", name, dataset, "--part", "folds")
        assert result.exit_code == 2
        assert f"{name} holds no cross-validation (folds.json); train it with --folds N" in result.stderr
    other = write_dataset(tmp_path / "other", clips=3)
    for clip in other.parent.glob("*.mp4"):
        clip.write_bytes(clip.read_bytes() + b"another")
    result = run("evaluate", folded, other, "--part", "folds")
    assert result.exit_code == 2
    assert "none of these clips was cross-validated" in result.stderr
    (folded / "folds.json").write_text("{")
    result = run("evaluate", folded, dataset, "--part", "folds")
    assert result.exit_code == 2
    assert "folds.json is damaged" in result.stderr


def test_clips_made_worse(model: Path, dataset: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    options = ("--part", "validation", "--degrade", "mirrored")
    result = run("evaluate", model, dataset, *options, "--json", tmp_path / "e.json", "--report", report)
    assert result.exit_code == 0
    robustness = json.loads((tmp_path / "e.json").read_text())["robustness"]
    assert list(robustness) == ["as they are", "mirrored"]
    # An even picture has no left and right.
    assert robustness["mirrored"] == robustness["as they are"]
    assert "mirrored" in result.stdout
    assert "Robustness" in report.read_text()
    result = run("evaluate", model, dataset, "--degrade", "nosuch")
    assert result.exit_code == 2
    assert "expected a degradation" in result.stderr


@pytest.mark.parametrize("verb", [("evaluate", "default"), ("dataset",)])
def test_a_data_set_is_not_overwritten(dataset: Path, verb: tuple[str, ...]) -> None:
    before = dataset.read_bytes()
    result = run(*verb, dataset, "--json", dataset)
    assert result.exit_code == 2
    assert "the source itself" in result.stderr
    assert dataset.read_bytes() == before


def test_clips_that_cannot_be_used(model: Path, tmp_path: Path) -> None:
    table = write_dataset(tmp_path / "data", clips=6)
    (table.parent / "1.mp4").write_text("no video")
    (table.parent / "2.mp4").unlink()
    result = run("evaluate", model, table, "--json", "-")
    assert result.exit_code == 2
    assert len(json.loads(result.stdout)["results"]) == 4
    assert "not used: 1, the first: 2.mp4: the file is missing" in result.stderr
    assert "1.mp4: not a video" in result.stderr


def test_what_is_no_model(dataset: Path, tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "nosuch"):
        result = run("evaluate", name, dataset)
        assert result.exit_code == 2
        assert "expected the folder of a model (model.json), of a training run (run.json)" in result.stderr


def test_a_bundle_needs_no_keras(model: Path, dataset: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    result = run_program(
        *("evaluate", model, dataset, "--part", "validation", "--degrade", "light", "--report", report),
        without=("keras", "tensorflow", "matplotlib", "onnx", "tf2onnx"),
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert report.is_file()
