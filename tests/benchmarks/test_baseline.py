"""The paper's way of training against ours: the same network, and the same gradients where the same is computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import baseline
from benchmarks.baseline import build_baseline, compile_baseline, gradient_difference
from exerlitenet.datasets.augment import Ranges
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.datasets.windows import ClipSequence, SequencePixels
from exerlitenet.training.cnn_lstm import network as cnn_lstm
from exerlitenet.training.config import Config, PhaseConfig, load_config
from tiny_training import tiny_backbone, tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ITEMS = [(n, n % 2) for n in range(4)]


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn_lstm, "build_backbone", tiny_backbone)
    monkeypatch.setattr(baseline, "build_backbone", tiny_backbone)


def pixels_of(config: Config) -> SequencePixels:
    rng = np.random.default_rng(0)
    stored = [StoredClip(rng.integers(0, 256, (9, 40, 40, 3), dtype=np.uint8), 1.0) for _ in ITEMS]
    sequences = [ClipSequence(n, n % 3, "squat", f"g{n}") for n in range(len(ITEMS))]
    return SequencePixels(sequences, stored, config.sequence, Ranges(), seed=0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes gradients by TensorFlow's tape")
class TestGradients:
    @pytest.mark.usefixtures("_tiny")
    @pytest.mark.parametrize("trainable", ["none", "last:3", "all"])
    def test_a_step_from_the_cache_has_those_of_the_papers_way(self, tmp_path: Path, trainable: str) -> None:
        config = tiny_config()
        assert gradient_difference(config, trainable, pixels_of(config), ITEMS, tmp_path / "cache") < 1e-4

    @pytest.mark.parametrize("trainable", ["none", "last:20"])
    def test_so_has_one_of_the_papers_backbone(self, tmp_path: Path, trainable: str) -> None:
        config = tiny_config("model.pooling=flatten")
        assert gradient_difference(config, trainable, pixels_of(config), ITEMS, tmp_path / "cache") < 1e-4

    @pytest.mark.usefixtures("_tiny")
    def test_statistics_that_are_learned_on_the_way_are_kept_apart(self, tmp_path: Path) -> None:
        config = tiny_config()
        pixels = pixels_of(config)
        found = gradient_difference(config, "last:3", pixels, ITEMS, tmp_path / "cache", held=False)
        assert found > 0.01


def test_the_papers_way_has_the_papers_counts_and_keras_own_layers() -> None:
    config = load_config("paper")
    network = build_baseline(config.model, config.sequence, config.classes, None)
    assert network.full.count_params() == 15_595_826
    kinds = [type(layer) for layer in network.full.layers]
    assert kinds.count(keras.layers.TimeDistributed) == 2
    assert kinds.count(keras.layers.LSTM) == 2
    learned = {}
    for phase in config.phases:
        cnn_lstm.set_trainable(network, phase.trainable)
        learned[phase.name] = sum(int(np.prod(v.shape)) for v in network.full.trainable_variables)
    assert learned == {"frozen": 14_656_706, "fine-tuned": 15_007_442}


@pytest.mark.usefixtures("_tiny")
def test_the_papers_way_trains_by_plain_adam() -> None:
    config = tiny_config()
    network = build_baseline(config.model, config.sequence, config.classes, None)
    cnn_lstm.set_trainable(network, "none")
    compile_baseline(network, PhaseConfig("p", "none", learning_rate=0.01, epochs=1))
    assert type(network.full.optimizer) is keras.optimizers.Adam
    before = network.full.get_weights()
    [pixels] = pixels_of(config).inputs(ITEMS)
    loss, _ = network.full.train_on_batch(pixels, np.eye(2, dtype=np.float32)[[0, 1, 0, 1]])
    assert np.isfinite(loss)
    after = network.full.get_weights()
    changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    frozen = len(network.backbone.weights)
    assert changed == [False] * frozen + [True] * (len(changed) - frozen)
