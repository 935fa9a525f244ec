"""Cross-validating the default model: who learns from whom, what is kept of it, and resuming where it was killed."""

# Fixtures are imported, and named again by the tests that take them.

from __future__ import annotations

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
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.datasets.split import split_by_group
from exerlitenet.errors import InputError
from exerlitenet.evaluation.cross_validation import Folds
from exerlitenet.training.posture import run as posture_run
from exerlitenet.training.posture.run import fit_default
from exerlitenet.training.run import Run
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
    assert sorted(left.digest for left in kept.clips) == sorted(groups), "each clip is held out once"
    folds = [{groups[left.digest] for left in kept.clips if left.fold == k} for k in range(2)]
    assert folds[0]
    assert folds[1]
    assert not folds[0] & folds[1], "no group is on both sides"
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

    class Features:
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

    def cross_validate(features: Any, count: int, known: frozenset[int]) -> None:
        learned["folds"] = (count, known)

    monkeypatch.setattr(posture_run, "ClipFeatures", Features)
    monkeypatch.setattr(posture_run, "train_posture", train_posture)
    monkeypatch.setattr(posture_run, "load_posture", lambda *_: None)
    monkeypatch.setattr(posture_run, "PostureGraph", lambda _: None)
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
    from exerlitenet.training.posture.model import load_posture_network

    run, progress = folded
    assert sum(line.startswith("posture 2 at 64 pixels") for line in progress.lines) == 1
    with_folds, without = load_posture_network(run), load_posture_network(whole[0])
    for mine, theirs in zip(with_folds.posture.get_weights(), without.posture.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    files = [
        (run.folder / name / "head.weights.h5").read_bytes()
        for name in ("fold-0-of-2", "fold-1-of-2", "head")
    ]
    assert len(set(files)) == 3


def test_what_was_cross_validated_is_evaluated_without_running_it_again(
    folded: tuple[Run, Quiet], dataset: Path
) -> None:
    run, _ = folded
    clips = read_manifest(dataset, classes=run.config.classes).clips
    found = Folds.load(run.folder).evaluate(
        clips, run.config.thresholds.segments, run.config.thresholds.counting
    )
    for name in ("left out", "strangers"):
        kept = run.metrics[name.replace(" ", "_")]
        assert found[name].to_json()["judgements"] == kept["judgements"]


@pytest.mark.slow
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
    assert not any(
        line.startswith(("fold-0-of-2 epoch", "posture 1", "posture 2")) for line in progress.lines
    )
    assert any(line.startswith("fold-1-of-2 epoch 2") for line in progress.lines)
    wanted = folded[0]
    assert without_seconds(run.history) == without_seconds(wanted.history)
    for mine, other in zip(weights_of(run), weights_of(wanted), strict=True):
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
