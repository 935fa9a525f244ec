"""Training the default model from a dataset to a judged run, small; and going on where it was killed."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_posture
from exerlitenet.errors import InputError
from exerlitenet.training import posture_fit, posture_run
from exerlitenet.training.folds import HELD_OUT, Folds
from exerlitenet.training.manifest import read_manifest
from exerlitenet.training.posture_network import COUNTING, SEGMENTS
from exerlitenet.training.posture_run import fit_default, sources_of
from exerlitenet.training.rendered import RenderedTable, rendered_clips
from exerlitenet.training.run import Run
from exerlitenet.training.split import split_by_group
from tiny_posture import Quiet, quick, tiny_config, write_rendered

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

COLUMNS = ["phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for the file, so that clips are rendered once; and the small backbone."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch, quick():
        patch.setenv("EXERLITENET_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rendered(tmp_path_factory.mktemp("data") / "clips")


@pytest.fixture(scope="module")
def whole(dataset: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Quiet]:
    progress = Quiet()
    out = tmp_path_factory.mktemp("runs") / "whole"
    return fit_default(dataset, tiny_config(), weights=None, out=out, progress=progress), progress


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
    assert "strangers" not in metrics, "all of them are strangers to all of the model"
    kept = Folds.load(run.folder)
    assert (kept.folds, kept.classes) == (1, run.config.classes)
    assert {left.digest for left in kept.clips} == {run.split.clips[i].digest for i in held_out}
    assert not any(left.known for left in kept.clips)
    assert metrics["left_out"]["protocol"] == HELD_OUT
    assert {run.split.clips[i].group for i in held_out}.isdisjoint(metrics["provenance"]["train_groups"])
    assert sum(metrics["counts"]["train"].values()) == len(split.train)
    page = run.report_file.read_text()
    assert "Learning curves, phase head" in page
    assert "Split by group" in page
    assert progress.stretches[0] == "looking at the clips"
    for stretch in (
        "posture at 32 pixels",
        "posture at 64 pixels",
        "looking at augmented copies",
        "looking at clips as they are",
        "sequence head (head)",
    ):
        assert stretch in progress.stretches
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


def test_progress_lines_tell_the_time_left(whole: tuple[Run, Quiet], monkeypatch: pytest.MonkeyPatch) -> None:
    from exerlitenet.training.head_fit import HeadEpoch
    from exerlitenet.training.posture_fit import PostureReport
    from exerlitenet.training.posture_record import Record

    _, progress = whole
    assert any(line.startswith("posture at 64 pixels: step 2 of 2, loss") for line in progress.lines)
    assert any(line.startswith("head epoch 1 of 2: loss") and "s left" in line for line in progress.lines)
    assert progress.lines[-1].startswith("head epoch 2 of 2")
    run, quiet = whole[0], Quiet()
    monkeypatch.setattr(Run, "write_history", lambda *_: None)
    monkeypatch.setattr(Run, "log", lambda *_: None)
    record = Record(run, quiet)
    stage = posture_fit.PostureStage(160, 2000, 64, 1e-3, 1e-4)
    record.posture(stage, PostureReport(0, 50, 2000, 1.25, 100.0, 50))
    record.head(30, HeadEpoch("head", 10, 0.5, 0.9, None, None, 30.0), "fold-2")
    assert quiet.lines == [
        "posture at 160 pixels: step 50 of 2000, loss 1.2500, about 65 min left in this stage",
        "fold-2 epoch 10 of 30: loss 0.5000 accuracy 0.900, 30.0 s; about 10 min left in this phase",
    ]


def test_no_tensor_is_what_it_began_as(whole: tuple[Run, Quiet]) -> None:
    from exerlitenet.training.posture_network import load_posture_network
    from exerlitenet.training.posture_run import load_posture

    run, _ = whole
    found = load_posture_network(run)
    keras.utils.set_random_seed(run.config.seed)
    stage = posture_fit.PostureTable.from_mapping(run.config.extra["posture"]).stages[0]
    initial = posture_fit.trainable_posture(stage, None)
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
    assert progress.stretches == []
    assert not (run.folder / "cache").exists()


@pytest.mark.parametrize("line", ["posture at 64 pixels: step 2", "head epoch 1 of 2"])
def test_a_killed_run_goes_on_to_the_same_weights(
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
    assert _without_seconds(run.history) == _without_seconds(wanted.history)
    assert sorted(path.name for path in out.iterdir()) == sorted(p.name for p in wanted.folder.iterdir())
    for mine, other in zip(_weights(run), _weights(wanted), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)
    judged, theirs = run.metrics["left_out"], wanted.metrics["left_out"]
    assert judged["judgements"] == theirs["judgements"]


def test_a_runs_file_holds_what_the_recogniser_says_of_its_clips(
    whole: tuple[Run, Quiet], dataset: Path
) -> None:
    """The file's predictions are those of the recogniser on the video itself; they were kept as float16 before."""
    from exerlitenet.training.families import recognizer_of_run

    run, _ = whole
    recognizer = recognizer_of_run(run.folder)
    for left in Folds.load(run.folder).clips:
        workout = recognizer.recognize(dataset / left.name)
        assert len(workout.predictions) == len(left.seen.predictions) > 1
        for mine, kept in zip(workout.predictions, left.seen.predictions, strict=True):
            assert mine.time_s == pytest.approx(kept.time_s, abs=0.01)
            assert mine.probabilities == pytest.approx(kept.probabilities, abs=5e-3)


