"""The sequence head, and the whole default model put together of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exerlitenet.training.config import load_config
from exerlitenet.training.posture.head import Head, HeadConfig, build_head, frame_encoder, sequence_head
from exerlitenet.video.crop import Crop

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CONFIG = HeadConfig(lstm=(8, 6), dense=5, phase_delay=2)


@pytest.fixture(scope="module")
def head() -> Head:
    keras.utils.set_random_seed(1)
    return build_head(CONFIG, 6, 3)


def inputs(count: int = 4, frames: int = 6) -> list[Any]:
    rng = np.random.default_rng(0)
    joints = rng.normal(0.4, 0.3, (count, frames, 13, 6)).astype(np.float32)
    return [joints, rng.normal(0, 1, (count, frames, 128)).astype(np.float32)]


def test_probabilities_and_a_phase_for_every_frame(head: Head) -> None:
    out = {key: np.asarray(value) for key, value in head.network(inputs()).items()}
    assert {key: value.shape for key, value in out.items()} == {"classes": (4, 3), "phase": (4, 6)}
    np.testing.assert_allclose(out["classes"].sum(1), 1, atol=1e-6)
    assert ((out["phase"] > 0) & (out["phase"] < 1)).all()


def test_noise_and_dropout_are_for_training_alone(head: Head) -> None:
    first, second = (np.asarray(head.network(inputs(), training=False)["classes"]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    noisy = [np.asarray(head.network(inputs(), training=True)["classes"]) for _ in range(2)]
    assert not np.allclose(noisy[0], noisy[1], atol=1e-4)


def test_the_phase_looks_back_only(head: Head) -> None:
    """Frame t's phase depends on frames up to t, so that a stream can give it at once."""
    before = np.asarray(head.network(inputs())["phase"])
    changed = inputs()
    changed[0][:, 4:] += 0.5
    after = np.asarray(head.network(changed)["phase"])
    np.testing.assert_allclose(after[:, :4], before[:, :4], atol=1e-6)
    assert np.abs(after[:, 4:] - before[:, 4:]).min() > 1e-6


def test_the_two_streaming_parts_are_the_whole(head: Head) -> None:
    """Frame encoder on single frames, sequence head on its numbers: probabilities and phases."""
    pixels = keras.Input((8, 8, 3))
    flat = keras.layers.Flatten()(pixels)
    posture = keras.Model(
        pixels,
        {
            "joints": keras.layers.Reshape((13, 6))(keras.layers.Dense(78)(flat)),
            "context": keras.layers.Dense(128)(flat),
        },
    )
    frames = np.random.default_rng(2).random((4, 6, 8, 8, 3), np.float32)
    seen = {key: np.asarray(value) for key, value in posture(frames.reshape(24, 8, 8, 3)).items()}
    rng = np.random.default_rng(3)
    views = [Crop(*rng.uniform(-0.5, 0.5, 2), rng.uniform(0.3, 1.5)) for _ in range(24)]
    placed = seen["joints"].copy()
    for joints, view in zip(placed, views, strict=True):
        joints[:, :2] = view.to_picture(joints[:, :2])
    wanted = head.network([placed.reshape(4, 6, 13, 6), seen["context"].reshape(4, 6, 128)])
    where = np.stack([view.to_array() for view in views])
    encoded = frame_encoder(posture, head)([frames.reshape(24, 8, 8, 3), where])
    # What it tells of the joints speaks of the view, as the next view is chosen by it.
    np.testing.assert_allclose(encoded["joints"], seen["joints"], atol=1e-6)
    assert encoded["projection"].shape == (24, 4 * 8)
    out = sequence_head(head)(np.asarray(encoded["projection"]).reshape(4, 6, 32))
    np.testing.assert_allclose(out["probabilities"], wanted["classes"], atol=1e-5)
    np.testing.assert_allclose(out["phase"], wanted["phase"], atol=1e-5)


def test_the_shipped_table_is_the_papers_head() -> None:
    config = load_config("default").head
    assert (config.lstm, config.dense) == ((128, 128), 64)
