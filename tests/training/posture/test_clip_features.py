"""Which clips each head learns from and is evaluated on, and that each clip is encoded once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.errors import InputError
from exerlitenet.evaluation.cross_validation import Folds
from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.results import Prediction
from exerlitenet.training.posture import clip_features
from exerlitenet.training.posture.clip_features import RENDERED_WEIGHT, ClipFeatures
from exerlitenet.training.posture.head_data import PostureGraph
from exerlitenet.training.posture.run import cross_validate, predict_folds
from exerlitenet.training.run import Run
from tiny_posture import CLASSES, Quiet, tiny_config, write_rendered


class Graph(PostureGraph):
    """In place of the frame network's graph: nobody is seen, and the context is a frame's brightness."""

    size = 64
    calls = 0

    def __init__(self) -> None:
        pass

    def see(self, pixels: Any) -> tuple[Any, Any]:
        Graph.calls += 1
        return np.zeros((1, 13, 6), np.float32), np.full((1, 128), pixels.mean(), np.float32)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, ...]:
    return read_manifest(write_rendered(tmp_path_factory.mktemp("data") / "clips"), classes=CLASSES).clips


@pytest.fixture
def features(
    dataset: tuple[Clip, ...],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> ClipFeatures:
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path_factory.getbasetemp() / "head-run-cache"))
    monkeypatch.setattr(Graph, "calls", 0)
    run = Run.create(tmp_path / "run", tiny_config("head.copies=2", "rendered.clips=2"))
    return ClipFeatures(run, Graph(), dataset, Quiet())


def unlearned(
    features: ClipFeatures, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, list[int], list[int]]]:
    """Heads are their names, and say nothing; returns what each is trained on and evaluated on."""
    trained: list[tuple[str, list[int], list[int]]] = []

    def train_head(name: str, train: Any, validation: Any) -> str:
        trained.append((name, list(train), list(validation)))
        return name

    def predict(head: str, chosen: Any) -> list[ClipPredictions]:
        assert (head, list(chosen)) == (trained[-1][0], trained[-1][2])
        named = {"squat": 0.2, "biceps_curl": 0.1, "none": 0.7}
        return [ClipPredictions([Prediction(1.0, named, "none")], [], 100.0 * (i == 0)) for i in chosen]

    monkeypatch.setattr(features, "train_head", train_head)
    monkeypatch.setattr(features, "predict", predict)
    return trained


@pytest.mark.parametrize("folds", [2, 3, 6])
def test_every_clip_is_held_out_once_and_no_group_crosses(
    features: ClipFeatures, dataset: tuple[Clip, ...], folds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [Clip(c.path, c.label, f"g{n}", digest=c.digest, name=c.name) for n, c in enumerate(dataset)]
    if folds == 2:  # groups of two clips, one of them of two classes
        clips = [
            Clip(c.path, c.label, f"g{n % 4}", digest=c.digest, name=c.name) for n, c in enumerate(clips)
        ]
    features.clips = clips
    trained = unlearned(features, monkeypatch)
    found = cross_validate(features, folds, frozenset({1, 2}))
    assert [name for name, _, _ in trained] == [f"fold-{k}-of-{folds}" for k in range(folds)]
    for _, train, evaluated in trained:
        assert sorted([*train, *evaluated]) == list(range(6))
        assert evaluated
        assert {clips[i].group for i in train}.isdisjoint(clips[i].group for i in evaluated)
        assert {clips[i].label for i in train} == set(CLASSES)
    assert (found.model, found.classes, found.folds) == ("default", CLASSES, folds)
    assert found.window_s == pytest.approx(5 / 7.5)
    assert sorted(left.digest for left in found.clips) == sorted(clip.digest for clip in clips)
    by_digest = {left.digest: left for left in found.clips}
    for number, clip in enumerate(clips):
        left = by_digest[clip.digest]
        assert number in trained[left.fold][2]
        assert (left.name, left.known) == (clip.name, number in (1, 2))
    assert by_digest[clips[0].digest].seconds == 100, "as far as was seen, where the length is not known"


def test_folds_that_the_groups_do_not_allow_are_said(
    features: ClipFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = unlearned(features, monkeypatch)
    with pytest.raises(InputError, match="7 folds by group need at least 7 groups, got 6"):
        cross_validate(features, 7, frozenset())
    assert trained == []


def test_held_out_clips_are_a_single_fold(features: ClipFeatures, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = unlearned(features, monkeypatch)
    head: Any = features.train_head("head", [0, 1, 2, 3], [4, 5])
    found = predict_folds(features, [(head, [4, 5])], frozenset())
    assert [(left.fold, left.known) for left in found.clips] == [(0, False)] * 2
    assert [left.digest for left in found.clips] == [features.clips[i].digest for i in (4, 5)]
    assert (found.folds, len(trained)) == (1, 1)
    found.save(features.run.folder)
    assert Folds.load(features.run.folder).clips[0].name == features.clips[4].name


def test_each_clip_is_encoded_once_for_all_heads(features: ClipFeatures) -> None:
    first = features.augmented([0, 1, 2, 3])
    assert [len(row) for row in first] == [2] * (4 + 2), "and rendered people after them"
    calls = Graph.calls
    assert calls == sum(len(copy.joints) for row in first for copy in row)
    again = features.augmented([3, 0])
    assert Graph.calls == calls
    assert again[0] is first[3]
    assert again[1] is first[0]
    assert again[2:] == first[4:]
    more = features.augmented([4, 0])
    assert Graph.calls == calls + sum(len(copy.joints) for copy in more[0])


def test_copies_of_a_killed_run_serve_the_next(features: ClipFeatures, dataset: tuple[Clip, ...]) -> None:
    before = features.augmented([1, 2])
    plain = features.plain([1])
    calls = Graph.calls
    again = ClipFeatures(features.run, Graph(), dataset, features.progress)
    for mine, wanted in zip(again.augmented([1, 2]), before, strict=True):
        for copy, other in zip(mine, wanted, strict=True):
            np.testing.assert_array_equal(copy.context, other.context)
    np.testing.assert_array_equal(again.plain([1])[0].context, plain[0].context)
    assert Graph.calls == calls


def test_copies_differ_and_a_clip_as_it_is_is_not_augmented(features: ClipFeatures) -> None:
    [copies, *_] = features.augmented([0])
    [plain] = features.plain([0])
    assert len(plain.joints) == pytest.approx(2.0 * 7.5, abs=1)
    shades = [float(np.mean(copy.context.astype(float))) for copy in (*copies, plain)]
    assert len({round(shade, 3) for shade in shades}) == 3


def test_rendered_people_are_learned_from_and_never_evaluated_on(
    features: ClipFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[list[str], dict[str, Any]]] = []

    class Windows:
        def __init__(self, copies: Any, clips: Any, classes: Any, **options: Any) -> None:
            assert len(copies) == len(clips)
            made.append(([clip.name for clip in clips], options))

    monkeypatch.setattr(clip_features, "HeadWindows", Windows)
    monkeypatch.setattr(features, "augmented", lambda chosen: [[]] * (len(chosen) + 2))
    monkeypatch.setattr(features, "plain", lambda chosen: [None] * len(chosen))
    features.windows([4, 0])
    features.windows([5], plain=True)
    (names, options), (evaluated, plainly) = made
    assert names[:2] == [features.clips[4].name, features.clips[0].name]
    assert options["weights"] == [1.0, 1.0, RENDERED_WEIGHT, RENDERED_WEIGHT]
    assert evaluated == [features.clips[5].name]
    assert plainly["weights"] == [1.0]
    for found in (options, plainly):
        assert (found["frames"], found["least_frames"], found["phase_delay"]) == (6, 4, 2)


def test_a_head_is_trained_where_its_name_says(
    features: ClipFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(features, "windows", lambda chosen, plain=False: (tuple(chosen), plain))
    monkeypatch.setattr(clip_features, "fit_head", lambda *a, clips: calls.append((*a[:4], clips)))
    features.train_head("fold-3", [0, 1], [2])
    features.train_head("head", [0, 1, 2], [])
    assert calls == [
        (features.run, "fold-3", ((0, 1), False), ((2,), True), 2 + 2),
        (features.run, "head", ((0, 1, 2), False), None, 3 + 2),
    ], "nothing is held out where everything is learned from"