# Cross-validation


@pytest.fixture(scope="module")
def folded(dataset: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Quiet]:
    progress = Quiet()
    out = tmp_path_factory.mktemp("runs") / "folded"
    run = fit_default(dataset, tiny_config(), weights=None, out=out, progress=progress, folds=2)
    return run, progress


def test_a_cross_validated_run(folded: tuple[Run, Quiet], dataset: Path) -> None:
    run, _ = folded
    assert sorted(path.name for path in run.folder.iterdir() if path.is_dir()) == [
        *("fold-0-of-2", "fold-1-of-2", "head", "posture"),
    ]
    for name in ("fold-0-of-2", "fold-1-of-2", "head"):
        assert [path.name for path in (run.folder / name).iterdir()] == ["head.weights.h5"]
    assert [row["phase"] for row in run.history[2:]] == [
        *["fold-0-of-2"] * 2,
        *["fold-1-of-2"] * 2,
        *["head"] * 2,
    ]
    # The final head has learned from everyone, and the card of its bundle will say so.
    split = run.split.split
    assert split.train == tuple(range(6))
    assert (split.validation, split.test) == ((), ())
    groups = {clip.digest: clip.group for clip in run.split.clips}
    kept = Folds.load(run.folder)
    assert kept.folds == 2
    assert sorted(left.digest for left in kept.clips) == sorted(groups), "each clip is left out once"
    folds = [{groups[left.digest] for left in kept.clips if left.fold == k} for k in range(2)]
    assert folds[0]
    assert folds[1]
    assert not folds[0] & folds[1], "no group stands on both sides"
    # The frame network has learned from the training part of the configuration's split alone.
    clips = read_manifest(dataset, classes=run.config.classes).clips
    parts = split_by_group(
        [c.label for c in clips], [c.group for c in clips], run.config.split.fractions, run.config.split.seed
    )
    assert {left.digest for left in kept.clips if left.known} == {clips[i].digest for i in parts.train}
    metrics = run.metrics
    assert metrics["left_out"]["clips"] == 6
    assert metrics["strangers"]["clips"] == 6 - len(parts.train) > 0
    assert metrics["left_out"]["protocol"].startswith("Cross-validated by group in 2 folds")
    assert f"learned posture from {len(parts.train)} of these 6 clips" in metrics["left_out"]["protocol"]


