"""The frame network: shapes, ranges, loss, and what the head reads off its joints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exerlitenet.datasets.landmarks import LANDMARKS, posture_target
from exerlitenet.errors import InputError
from exerlitenet.training.posture.network import build_posture, in_picture, joint_features, posture_loss
from exerlitenet.video.crop import Crop
from tiny_posture import STILL, pose

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def networks() -> tuple[Any, Any]:
    keras.utils.set_random_seed(0)
    return build_posture(32, None), build_posture(64, None)


def test_joints_and_context_in_their_ranges(networks: tuple[Any, Any]) -> None:
    pixels = np.random.default_rng(0).random((3, 64, 64, 3), np.float32)
    out = {key: np.asarray(value) for key, value in networks[1](pixels, training=False).items()}
    assert {key: value.shape for key, value in out.items()} == {"joints": (3, 13, 6), "context": (3, 128)}
    joints = out["joints"]
    assert np.isfinite(joints).all()
    assert ((joints[..., 2] >= 0) & (joints[..., 2] <= 1)).all()
    # Places begin near the middle of the picture, not anywhere.
    assert ((joints[..., :2] > -0.5) & (joints[..., :2] < 1.5)).all()
    assert np.ptp(joints, axis=0).max() > 0, "the answer depends on the picture"


def test_the_same_weights_fit_two_sizes(networks: tuple[Any, Any]) -> None:
    small, large = networks
    large.set_weights(small.get_weights())
    assert [w.shape for w in small.weights] == [w.shape for w in large.weights]
    for network, size in ((small, 32), (large, 64)):
        joints = network(np.full((1, size, size, 3), 0.3, np.float32), training=False)["joints"]
        assert joints.shape == (1, 13, 6)


def test_a_size_that_32_does_not_divide_is_refused() -> None:
    with pytest.raises(InputError, match="32 divides, got 48"):
        build_posture(48, None)


def target_and_joints() -> tuple[Any, Any]:
    target = np.stack([posture_target(pose(x), 1.0, STILL, Crop(0, 0, 1)) for x in (0.5, 0.6)])
    return target, target[..., :6].copy()


def loss(target: Any, joints: Any) -> float:
    return float(posture_loss(target, joints))


def test_a_perfect_answer_costs_nothing() -> None:
    target, joints = target_and_joints()
    assert loss(target, joints) == pytest.approx(0, abs=1e-3)  # visibility is clipped at 1e-4


@pytest.mark.parametrize(
    ("part", "by", "cost"),
    [((..., slice(0, 2)), 0.1, 1.0), ((..., slice(3, 6)), 0.1, 0.4)],
)
def test_the_loss_is_the_mean_distance_by_its_weight(part: Any, by: float, cost: float) -> None:
    target, joints = target_and_joints()
    joints[part] += by
    assert loss(target, joints) == pytest.approx(cost, abs=1e-3)


def test_visibility_is_a_cross_entropy() -> None:
    target, joints = target_and_joints()
    joints[..., 2] = 0.5
    assert loss(target, joints) == pytest.approx(0.3 * np.log(2), abs=1e-4)


def test_what_has_no_weight_costs_nothing() -> None:
    target, joints = target_and_joints()
    for place, value in ((0, 9.0), (1, -9.0), (2, 0.01), (3, 9.0)):
        joints[1, 4, place] = value
    assert loss(target, joints) > 1
    target[1, 4, 6:] = 0
    assert loss(target, joints) == pytest.approx(0, abs=1e-3)
    target[..., 6:] = 0
    assert loss(target, joints * 3) == 0


def joints_of(rng: np.random.Generator) -> Any:
    out = rng.normal(0, 0.3, (2, 5, 13, 6)).astype(np.float32)
    out[..., :2] = 0.5 + 0.2 * rng.random((2, 5, 13, 2))
    return out


def test_joints_of_views_in_the_picture() -> None:
    """As `Crop.to_picture` says; what else is known of a joint stays."""
    rng = np.random.default_rng(0)
    joints = rng.random((4, 13, 6), np.float32)
    views = [Crop(*rng.uniform(-0.5, 0.5, 2), rng.uniform(0.3, 1.5)) for _ in range(4)]
    found = np.asarray(in_picture(joints, np.stack([view.to_array() for view in views])))
    for mine, wanted, view in zip(found, joints, views, strict=True):
        np.testing.assert_allclose(mine[:, :2], view.to_picture(wanted[:, :2]), atol=1e-6)
        np.testing.assert_array_equal(mine[:, 2:], wanted[:, 2:])


def test_features_know_neither_distance_nor_place_but_in_their_last_three() -> None:
    joints = joints_of(np.random.default_rng(1))
    moved = joints.copy()
    moved[..., :2] = (joints[..., :2] - 0.5) * 0.7 + np.array([0.3, 0.6], np.float32)
    before, after = (np.asarray(joint_features(j)) for j in (joints, moved))
    assert before.shape == (2, 5, 89)
    # The spread has a floor of 0.01, so a body of this size loses a little with distance.
    np.testing.assert_allclose(after[..., 26:-3], before[..., 26:-3], atol=1e-6)
    np.testing.assert_allclose(after[..., :26], before[..., :26], atol=0.05)
    shifted = joints.copy()
    shifted[..., :2] += 0.1
    np.testing.assert_allclose(np.asarray(joint_features(shifted))[..., :86], before[..., :86], atol=1e-5)
    assert np.abs(after[..., -3:] - before[..., -3:]).min() > 0.01


def test_features_hold_the_cosines_of_the_joints_angles() -> None:
    joints = np.zeros((1, 13, 6), np.float32)
    shoulder, elbow, wrist = (LANDMARKS.index(number) for number in (11, 13, 15))
    joints[0, shoulder, 3:6], joints[0, wrist, 3:6] = (0, 0.3, 0), (0.3, 0, 0)
    cosines = np.asarray(joint_features(joints))[0, 26 + 13 + 39 : 26 + 13 + 39 + 8]
    assert cosines[0] == pytest.approx(0, abs=1e-5)  # a right angle at the elbow
    joints[0, wrist, 3:6] = (0, 0.25, 0)
    assert joints[0, elbow, 3:6].tolist() == [0, 0, 0]
    cosines = np.asarray(joint_features(joints))[0, 26 + 13 + 39 : 26 + 13 + 39 + 8]
    assert cosines[0] == pytest.approx(1, abs=2e-3)  # folded


def test_features_of_frames_are_those_of_windows() -> None:
    joints = joints_of(np.random.default_rng(2))
    windows = np.asarray(joint_features(joints))
    frames = np.asarray(joint_features(joints.reshape(-1, 13, 6)))
    np.testing.assert_allclose(frames.reshape(windows.shape), windows, atol=1e-6)
