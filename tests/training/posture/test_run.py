"""Training the default model from a dataset to an evaluated run, small; and resuming where it was killed."""

# Fixtures are imported, and named again by the tests that take them.

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_posture
from exerlitenet.errors import InputError
from exerlitenet.evaluation.cross_validation import HELD_OUT, Folds
from exerlitenet.recognition.predictor import Predictor
from exerlitenet.synthetic import renderer
from exerlitenet.training.posture import pose_fit
from exerlitenet.training.posture.pose_data import rendered_people
from exerlitenet.training.posture.run import fit_default, sources_of
from exerlitenet.training.run import Run
from exerlitenet.video.source import open_video
from tiny_posture import (
    Quiet,
    cache,
    dataset,
    tiny_config,
    weights_of,
    whole,
    without_seconds,
)

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

__all__ = ["cache", "dataset", "whole"]

COLUMNS = ["phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]


def test_a_run_leaves_everything_it_should(whole: tuple[Run, Quiet], dataset: Path) -> None:
    run, progress = whole
    assert sorted(path.name for path in run.folder.iterdir()) == [
        *("best.weights.h5", "config.toml", "folds.json", "head", "history.csv", "log.txt", "metrics.json"),
        *("posture", "report.html", "run.json", "split.json"),
    ]
    assert [path.name for path in (run.folder / "posture").iterdir()] == ["posture.weights.h5"]
    assert [path.name for path in (run.folder / "head").iterdir()] == ["head.weights.h5"]
    metrics = json.loads(run.metrics_file.read_text())
    split = run.split.split
    assert metrics["statement"] == split.statement
    assert "Split by group" in split.statement
    held_out = [*split.validation, *split.test]
    assert metrics["left_out"]["clips"] == len(held_out) > 0
    assert "strangers" not in metrics, "no part of the model has seen any of them"
    kept = Folds.load(run.folder)
    assert (kept.folds, kept.classes) == (1, run.config.classes)
    assert {left.digest for left in kept.clips} == {run.split.clips[i].digest for i in held_out}
    assert not any(left.known for left in kept.clips)
    assert metrics["left_out"]["protocol"] == HELD_OUT
    assert {run.split.clips[i].group for i in held_out}.isdisjoint(metrics["provenance"]["train_groups"])
    assert sum(metrics["counts"]["train"].values()) == len(split.train)
    page = (run.folder / "report.html").read_text()
    assert "Learning curves, phase head" in page
    assert "Split by group" in page
    assert progress.steps[0] == "reading the clips"
    for stretch in (
        "posture 1 at 32 pixels",
        "posture 2 at 64 pixels",
        "encoding augmented copies",
        "encoding clips as they are",
        "head, epoch 2 of 2",
    ):
        assert any(what.startswith(stretch) for what in progress.steps)
    log = (run.folder / "log.txt").read_text()
    assert all(line in log for line in progress.lines)


def test_the_history_has_a_row_for_every_epoch_under_the_same_columns(whole: tuple[Run, Quiet]) -> None:
    run, _ = whole
    with (run.folder / "history.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == COLUMNS
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert [(row[0][:9], row[1]) for row in rows[1:]] == [
        *(("posture 1", "1"), ("posture 2", "1"), ("head", "1"), ("head", "2")),
    ]
    assert "epochs of 50 steps" in rows[1][0]
    assert all(float(row["seconds"]) >= 0 and np.isfinite(row["loss"]) for row in run.history)


def test_no_tensor_is_what_it_began_as(whole: tuple[Run, Quiet]) -> None:
    from exerlitenet.training.posture.model import load_posture_network
    from exerlitenet.training.posture.run import load_posture

    run, _ = whole
    found = load_posture_network(run)
    keras.utils.set_random_seed(run.config.seed)
    stage = run.config.posture.stages[0]
    initial = pose_fit.trainable_posture(stage, None)
    for weight, before, after in zip(
        initial.weights, initial.get_weights(), found.posture.get_weights(), strict=True
    ):
        assert not np.allclose(before, after, atol=1e-7), weight.path
    learned = load_posture(run.config, run.folder / "posture" / "posture.weights.h5")
    for mine, wanted in zip(found.posture.get_weights(), learned.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_a_finished_run_is_not_trained_again(whole: tuple[Run, Quiet], dataset: Path) -> None:
    run, _ = whole
    (run.folder / "cache").mkdir()  # left by a kill between the metrics and the end
    progress = Quiet()
    again = fit_default(dataset, tiny_config(), weights=None, out=run.folder, resume=True, progress=progress)
    assert again.metrics == run.metrics
    assert progress.steps == []
    assert not (run.folder / "cache").exists()


@pytest.mark.parametrize(
    "line", [pytest.param("posture 2 at 64 pixels", marks=pytest.mark.slow), "head epoch 1 of 2"]
)
def test_a_killed_run_continues_to_the_same_weights(
    whole: tuple[Run, Quiet], dataset: Path, tmp_path: Path, line: str
) -> None:
    """A process of its own is killed right after it says the line, without a chance to tidy up."""
    out = tmp_path / "run"
    program = [sys.executable, tiny_posture.__file__, str(dataset), str(out), line]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    ended = subprocess.run(
        program, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path}
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    assert not (out / "metrics.json").exists()
    with pytest.raises(InputError, match="--resume"):
        fit_default(dataset, tiny_config(), weights=None, out=out, progress=Quiet())
    run = fit_default(dataset, tiny_config(), weights=None, out=out, resume=True, progress=Quiet())
    wanted = whole[0]
    assert without_seconds(run.history) == without_seconds(wanted.history)
    assert sorted(path.name for path in out.iterdir()) == sorted(p.name for p in wanted.folder.iterdir())
    for mine, other in zip(weights_of(run), weights_of(wanted), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)
    evaluated, theirs = run.metrics["left_out"], wanted.metrics["left_out"]
    assert evaluated["judgements"] == theirs["judgements"]


def test_a_runs_file_holds_what_the_recogniser_says_of_its_clips(
    whole: tuple[Run, Quiet], dataset: Path
) -> None:
    """The file's predictions are those of the recogniser on the video itself; they were kept as float16 before.

    The recogniser resets its crop while no set runs, which a cross-validation does not, so here it does not either.
    """
    from exerlitenet.training.registry import recognizer_of_run

    run, _ = whole
    engine = recognizer_of_run(run.folder).engine
    for left in Folds.load(run.folder).clips:
        predictor = Predictor(engine)
        source = open_video(dataset / left.name, short_side=engine.spec.source_short_side)
        with source as video:
            predictions = [given for frame in video for given in predictor.push(frame)]
        predictions += predictor.finish()
        assert len(predictions) == len(left.seen.predictions) > 1
        for mine, kept in zip(predictions, left.seen.predictions, strict=True):
            assert mine.time_s == pytest.approx(kept.time_s, abs=0.01)
            # What three digits of a feature make of a probability depends on the weights, and these on the order in
            # which the machine's threads add.
            assert mine.probabilities == pytest.approx(kept.probabilities, abs=5e-3)


def test_a_run_belongs_to_its_clips_and_its_configuration(
    whole: tuple[Run, Quiet], dataset: Path, tmp_path: Path
) -> None:
    run, _ = whole
    with pytest.raises(InputError, match=r"head\.epochs was 2, got 3"):
        fit_default(dataset, tiny_config("head.epochs=3"), weights=None, out=run.folder, resume=True)
    out = tmp_path / "run"

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exerlitenet.training.posture.run.train_posture", stop)
        with pytest.raises(KeyboardInterrupt):
            fit_default(dataset, tiny_config(), weights=None, out=out, progress=Quiet(), folds=2)
    assert Run.open(out).split.split.train == tuple(range(6))
    with pytest.raises(InputError, match="or with other --folds"):
        fit_default(dataset, tiny_config(), weights=None, out=out, resume=True, progress=Quiet())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["rendered.first_seed=999999"], "below seed 1000000"),
        (["rendered.clips=0"], r"posture\.stages\.1\.rendered is 0\.5, but rendered\.clips is 0"),
    ],
)
def test_an_unfit_configuration_is_one_line_and_leaves_nothing(
    dataset: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    out = tmp_path / "run"
    with pytest.raises(InputError, match=message) as raised:
        fit_default(dataset, tiny_config(*overrides), weights=None, out=out, progress=Quiet())
    assert "\n" not in str(raised.value)
    assert not out.exists()


def _copied(dataset: Path, folder: Path, header: str = "file,label,group,source") -> Path:
    """The dataset's clips without poses, under a table of their own."""
    folder.mkdir()
    with (dataset / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [header, *(f"{r['file']},{r['label']},{r['group']},s{k % 2}" for k, r in enumerate(rows))]
    (folder / "manifest.csv").write_text("\n".join(lines))
    for row in rows:
        (folder / row["file"]).symlink_to(dataset / row["file"])
    return folder


def test_a_dataset_without_poses_is_said_before_anything_long_is_done(dataset: Path, tmp_path: Path) -> None:
    bare, out, progress = _copied(dataset, tmp_path / "bare"), tmp_path / "run", Quiet()
    with pytest.raises(InputError, match=r"bare has no poses to learn posture from; put poses/NAME\.npy"):
        fit_default(bare, tiny_config(), weights=None, out=out, progress=progress)
    assert progress.steps == ["reading the clips"]
    assert not out.exists()


def test_a_class_without_clips(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config('classes=["squat", "biceps_curl", "none", "lunge"]')
    with pytest.raises(InputError, match="no clips of class lunge"):
        fit_default(dataset, config, weights=None, out=tmp_path / "a", progress=Quiet())


def test_sources_of_the_clips_that_are_evaluated_on(dataset: Path, tmp_path: Path) -> None:
    bare = _copied(dataset, tmp_path / "bare")
    names = [line.split(",")[0] for line in (bare / "manifest.csv").read_text().splitlines()[1:]]
    assert sources_of(bare, frozenset(names[:1])) == {"s0"}
    assert sources_of(bare / "manifest.csv", frozenset(names[:2])) == {"s0", "s1"}
    assert (
        sources_of(_copied(dataset, tmp_path / "other", "file,label,group,origin"), frozenset(names)) == set()
    )
    assert sources_of(tmp_path / "no-table", frozenset(names)) == set()


def test_rendered_people_are_made_once_and_never_by_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exerlitenet.synthetic import dataset as synthetic

    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path))
    config = tiny_config("rendered.clips=2", "rendered.seconds=1.0")
    write = synthetic.write_dataset

    def killed(folder: Path, *arguments: Any, **options: Any) -> None:
        write(folder, [1], seconds=1.0)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "write_dataset", killed)
        with pytest.raises(KeyboardInterrupt):
            rendered_people(config, Quiet())
    progress = Quiet()
    clips = rendered_people(config, progress)
    assert progress.steps == ["rendering people"]
    assert len(clips) == 2
    assert all(clip.path.is_file() and clip.poses is not None for clip in clips)
    again = Quiet()
    assert rendered_people(config, again) == clips
    assert again.steps == []
    assert [path.name for path in (tmp_path / "rendered").iterdir()] == [f"1000-2-1-{renderer()}"]
    assert rendered_people(tiny_config("rendered.clips=0"), again) == ()


def test_rendered_people_that_another_run_has_just_made_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path))
    config = tiny_config("rendered.clips=1", "rendered.seconds=1.0")
    rename, others = Path.rename, tmp_path / "rendered" / f"1000-1-1-{renderer()}"

    def late(made: Path, target: Path) -> Path:
        shutil.copytree(made, others)
        (others / "of-another-run").touch()
        return rename(made, target)

    monkeypatch.setattr(Path, "rename", late)
    clips = rendered_people(config, Quiet())
    assert [clip.path.is_file() for clip in clips] == [True]
    assert (others / "of-another-run").exists()
    assert [path.name for path in (tmp_path / "rendered").iterdir()] == [f"1000-1-1-{renderer()}"]
