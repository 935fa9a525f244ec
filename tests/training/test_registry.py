"""A run of either model type is trained, evaluated and exported; the bundle gives what the run does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_training
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.errors import InputError
from exerlitenet.evaluation.evaluate import evaluate
from exerlitenet.evaluation.results import Evaluation
from exerlitenet.export.export import ExportReport
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.training.cnn_lstm import network as cnn_lstm
from exerlitenet.training.registry import export_run, fit_run, keep_sequences, recognizer_of_run
from exerlitenet.training.run import Run
from tiny_posture import CLASSES, Quiet, quick, tiny_backbone, tiny_config, write_rendered

keras = pytest.importorskip("keras", reason="training needs Keras")
pytest.importorskip("tf2onnx", reason="exporting needs tf2onnx")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def _small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXERLITENET_CACHE", str(tmp_path_factory.mktemp("cache")))
        # Kept after training too: a network is built again where a run is opened.
        patch.setattr("exerlitenet.training.networks.backbone.build_backbone", tiny_backbone)
        patch.setattr(cnn_lstm, "build_backbone", tiny_training.tiny_backbone)
        yield


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rendered(tmp_path_factory.mktemp("data") / "clips")


@pytest.fixture(scope="module")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "posture"
    config = tiny_config(
        f'posture.unlabelled="{_unlabelled(dataset)}"',
        f'posture.unlabelled_poses="{dataset}/poses"',
        "thresholds.segments.enter=0.7",
    )
    with quick():
        return fit_run(dataset, config, weights=None, out=out, progress=Quiet())


def _unlabelled(dataset: Path) -> Path:
    """One more video with poses, of a source of its own."""
    folder = dataset.parent / "unlabelled"
    folder.mkdir(exist_ok=True)
    first = sorted(dataset.glob("*.mp4"))[0]
    (folder / first.name).write_bytes(first.read_bytes())
    (folder / "manifest.csv").write_text(f"file,source\n{first.name},elsewhere\n")
    return folder


@pytest.fixture(scope="module")
def report(run: Run, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return export_run(run.folder, tmp_path_factory.mktemp("bundles") / "posture")


def evaluated(recognizer: Recognizer, dataset: Path) -> Evaluation:
    clips = read_manifest(dataset, classes=CLASSES).clips[:3]
    return evaluate(recognizer.recognize, clips, CLASSES, model="m", protocol="p")


def test_a_run_and_its_bundle_evaluate_alike(run: Run, report: ExportReport, dataset: Path) -> None:
    bundle = Recognizer.load(report.bundle.folder)
    mine, theirs = evaluated(recognizer_of_run(run.folder), dataset), evaluated(bundle, dataset)
    assert mine.to_json()["judgements"] == theirs.to_json()["judgements"]
    clip = sorted(dataset.glob("*.mp4"))[0]
    ours, exported = recognizer_of_run(run.folder).recognize(clip), bundle.recognize(clip)
    assert len(ours.predictions) == len(exported.predictions) > 0
    for a, b in zip(ours.predictions, exported.predictions, strict=True):
        assert a.time_s == b.time_s
        assert a.probabilities == pytest.approx(b.probabilities, abs=1e-4)
        assert a.phase == pytest.approx(b.phase, abs=1e-4)


def test_the_comparison_includes_sequences_of_the_dataset(run: Run, report: ExportReport) -> None:
    with np.load(run.folder / "sequences.npz", allow_pickle=False) as stored:
        kept = stored["sequences"]
    assert kept.dtype == np.uint8
    assert kept.shape == (6, 6, 64, 64, 3)
    assert report.sequences == 6 + 4
    assert report.difference <= 1e-4


def test_a_card_says_where_the_model_comes_from(run: Run, report: ExportReport, dataset: Path) -> None:
    text = (report.bundle.folder / "model.json").read_text()
    for place in (str(dataset.parent), str(run.folder.parent), str(Path.home()) + "/"):
        assert place not in text
    provenance = json.loads(text)["provenance"]
    assert provenance["config"]["posture"]["unlabelled"] == "unlabelled"
    assert provenance["train_groups"] == run.split.train_groups
    digests = {clip.digest for clip in run.split.clips}
    held_out = {d for part in ("validation", "test") for d in provenance["split"][part]}
    assert held_out | set(provenance["train_digests"]) == digests
    assert held_out.isdisjoint(provenance["train_digests"])
    card = json.loads(text)
    thresholds = run.config.thresholds
    assert card["thresholds"] == {
        "segments": thresholds.segments.to_dict(),
        "counting": thresholds.counting.to_dict(),
    }
    metrics = card["metrics"]
    assert metrics["left_out"]["clips"] == run.metrics["left_out"]["clips"]
    for detail in ("results", "by_group", "by_person"):
        assert detail in run.metrics["left_out"]
        assert detail not in metrics["left_out"]


def test_sequences_are_kept_of_readable_clips_only(run: Run, dataset: Path, tmp_path: Path) -> None:
    """A clip that the run left out as damaged does not stop it at its end."""
    damaged = tmp_path / "clips"
    damaged.mkdir()
    lines = (dataset / "manifest.csv").read_text().splitlines()
    bad = [
        "bad.mp4" if column == "file" else "squat" if column == "label" else ""
        for column in lines[0].split(",")
    ]
    (damaged / "manifest.csv").write_text("\n".join([lines[0], ",".join(bad), *lines[1:]]))
    (damaged / "bad.mp4").write_bytes(b"no video")
    for path in dataset.glob("*.mp4"):
        (damaged / path.name).symlink_to(path)
    kept = run.folder / "sequences.npz"
    before = kept.read_bytes()
    kept.unlink()
    keep_sequences(run, damaged)
    with np.load(kept, allow_pickle=False) as stored:
        assert len(stored["sequences"]) == 6
    kept.write_bytes(b"as it was")
    keep_sequences(run, damaged)
    assert kept.read_bytes() == b"as it was"
    kept.write_bytes(before)


def test_what_is_no_finished_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no run\.json"):
        recognizer_of_run(tmp_path)
    begun = Run.create(tmp_path / "begun", tiny_config(), weights=None)
    with pytest.raises(InputError, match="--resume"):
        recognizer_of_run(begun.folder)
    with pytest.raises(InputError, match="--resume"):
        export_run(begun.folder, tmp_path / "bundle")
    begun.best_weights.write_bytes(b"no weights")
    with pytest.raises(InputError, match="must hold the weights of the run's network"):
        recognizer_of_run(begun.folder)
    assert not (tmp_path / "bundle").exists()


def test_folds_are_for_one_model_type(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave --folds out"):
        fit_run(tmp_path, tiny_training.tiny_config(), weights=None, out=tmp_path / "run", folds=2)
    assert not (tmp_path / "run").exists()


def test_the_papers_network_is_trained_and_exported(tmp_path: Path) -> None:
    clips = tiny_training.write_dataset(tmp_path / "clips")
    config = tiny_training.tiny_config("phases.0.epochs=1", "phases.1.epochs=1")
    progress: Any = Quiet()
    with quick():
        run = fit_run(clips, config, weights=None, out=tmp_path / "run", progress=progress)
    found = export_run(run.folder, tmp_path / "bundle")
    assert found.sequences == 8 + 4
    clip = clips / "0.mp4"
    mine, theirs = (
        recognizer_of_run(run.folder).recognize(clip),
        Recognizer.load(tmp_path / "bundle").recognize(clip),
    )
    for a, b in zip(mine.predictions, theirs.predictions, strict=True):
        assert a.probabilities == pytest.approx(b.probabilities, abs=1e-4)
        assert a.phase is None
        assert b.phase is None
