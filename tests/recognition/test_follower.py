"""Where a stream's model looks: about the person, still while they are, and at the whole when they are gone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exerlitenet.recognition.follower import (
    GROW,
    LEAST_JOINTS,
    LOST_TICKS,
    MARGIN,
    SHRINK,
    SMALLEST_SIDE,
    VISIBLE,
    Follower,
    box_of,
    crop_of,
)
from exerlitenet.video.crop import Crop, whole_crop

SIZE = (90, 160)
UNIT = np.random.default_rng(0).random((13, 2)).astype(np.float32)
UNIT[0], UNIT[1] = (0, 0), (1, 1)


def person(x: float, y: float, width: float, height: float) -> np.ndarray:
    """Thirteen points about (x, y) in picture units that reach so far."""
    return ((UNIT - 0.5) * (width, height) + (x, y)).astype(np.float32)


def joints(points: np.ndarray, view: Crop, visibility: float = 1.0) -> np.ndarray:
    """What a model sees of these points where it looks."""
    out = np.zeros((13, 6), np.float32)
    out[:, :2] = view.to_crop(points)
    out[:, 2] = visibility
    return out


def watch(follower: Follower, points: np.ndarray, ticks: int = 1, visibility: float = 1.0) -> Crop:
    """So many ticks of a person who holds still. Returns the crop of the next frame."""
    for _ in range(ticks):
        view = follower.crop(*SIZE)
        follower.update(joints(points, view, visibility))
    return follower.crop(*SIZE)


def test_the_first_frame_is_encoded_whole() -> None:
    assert Follower().crop(*SIZE) == whole_crop(*SIZE)


@given(
    seen=st.lists(
        st.tuples(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32 - 1), st.floats(0.01, 3)),
        min_size=1,
        max_size=30,
    )
)
def test_a_view_is_finite_and_neither_tiny_nor_beyond_the_whole(
    seen: list[tuple[int, int, int, float]],
) -> None:
    """Whatever a model says, even of a picture that changes its size."""
    follower = Follower()
    for height, width, seed, spread in seen:
        view = follower.crop(height, width)
        assert np.isfinite(view.to_array()).all()
        assert SMALLEST_SIDE <= view.side <= whole_crop(height, width).side
        rng = np.random.default_rng(seed)
        said = rng.normal(0.5, spread, (13, 6)).astype(np.float32)
        said[:, 2] = rng.random(13) ** rng.choice([0.2, 1, 5])
        follower.update(said)


@given(
    x=st.floats(-0.5, 0.5),
    y=st.floats(-0.2, 0.2),
    width=st.floats(0.02, 0.7),
    height=st.floats(0.02, 0.6),
)
def test_a_still_person_gives_a_still_view_with_a_margin(
    x: float, y: float, width: float, height: float
) -> None:
    follower = Follower()
    points = person(x, y, width, height)
    first = watch(follower, points)
    assert first != whole_crop(*SIZE)
    inside = first.to_crop(points)
    margin = (1 - 1 / MARGIN) / 2
    assert inside.min() >= margin - 1e-4
    assert inside.max() <= 1 - margin + 1e-4
    assert first.side == pytest.approx(max(MARGIN * max(width, height), SMALLEST_SIDE), abs=1e-4)
    for _ in range(30):
        np.testing.assert_allclose(watch(follower, points).to_array(), first.to_array(), atol=1e-4)


def test_a_person_who_fills_the_picture_is_seen_whole() -> None:
    points = person(0, 0, 1.7, 1.0)
    view = watch(Follower(), points, 3)
    assert view.side == whole_crop(*SIZE).side
    assert ((view.to_crop(points) >= 0) & (view.to_crop(points) <= 1)).all()


@given(step=st.floats(-0.03, 0.03), rise=st.floats(-0.01, 0.01))
def test_a_person_who_walks_stays_in_the_view(step: float, rise: float) -> None:
    follower = Follower()
    for tick in range(40):
        points = person(step * (tick - 20), rise * (tick - 20), 0.25, 0.5)
        view = follower.crop(*SIZE)
        inside = view.to_crop(points)
        assert ((inside > 0) & (inside < 1)).all()
        follower.update(joints(points, view))
    # The edge behind follows slowly, so the view has grown, but it is not the whole.
    assert view.side < whole_crop(*SIZE).side
    left, _, right, _ = box_of(view.to_crop(points))
    assert 0.02 < left < right < 0.98


def test_the_view_grows_at_once_and_shrinks_slowly() -> None:
    follower = Follower()
    low, high = person(0, 0, 0.2, 0.4), person(0, 0, 0.2, 0.6)
    before = watch(follower, low, 5).side / MARGIN
    grown = watch(follower, high).side / MARGIN
    assert before == pytest.approx(0.4, abs=1e-4)
    assert grown == pytest.approx(0.4 + GROW * 0.2, abs=1e-4)
    after = watch(follower, low).side / MARGIN
    assert after == pytest.approx(grown - SHRINK * (grown - 0.4), abs=1e-4)
    sides = [watch(follower, low).side for _ in range(100)]
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] / MARGIN == pytest.approx(0.4, abs=2e-3)


def test_a_repetition_moves_the_person_and_not_the_view() -> None:
    """A head that rises and falls once in 15 ticks: the view's side changes by less than half as much."""
    follower = Follower()
    heights, sides = [], []
    for tick in range(90):
        heights.append(0.5 + 0.15 * np.sin(2 * np.pi * tick / 15))
        sides.append(watch(follower, person(0, -0.5 * heights[-1], 0.2, heights[-1])).side)
    assert np.ptp(sides[45:]) < 0.45 * MARGIN * np.ptp(heights[45:])


