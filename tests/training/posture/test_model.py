"""The whole default model: its parts, its description, and itself behind recognition's engine."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.recognition.engine import whole_squares
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.results import Frame
from exerlitenet.training.config import load_config
from exerlitenet.training.engine import KerasEngine
from exerlitenet.training.networks.backbone import build_backbone
from exerlitenet.training.networks.operations import count
from exerlitenet.training.posture.model import PostureNetwork, build_posture_network, parts_of
from exerlitenet.training.registry import describe_model
from exerlitenet.training.run import Run
from tiny_posture import CLASSES, tiny_backbone, tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# What ships must stay small enough for a phone's page: 6 MB of float32 weights.
MOST_BYTES = 6_000_000


@pytest.fixture(scope="module")
def network() -> PostureNetwork:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exerlitenet.training.networks.backbone.build_backbone", tiny_backbone)
        keras.utils.set_random_seed(2)
        return build_posture_network(tiny_config())


@pytest.fixture(scope="module")
def engine(network: PostureNetwork, tmp_path_factory: pytest.TempPathFactory) -> KerasEngine:
    """The network as a run has it."""
    run = Run.create(tmp_path_factory.mktemp("runs") / "run", tiny_config())
    network.full.save_weights(run.best_weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exerlitenet.training.networks.backbone.build_backbone", tiny_backbone)
        return KerasEngine(run.config, parts_of(run))


def test_the_engine_gives_what_the_whole_network_gives(network: PostureNetwork, engine: KerasEngine) -> None:
    """Every frame encoded by itself by its crop, then the window: the same probabilities to 1e-5."""
    rng = np.random.default_rng(0)
    frames = rng.random((2, 6, 64, 64, 3), np.float32)
    views = rng.uniform((-0.5, -0.5, 0.3), (0.5, 0.5, 1.5), (2, 6, 3)).astype(np.float32)
    wanted = np.asarray(network.full([frames, views], training=False))
    assert wanted.shape == (2, 3)
    np.testing.assert_allclose(wanted.sum(1), 1, atol=1e-6)
    assert np.abs(wanted[0] - wanted[1]).max() > 1e-5
    assert (engine.name, engine.classes, engine.phase_delay) == ("default", CLASSES, 2)
    assert (engine.spec.frames, engine.spec.size) == (6, 64)
    seen = [engine.encode_crops(frames[:, k], views[:, k]) for k in range(6)]
    features = np.stack([projection for projection, _ in seen], axis=1)
    assert features.shape == (2, 6, 32)
    assert {joints.shape for _, joints in seen} == {(2, 13, 6)}
    posture = np.asarray(network.posture(frames[:, 0], training=False)["joints"])
    np.testing.assert_allclose(seen[0][1], posture, atol=1e-5)
    probabilities, phase = engine.classify(features)
    np.testing.assert_allclose(probabilities, wanted, atol=1e-5)
    assert phase is not None
    assert phase.shape == features.shape[:2]
    assert ((phase > 0) & (phase < 1)).all()


def test_where_the_crop_is_matters(engine: KerasEngine) -> None:
    frames = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
    plain = engine.encode(frames)
    np.testing.assert_array_equal(plain, engine.encode_crops(frames, whole_squares(2))[0])
    elsewhere = whole_squares(2)
    elsewhere[1] = (0.3, 0.1, 0.5)
    moved, joints = engine.encode_crops(frames, elsewhere)
    np.testing.assert_allclose(moved[0], plain[0], atol=1e-6)
    assert np.abs(moved[1] - plain[1]).max() > 1e-3
    # The joints speak of the view, whatever part of the picture it is.
    np.testing.assert_allclose(joints, engine.encode_crops(frames, whole_squares(2))[1], atol=1e-6)


def test_the_recogniser_follows_with_it(engine: KerasEngine) -> None:
    other = copy(engine)
    other.spec = replace(engine.spec, least_frames=0)
    recognizer = Recognizer(other)
    rng = np.random.default_rng(0)
    frames = [Frame(k / 7.5, rng.integers(0, 256, (48, 80, 3), dtype=np.uint8)) for k in range(8)]
    predictions = list(recognizer.stream(frames))
    assert len(predictions) == 3
    assert all(sum(p.probabilities.values()) == pytest.approx(1, abs=1e-5) for p in predictions)


def test_phases_set_what_learns(network: PostureNetwork) -> None:
    network.set_trainable("posture")
    assert network.posture.trainable_variables
    assert not network.head.network.trainable_variables
    network.set_trainable("head")
    assert not network.posture.trainable_variables
    assert len(network.full.trainable_variables) == len(network.head.network.weights)
    with pytest.raises(InputError, match="posture and head, got 'none'"):
        network.set_trainable("none")


def test_the_shipped_model_in_figures() -> None:
    config = load_config("default")
    found = describe_model(config)
    assert found.phases == ("posture", "head")
    assert found.before.total == found.after.total
    assert found.after.trainable < found.before.trainable < found.before.total
    assert found.before.weights_bytes <= MOST_BYTES
    # The backbone, and the layers that read joints off two of its maps, of strides 16 and 32.
    maps, coarse = (config.sequence.size // 16) ** 2, (config.sequence.size // 32) ** 2
    joints = coarse * 576 * 64 + maps * (48 * 64 + 9 * 64 + 64 * 96 + 96 * 91) + 576 * 128 + 128 * 39
    backbone = count(build_backbone("MobileNetV3Small", config.sequence.size, None)).macs
    assert found.frame.macs == backbone + joints
    # Two LSTMs at every frame, three dense layers, and matrices that pick shoulders, hips and limbs.
    frames = config.sequence.frames
    recurrent = frames * 512 * (217 + 128) + frames * 512 * (128 + 128)
    dense = frames * 128 + 128 * 64 + 64 * 3
    picked = frames * (13 * 2 + 2 * 8 * 13 * 3)
    assert found.sequence.macs == frames * found.frame.macs + recurrent + dense + picked


def test_frames_folded_into_the_batch_count_once_each(network: PostureNetwork) -> None:
    macs = {layer.name: layer.macs for layer in count(network).layers}
    assert macs["posture"] == 6 * count(network.posture).macs > 0
    pixels = keras.Input((5, 4, 3))
    folded = keras.ops.reshape(pixels, (-1, 3))
    dense = keras.layers.Dense(2)(folded)
    back = keras.ops.reshape(dense, (-1, 5 * 4 * 2))
    model = keras.Model(pixels, keras.layers.Dense(7)(back))
    assert count(model).macs == 20 * 3 * 2 + 40 * 7


def test_products_count_and_unknown_ones_are_never_free() -> None:
    left, right = keras.Input((4, 5)), keras.Input((5, 3))
    assert count(keras.Model([left, right], keras.ops.matmul(left, right))).macs == 4 * 5 * 3
    constant = np.ones((2, 4), np.float32)
    assert count(keras.Model(left, keras.ops.matmul(constant, left))).macs == 2 * 4 * 5
    with pytest.raises(TypeError, match=r"no rule counts .*Einsum"):
        count(keras.Model([left, right], keras.ops.einsum("bij,bjk->bik", left, right)))
