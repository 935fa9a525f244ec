"""Targets of the frame network follow what an augmentation does to the picture."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmentations import NO_AUGMENTATION
from clips import spot
from exerlitenet.datasets.augment import Augmentation, draw
from exerlitenet.datasets.landmarks import ANGLES, LANDMARKS, MIRROR, TRUNK, picture_points, posture_target
from exerlitenet.video.crop import Crop, whole_crop
from tiny_posture import STILL, pose

WHOLE = Crop(0, 0, 1)

FLIP = draw(np.random.default_rng(0), replace(NO_AUGMENTATION, flip_chance=1.0))
GEOMETRY = replace(
    NO_AUGMENTATION, flip_chance=0.5, zoom=(0.7, 1.3), stretch=(0.8, 1.25), shift=0.1, rotate_degrees=20
)


def test_without_augmentation_the_target_is_the_pose() -> None:
    """x and y in units of the height become parts of the view: here 1.6 wide, about the middle (0.8, 0.5)."""
    found = posture_target(pose(0.8), 1.6, STILL, whole_crop(100, 160))
    wanted = pose(0.8)[list(LANDMARKS)]
    assert found.shape == (13, 9)
    np.testing.assert_allclose(found[:, 0], wanted[:, 0] / 1.6, atol=1e-6)
    np.testing.assert_allclose(found[:, 1], (wanted[:, 1] - 0.5) / 1.6 + 0.5, atol=1e-6)
    np.testing.assert_array_equal(found[:, 3:6], wanted[:, 4:7])
    np.testing.assert_array_equal(found[:, [2, 6, 7, 8]], 1)


@pytest.mark.parametrize(("width", "height"), [(100, 100), (160, 100), (100, 160)])
def test_picture_points_are_in_units_of_the_short_side_about_the_middle(width: int, height: int) -> None:
    body = np.full((2, 33, 7), np.nan, np.float32)
    body[0, :, 0], body[0, :, 1] = 0.75 * width / height, 0.25  # three quarters to the right, one down
    points = picture_points(body, width / height)
    assert (points.shape, points.dtype) == ((2, 13, 2), np.float32)
    expected = np.array([0.25 * width, -0.25 * height]) / min(width, height)
    np.testing.assert_allclose(points[0], np.tile(expected, (13, 1)), atol=1e-6)
    assert np.isnan(points[1]).all()


def test_a_view_moves_and_scales_places_and_nothing_else() -> None:
    whole = posture_target(pose(), 1.0, STILL, WHOLE)
    view = Crop(0.05, -0.1, 0.5)
    found = posture_target(pose(), 1.0, STILL, view)
    np.testing.assert_allclose(found[:, :2], view.to_crop(whole[:, :2] - 0.5), atol=1e-6)
    np.testing.assert_array_equal(found[:, 3:6], whole[:, 3:6])


def test_who_is_outside_the_view_is_not_seen() -> None:
    found = posture_target(pose(), 1.0, STILL, Crop(2.0, 0.0, 0.5))
    assert not found[:, [2, 6, 8]].any()
    assert (found[:, 7] == 1).all(), "that nobody is seen there is learned"
    assert ((found[:, :2] >= -1) & (found[:, :2] <= 2)).all()


def test_a_flip_swaps_left_and_right_and_mirrors_the_world() -> None:
    plain, mirrored = (posture_target(pose(), 1.0, augmentation, WHOLE) for augmentation in (STILL, FLIP))
    left_shoulder, right_shoulder = LANDMARKS.index(11), LANDMARKS.index(12)
    assert mirrored[left_shoulder, 0] == pytest.approx(1 - plain[right_shoulder, 0])
    np.testing.assert_allclose(mirrored[:, 0], 1 - plain[list(MIRROR), 0], atol=1e-6)
    np.testing.assert_allclose(mirrored[:, 1], plain[list(MIRROR), 1], atol=1e-6)
    np.testing.assert_allclose(mirrored[:, 3], -plain[list(MIRROR), 3], atol=1e-6)
    np.testing.assert_allclose(mirrored[:, 4:6], plain[list(MIRROR), 4:6], atol=1e-6)


def test_the_tables_know_left_from_right() -> None:
    """MediaPipe gives left landmarks odd numbers and their right ones the next."""
    for mine, other in enumerate(MIRROR):
        assert MIRROR[other] == mine
        number = LANDMARKS[mine]
        assert LANDMARKS[other] == (0 if number == 0 else number + 1 if number % 2 else number - 1)
    for left, right in zip(ANGLES[::2], ANGLES[1::2], strict=True):
        assert tuple(MIRROR[joint] for joint in left) == right
    assert sorted(LANDMARKS[joint] for joint in TRUNK) == [11, 12, 23, 24]


@given(
    seed=st.integers(0, 10_000),
    x=st.floats(-0.25, 0.25),
    y=st.floats(-0.25, 0.25),
    u=st.floats(0.35, 0.65),
    v=st.floats(0.35, 0.65),
    side=st.floats(0.8, 2.5),
    shape=st.sampled_from([(160, 160), (120, 200), (200, 120)]),
)
@settings(max_examples=50)
def test_the_target_is_where_the_augmented_pixels_are(
    seed: int, x: float, y: float, u: float, v: float, side: float, shape: tuple[int, int]
) -> None:
    """A spot at the nose, and the middle of what is white under the augmentation, where the view looks."""
    augmentation = replace(draw(np.random.default_rng(seed), GEOMETRY), border=(0, 0, 0))
    there = augmentation.points(np.array([x, y], np.float32))
    view = Crop(float(there[0]) - (u - 0.5) * side, float(there[1]) - (v - 0.5) * side, side)
    seen = augmentation.picture(spot(x, y, *shape), 96, view)[..., 0].astype(float)
    weights = seen / seen.sum()
    grid = (np.arange(96) + 0.5) / 96
    middle = (weights.sum(0) @ grid, weights.sum(1) @ grid)
    height, width = shape
    body = pose(0.9, 0.9)
    body[0, :2] = np.array([x, y]) * min(shape) / height + (width / height / 2, 0.5)  # in units of the height
    target = posture_target(body, width / height, augmentation, view)
    np.testing.assert_allclose(target[0, :2], middle, atol=0.011)


def rotated(degrees: float, flip: bool = False) -> Augmentation:
    ranges = replace(NO_AUGMENTATION, flip_chance=float(flip))
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    x = -1 if flip else 1
    drawn = draw(np.random.default_rng(0), ranges)
    return replace(drawn, rotate_radians=angle, matrix=(x * cos, -sin, x * sin, cos))


@pytest.mark.parametrize("flip", [False, True])
def test_the_world_turns_with_the_picture(flip: bool) -> None:
    """In a square picture without zoom, places in space about the hips move as places in the picture do."""
    body = pose()
    body[:, 0:2] = 0.5 + 0.1 * body[:, 4:6]
    target = posture_target(body, 1.0, rotated(30, flip), WHOLE)
    np.testing.assert_allclose(target[:, 0:2] - 0.5, 0.1 * target[:, 3:5], atol=1e-6)
    np.testing.assert_allclose(
        np.linalg.norm(target[:, 3:6], axis=1).sum(),
        np.linalg.norm(body[list(LANDMARKS), 4:7], axis=1).sum(),
        rtol=1e-5,
    )


def test_nobody_found_is_nothing_to_learn() -> None:
    assert not posture_target(np.full((33, 7), np.nan, np.float32), 1.0, STILL, WHOLE).any()


def test_a_missing_landmark_has_no_weight_and_the_others_keep_theirs() -> None:
    body = pose()
    body[13] = np.nan
    for augmentation, place in ((STILL, LANDMARKS.index(13)), (FLIP, LANDMARKS.index(14))):
        found = posture_target(body, 1.0, augmentation, WHOLE)
        assert np.isfinite(found).all()
        assert not found[place, 6:].any()
        assert (np.delete(found, place, 0)[:, 6:8] == 1).all()


def test_what_is_outside_or_hidden_weighs_less() -> None:
    body = pose()
    body[LANDMARKS[1], 0] = 1.1  # a little outside: its place is still a target, but it is not visible
    body[LANDMARKS[2], 0] = 1.4  # far outside
    body[LANDMARKS[3], 3] = 0.2  # the teacher guesses
    body[LANDMARKS[4], 3] = 0.5
    found = posture_target(body, 1.0, STILL, WHOLE)
    assert (found[1, 2], found[1, 6]) == (0, 1)
    assert (found[2, 2], found[2, 6]) == (0, 0)
    assert found[3, 2] == pytest.approx(0.2)
    assert found[3, 6] == 0
    assert found[3, 8] == pytest.approx(0.3)
    assert found[4, 6] == pytest.approx(0.5)
    assert found[4, 8] == pytest.approx(0.65)
    assert (found[:, 7] == 1).all()


def test_the_shape_of_a_body_mostly_outside_is_not_learned() -> None:
    found = posture_target(pose(x=1.08), 1.0, STILL, WHOLE)
    assert 0 < ((found[:, 0] >= 0) & (found[:, 0] <= 1)).mean() <= 0.5
    assert not found[:, 8].any()
    assert found[:, 6].any()