def test_who_is_lost_is_searched_in_the_whole() -> None:
    follower = Follower()
    points = person(0.1, 0, 0.2, 0.4)
    about = watch(follower, points, 3)
    assert watch(follower, points, LOST_TICKS - 1, visibility=VISIBLE - 0.01) == about
    assert watch(follower, points, 1, visibility=0) == whole_crop(*SIZE)
    np.testing.assert_allclose(watch(follower, points).to_array(), about.to_array(), atol=1e-4)


def test_seen_once_in_between_is_not_lost() -> None:
    follower = Follower()
    points = person(0.1, 0, 0.2, 0.4)
    about = watch(follower, points, 3)
    for _ in range(3):
        kept = watch(follower, points, LOST_TICKS - 1, visibility=0)
        np.testing.assert_allclose(kept.to_array(), about.to_array(), atol=1e-4)
        watch(follower, points)


def test_too_few_joints_are_nobody() -> None:
    for count, found in ((LEAST_JOINTS - 1, False), (LEAST_JOINTS, True)):
        follower = Follower()
        said = joints(person(0, 0, 0.2, 0.3), follower.crop(*SIZE), visibility=0.1)
        said[:count, 2] = VISIBLE
        follower.update(said)
        assert (follower.crop(*SIZE) != whole_crop(*SIZE)) == found


def test_hidden_joints_do_not_widen_the_view() -> None:
    follower = Follower()
    points = person(0, 0, 0.2, 0.3)
    points[5] = (0.8, 0.4)
    said = joints(points, follower.crop(*SIZE))
    said[5, 2] = VISIBLE - 0.01
    follower.update(said)
    assert follower.crop(*SIZE).side == pytest.approx(MARGIN * 0.3, abs=1e-4)


@given(seed=st.integers(0, 999), whole=st.floats(1, 3))
@settings(max_examples=30)
def test_box_and_view_by_hand(seed: int, whole: float) -> None:
    points = np.random.default_rng(seed).normal(0, 0.5, (5, 2)).astype(np.float32)
    box = box_of(points)
    assert box.tolist() == [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]
    view = crop_of(box, whole)
    extent = float(np.ptp(points, axis=0).max())
    assert view.side == pytest.approx(min(max(MARGIN * extent, SMALLEST_SIDE), whole), abs=1e-5)
    assert (view.x, view.y) == pytest.approx(tuple((points.max(axis=0) + points.min(axis=0)) / 2), abs=1e-5)


def test_seeing_comes_after_looking() -> None:
    with pytest.raises(ValueError, match=r"call crop\(\) first"):
        Follower().update(np.zeros((13, 6), np.float32))
