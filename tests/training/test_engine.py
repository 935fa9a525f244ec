"""A run of the paper's network behind recognition's engine; the default model's is in posture/test_model.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.recognition.engine import whole_squares
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.results import Frame
from exerlitenet.training.cnn_lstm import network as cnn_lstm
from exerlitenet.training.cnn_lstm.network import load_network, parts_of
from exerlitenet.training.engine import KerasEngine
from exerlitenet.training.run import Run
from tiny_training import tiny_backbone, tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run with random best weights."""
    monkeypatch.setattr(cnn_lstm, "build_backbone", tiny_backbone)
    run = Run.create(tmp_path / "run", tiny_config())
    network = cnn_lstm.build(run.config.model, run.config.sequence, run.config.classes, None)
    rng = np.random.default_rng(0)
    for weight in network.full.weights:
        if "moving" not in weight.path:
            weight.assign(rng.normal(0, 0.4, weight.shape))
    network.full.save_weights(run.best_weights)
    return run


def test_the_engine_is_the_network(run: Run) -> None:
    engine = KerasEngine(run.config, parts_of(run))
    assert (engine.name, engine.classes) == ("paper", ("biceps_curl", "squat"))
    assert engine.spec == run.config.sequence
    assert engine.phase_delay == 0
    videos = np.random.default_rng(1).random((3, 4, 32, 32, 3), np.float32)
    videos *= np.array([0.1, 0.5, 1.0], np.float32).reshape(3, 1, 1, 1, 1)
    features = engine.encode(videos.reshape(12, 32, 32, 3))
    assert features.shape == (12, 24)  # four gates of LSTM 1's six units
    assert features.dtype == np.float32
    probabilities, phase = engine.classify(features.reshape(3, 4, 24))
    assert phase is None
    expected = load_network(run).full.predict_on_batch(videos)
    assert np.ptp(expected[:, 0]) > 1e-3
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_it_cannot_follow(run: Run) -> None:
    engine = KerasEngine(run.config, parts_of(run))
    with pytest.raises(InputError, match="paper finds no joints, so it cannot follow a person"):
        engine.encode_crops(np.zeros((1, 32, 32, 3), np.float32), whole_squares(1))


def test_the_recogniser_takes_it(run: Run) -> None:
    rng = np.random.default_rng(2)
    frames = [
        Frame(n / run.config.sequence.rate, rng.integers(0, 256, (40, 50, 3), dtype=np.uint8))
        for n in range(6)
    ]
    predictions = list(Recognizer(KerasEngine(run.config, parts_of(run))).stream(frames))
    assert len(predictions) == 3
    assert set(predictions[0].probabilities) == {"biceps_curl", "squat"}


def test_missing_and_foreign_weights_are_said(run: Run) -> None:
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save_weights(run.best_weights)
    with pytest.raises(InputError, match="must hold the weights"):
        KerasEngine(run.config, parts_of(run))
    run.best_weights.write_bytes(b"no weights")
    with pytest.raises(InputError, match="must hold the weights"):
        KerasEngine(run.config, parts_of(run))
    run.best_weights.unlink()
    with pytest.raises(InputError, match="no trained weights"):
        KerasEngine(run.config, parts_of(run))
