"""The whole default model: its parts, its description, and itself behind recognition's engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.training.config import load_config
from exerlitenet.training.describe import describe_model
from exerlitenet.training.operations import count
from exerlitenet.training.posture_network import (
    PostureEngine,
    PostureNetwork,
    build_posture_network,
    check_family,
)
from tiny_posture import CLASSES, tiny_backbone, tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# What ships must stay small enough for a phone's page: 6 MB of float32 weights.
MOST_BYTES = 6_000_000


@pytest.fixture(scope="module")
def network() -> PostureNetwork:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exerlitenet.training.backbone.build_backbone", tiny_backbone)
        keras.utils.set_random_seed(2)
        return build_posture_network(tiny_config())


def test_the_engine_says_what_the_whole_network_says(network: PostureNetwork) -> None:
    """Every frame encoded by itself, then the window: the same probabilities to 1e-5."""
    frames = np.random.default_rng(0).random((2, 6, 64, 64, 3), np.float32)
    wanted = np.asarray(network.full(frames, training=False))
    assert wanted.shape == (2, 3)
    np.testing.assert_allclose(wanted.sum(1), 1, atol=1e-6)
    assert np.abs(wanted[0] - wanted[1]).max() > 1e-5
    engine = PostureEngine(network, tiny_config())
    assert (engine.name, engine.classes, engine.phase_delay) == ("default", CLASSES, 2)
    assert (engine.spec.frames, engine.spec.size) == (6, 64)
    features = np.concatenate([engine.encode(frames[:, k]) for k in range(6)], axis=1).reshape(2, 6, 32)
    probabilities, phase = engine.judge(features)
    np.testing.assert_allclose(probabilities, wanted, atol=1e-5)
    assert phase is not None
    assert phase.shape == features.shape[:2]
    assert ((phase > 0) & (phase < 1)).all()


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
    # The backbone's 54,896,576, less nothing, and the layers that read joints off two of its maps.
    maps = 14 * 14
    joints = 7 * 7 * 576 * 64 + maps * (48 * 64 + 9 * 64 + 64 * 96 + 96 * 91) + 576 * 128 + 128 * 39
    assert found.frame.macs == 54_896_576 + joints
    # Two LSTMs at every frame, three dense layers, and matrices that pick shoulders, hips and limbs.
    recurrent = 15 * 512 * (217 + 128) + 15 * 512 * (128 + 128)
    dense = 15 * 128 + 128 * 64 + 64 * 3
    picked = 15 * (13 * 2 + 2 * 8 * 13 * 3)
    assert found.sequence.macs == 15 * found.frame.macs + recurrent + dense + picked


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


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.backbone=VGG16", 'model.backbone must be "MobileNetV3Small"'),
        ("sequence.aspect=pad", 'sequence.aspect must be "squash"'),
        ("sequence.size=48", "sequence.size must be a multiple of 32, got 48"),
        ("head.phase_delay=6", "phase_delay must be less than sequence.frames, 6, got 6"),
        ("head.epoch=6", r"unknown key head\.epoch"),
    ],
)
def test_what_the_family_cannot_follow_is_said(override: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        check_family(tiny_config(override))
    assert "\n" not in str(raised.value)


def test_phases_of_the_other_family_are_refused() -> None:
    config: Any = replace(tiny_config(), phases=load_config("paper").phases)
    with pytest.raises(InputError, match=r"\[\[phases\]\] is not for"):
        check_family(config)
    with pytest.raises(InputError, match=r'model\.kind must be "posture"'):
        check_family(load_config("paper"))