@pytest.mark.parametrize("folds", [None, 2])
def test_who_each_part_of_the_model_learns_from(
    dataset: Path, tmp_path: Path, folds: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frame network from the training part; the final head from that, or after folds from everyone."""
    learned: dict[str, Any] = {}

    class Looks:
        def __init__(self, run: Run, posture: Any, clips: Any, progress: Any) -> None:
            pass

        def train_head(self, name: str, train: Any, validation: Any) -> None:
            learned[name] = (tuple(train), tuple(validation))
            raise KeyboardInterrupt

    def train_posture(
        run: Run, dataset: Path, clips: Any, held_out: Any, weights: Any, progress: Any
    ) -> Path:
        learned["posture"] = ([clip.name for clip in clips], [clip.name for clip in held_out])
        return tmp_path

    def cross_validate(looks: Any, count: int, known: frozenset[int]) -> None:
        learned["folds"] = (count, known)

    monkeypatch.setattr(posture_run, "Looks", Looks)
    monkeypatch.setattr(posture_run, "train_posture", train_posture)
    monkeypatch.setattr(posture_run, "load_posture", lambda *_: None)
    monkeypatch.setattr(posture_run, "cross_validate", cross_validate)
    with pytest.raises(KeyboardInterrupt):
        fit_default(dataset, tiny_config(), weights=None, out=tmp_path / "run", progress=Quiet(), folds=folds)
    clips = read_manifest(dataset, classes=tiny_posture.CLASSES).clips
    fractions, seed = tiny_config().split.fractions, tiny_config().split.seed
    split = split_by_group([c.label for c in clips], [c.group for c in clips], fractions, seed)
    names = [[clips[i].name for i in part] for part in (split.train, [*split.validation, *split.test])]
    assert learned["posture"] == (names[0], names[1])
    if folds is None:
        assert learned["head"] == (split.train, split.validation)
        assert "folds" not in learned
    else:
        assert learned["head"] == (tuple(range(len(clips))), ())
        assert learned["folds"] == (2, frozenset(split.train))


def test_heads_of_folds_differ_and_the_frame_network_is_shared(
    folded: tuple[Run, Quiet], whole: tuple[Run, Quiet]
) -> None:
    from exerlitenet.training.posture_network import load_posture_network

    run, progress = folded
    assert sum(line.startswith("posture at 64 pixels: step 2 of 2") for line in progress.lines) == 1
    with_folds, without = load_posture_network(run), load_posture_network(whole[0])
    for mine, theirs in zip(with_folds.posture.get_weights(), without.posture.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    files = [
        (run.folder / name / "head.weights.h5").read_bytes()
        for name in ("fold-0-of-2", "fold-1-of-2", "head")
    ]
    assert len(set(files)) == 3


def test_what_was_cross_validated_is_judged_without_running_it_again(
    folded: tuple[Run, Quiet], dataset: Path
) -> None:
    run, _ = folded
    clips = read_manifest(dataset, classes=run.config.classes).clips
    found = Folds.load(run.folder).evaluate(clips, SEGMENTS, COUNTING)
    for name in ("left out", "strangers"):
        kept = run.metrics[name.replace(" ", "_")]
        assert found[name].to_json()["judgements"] == kept["judgements"]


def test_a_killed_cross_validation_does_not_begin_finished_heads_again(
    folded: tuple[Run, Quiet], dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    program = [sys.executable, tiny_posture.__file__, str(dataset), str(out), "fold-1-of-2 epoch 1 of 2", "2"]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    ended = subprocess.run(
        program, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path}
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    done = out / "fold-0-of-2" / "head.weights.h5"
    before = done.stat().st_mtime_ns
    with pytest.raises(InputError, match="or with other --folds"):
        fit_default(dataset, tiny_config(), weights=None, out=out, resume=True, progress=Quiet())
    progress = Quiet()
    run = fit_default(dataset, tiny_config(), weights=None, out=out, resume=True, progress=progress, folds=2)
    assert done.stat().st_mtime_ns == before
    assert not any(line.startswith(("fold-0-of-2 epoch", "posture at")) for line in progress.lines)
    assert any(line.startswith("fold-1-of-2 epoch 2") for line in progress.lines)
    wanted = folded[0]
    assert _without_seconds(run.history) == _without_seconds(wanted.history)
    for mine, other in zip(_weights(run), _weights(wanted), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)
    for mine, other in zip(Folds.load(out).clips, Folds.load(wanted.folder).clips, strict=True):
        assert (mine.name, mine.fold, mine.known) == (other.name, other.fold, other.known)
        for a, b in zip(mine.seen.predictions, other.seen.predictions, strict=True):
            assert a.probabilities == pytest.approx(b.probabilities, abs=1e-3)


def test_another_number_of_folds_never_meets_the_heads_of_the_first(
    folded: tuple[Run, Quiet], dataset: Path, tmp_path: Path
) -> None:
    """A head that learned without a half of the clips has learned from some that a third leaves out."""
    out = tmp_path / "run"
    shutil.copytree(folded[0].folder, out)  # as it was when killed after its first head
    for name in ("metrics.json", "folds.json", "best.weights.h5"):
        (out / name).unlink()
    for name in ("fold-1-of-2", "head"):
        shutil.rmtree(out / name)
    with pytest.raises(InputError, match="with other --folds"):
        fit_default(dataset, tiny_config(), weights=None, out=out, resume=True, progress=Quiet(), folds=3)


def _weights(run: Run) -> list[Any]:
    from exerlitenet.training.posture_network import load_posture_network

    return list(load_posture_network(run).full.get_weights())


def _without_seconds(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures to four digits, as two processes may add in another order."""
    return [
        {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items() if k != "seconds"}
        for row in rows
    ]


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
        patch.setattr("exerlitenet.training.posture_run.train_posture", stop)
        with pytest.raises(KeyboardInterrupt):
            fit_default(dataset, tiny_config(), weights=None, out=out, progress=Quiet(), folds=2)
    assert Run.open(out).split.split.train == tuple(range(6))
    with pytest.raises(InputError, match="or with other --folds"):
        fit_default(dataset, tiny_config(), weights=None, out=out, resume=True, progress=Quiet())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["posture.stages.0.step=2"], r"unknown key posture\.stages\.0\.step;"),
        (["posture.unlabeled=x"], r"unknown key posture\.unlabeled"),
        (["head.copys=2"], r"unknown key head\.copys"),
        (["rendered.clip=2"], r"unknown key rendered\.clip"),
        (["rendered.first_seed=999999"], "below seed 1000000"),
        (["split.protocol=sequence"], 'split.protocol="group"'),
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
    assert progress.stretches == ["looking at the clips"]
    assert not out.exists()


def test_a_class_without_clips(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config('classes=["squat", "biceps_curl", "none", "lunge"]')
    with pytest.raises(InputError, match="no clips of class lunge"):
        fit_default(dataset, config, weights=None, out=tmp_path / "a", progress=Quiet())


def test_sources_of_the_clips_that_are_judged_on(dataset: Path, tmp_path: Path) -> None:
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
            rendered_clips(config, Quiet())
    progress = Quiet()
    clips = rendered_clips(config, progress)
    assert progress.stretches == ["rendering people"]
    assert len(clips) == 2
    assert all(clip.path.is_file() and clip.poses is not None for clip in clips)
    again = Quiet()
    assert rendered_clips(config, again) == clips
    assert again.stretches == []
    assert [path.name for path in (tmp_path / "rendered").iterdir()] == ["1000-2-1"]
    assert rendered_clips(tiny_config("rendered.clips=0"), again) == ()
    assert RenderedTable.from_mapping({}) == RenderedTable()
