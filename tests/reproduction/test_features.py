"""What the frozen layers give is run once for a seed, and is what each unit would have run itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.datasets.manifest import Manifest, read_manifest
from exerlitenet.progress import Lines
from exerlitenet.reproduction.features import features_folder, fill_features, forget_features
from exerlitenet.reproduction.plan import Plan
from exerlitenet.training.cnn_lstm import network as cnn_lstm
from exerlitenet.training.cnn_lstm.data import cut_clips
from exerlitenet.training.cnn_lstm.features import FeatureCache
from exerlitenet.training.cnn_lstm.network import build, training_parts
from tiny_study import tiny_plan, without_large_weights
from tiny_training import write_dataset

pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEED = 3


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return read_manifest(write_dataset(tmp_path_factory.mktemp("data") / "clips", clips=4, groups=4))


@pytest.fixture(scope="module", autouse=True)
def _tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    def seeded(name: str, size: int, weights: Any) -> Any:
        import keras

        keras.utils.set_random_seed(5)
        return without_large_weights(name, size, weights)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cnn_lstm, "build_backbone", seeded)
        patch.setenv("EXERLITENET_CACHE", str(tmp_path_factory.getbasetemp() / "features-cache"))
        yield


def kept(plan: Plan, learner: Any, phase: int, manifest: Manifest, study: Path) -> tuple[Any, Any, Any]:
    """What was kept for a phase of a learner, its frozen part, and the pixels."""
    config = replace(plan.config(learner), seed=SEED)
    _, pixels = cut_clips(manifest, config, Lines(), learner.order)
    network = build(config.model, config.sequence, config.classes, "imagenet")
    fixed, _ = training_parts(network, config.phases[phase].trainable)
    assert fixed is not None
    run = fixed.predict_on_batch
    fixed.predict_on_batch = lambda _: pytest.fail("it was run again")
    folder = features_folder(study, SEED)
    found = FeatureCache.shared(folder, fixed, pixels, config.augment.copies, config.sequence.frames)
    return found, run, pixels


@pytest.mark.parametrize("pooling", ["flatten", "average"])
def test_every_unit_finds_what_it_would_have_run(
    manifest: Manifest, tmp_path: Path, pooling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tiny_plan(
        "augment.copies=2", "augment.blur_chance=0.0", 'systems=["frozen", "proposed", "shuffled"]'
    )
    if pooling == "average":
        whole = Plan.config
        monkeypatch.setattr(
            Plan, "config", lambda *a: replace(c := whole(*a), model=replace(c.model, pooling="average"))
        )
    fill_features(plan, plan.learners, SEED, manifest, tmp_path, Lines())
    assert (
        len(list(features_folder(tmp_path, SEED).iterdir())) == 2
    )  # all frozen, and three layers that learn
    for learner in plan.learners:
        for phase in (0, 1):
            found, run, pixels = kept(plan, learner, phase, manifest, tmp_path)
            items = [(i, copy) for i in (0, 3) for copy in (-1, 0, 1)]
            shape = (len(items), 4)
            expected = run(pixels.inputs(items)[0].reshape(-1, 32, 32, 3))
            for mine, theirs in zip(
                found.inputs(items), expected if isinstance(expected, list) else [expected], strict=True
            ):
                assert mine.shape == (*shape, *theirs.shape[1:])
                np.testing.assert_allclose(mine.reshape(theirs.shape), theirs, atol=1e-5)
    forget_features(tmp_path, SEED + 1)
    assert features_folder(tmp_path, SEED).is_dir()
    forget_features(tmp_path, SEED)
    assert list(tmp_path.iterdir()) == []
