from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmentations import NO_AUGMENTATION
from clips import spot
from exerlitenet.datasets.augment import Augmentation, Ranges, draw
from exerlitenet.errors import InputError
from exerlitenet.video.crop import Crop, crop_picture

STILL = (1.0, 1.0)
EVERYTHING = Ranges(
    zoom=(0.8, 1.1),
    stretch=(0.9, 1.1),
    shift=0.05,
    rotate_degrees=10,
    gamma=(0.8, 1.2),
    colour=(0.8, 1.2),
    saturation=(0.5, 1.5),
    blur_chance=0.5,
    motion_blur_chance=0.5,
    noise_chance=0.5,
    low_light_chance=0.5,
    low_resolution_chance=0.5,
    cut_out_chance=0.5,
    speed=(0.7, 1.4),
)


def still(**changes: object) -> Ranges:
    return dataclasses.replace(NO_AUGMENTATION, **changes)  # type: ignore[arg-type]


def drawn(seed: int, ranges: Ranges) -> Augmentation:
    return draw(np.random.default_rng(seed), ranges)


def picture(seed: int = 0, size: int = 64) -> np.ndarray:
    """A smooth random picture, uint8 [size, size, 3]."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3)).astype(np.float64)
    fine = coarse.repeat(size // 8, 0).repeat(size // 8, 1)
    return fine.astype(np.uint8)


def middle_of_light(image: np.ndarray) -> np.ndarray:
    """float [2]: x, y from 0 to 1."""
    light = image[..., 0].astype(np.float64)
    rows, columns = np.mgrid[: len(light), : len(light)] + 0.5
    return np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum() / len(light)


def test_no_augmentation_leaves_pixels_as_they_are() -> None:
    frames = np.stack([picture(1), picture(2)])
    np.testing.assert_array_equal(drawn(0, NO_AUGMENTATION).apply(frames, 64), frames)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_one_draw_serves_all_frames(seed: int) -> None:
    # Equal frames stay equal; only the field of noise is cut at another place for each.
    augmentation = dataclasses.replace(drawn(seed, EVERYTHING), noise_sigma=0.0)
    out = augmentation.apply(np.stack([picture()] * 4), 48)
    assert out.shape == (4, 48, 48, 3)
    assert out.dtype == np.uint8
    for frame in out[1:]:
        np.testing.assert_array_equal(frame, out[0])


def test_a_flip_holds_for_the_whole_sequence() -> None:
    frames = np.stack([picture(k) for k in range(5)])
    out = drawn(0, still(flip_chance=1.0)).apply(frames, 64)
    np.testing.assert_array_equal(out, frames[:, :, ::-1])


def test_noise_differs_from_frame_to_frame_but_not_from_call_to_call() -> None:
    augmentation = drawn(3, still(noise_chance=1.0, noise_sigma=(5.0, 5.0)))
    frames = np.full((3, 32, 32, 3), 128, np.uint8)
    out = augmentation.apply(frames, 32)
    assert (out[0] != out[1]).any()
    assert 4 < out[0].astype(float).std() < 6
    np.testing.assert_array_equal(out, augmentation.apply(frames, 32))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_draws_the_same(seed: int) -> None:
    first, second = drawn(seed, EVERYTHING), drawn(seed, EVERYTHING)
    assert first == second
    frames = np.stack([picture(7)] * 2)
    np.testing.assert_array_equal(first.apply(frames, 32), second.apply(frames, 32))
    assert drawn(seed + 1, EVERYTHING) != first


SHAPES = [(128, 128), (120, 200), (200, 120), (97, 171)]
GEOMETRY = still(flip_chance=0.5, zoom=(0.8, 1.2), stretch=(0.85, 1.15), shift=0.08, rotate_degrees=20)


@given(
    seed=st.integers(0, 10_000),
    x=st.floats(-0.15, 0.15),
    y=st.floats(-0.15, 0.15),
    flip=st.booleans(),
    shape=st.sampled_from(SHAPES),
)
@settings(max_examples=40, deadline=None)
def test_points_go_where_the_pixels_go(
    seed: int, x: float, y: float, flip: bool, shape: tuple[int, int]
) -> None:
    """Without views the whole augmented picture is squashed to the square."""
    ranges = dataclasses.replace(GEOMETRY, flip_chance=float(flip))
    augmentation = dataclasses.replace(drawn(seed, ranges), border=(0, 0, 0))
    assert augmentation.flip == flip
    out = augmentation.apply(spot(x, y, *shape)[None], 128)[0]
    height, width = shape
    sides = np.array([width, height]) / min(shape)
    expected = augmentation.points(np.array([x, y], np.float32)) / sides + 0.5
    np.testing.assert_allclose(middle_of_light(out), expected, atol=0.012)


@given(
    seed=st.integers(0, 10_000),
    x=st.floats(-0.3, 0.3),
    y=st.floats(-0.3, 0.3),
    u=st.floats(0.35, 0.65),
    v=st.floats(0.35, 0.65),
    side=st.floats(0.8, 3.0),
    shape=st.sampled_from(SHAPES),
)
@settings(max_examples=60, deadline=None)
def test_points_of_a_view_go_where_its_pixels_go(
    seed: int, x: float, y: float, u: float, v: float, side: float, shape: tuple[int, int]
) -> None:
    """A spot of the source lies at (u, v) of a view that is laid so; larger views pass through `reduce`."""
    augmentation = dataclasses.replace(drawn(seed, GEOMETRY), border=(0, 0, 0))
    there = augmentation.points(np.array([x, y], np.float32))
    view = Crop(float(there[0]) - (u - 0.5) * side, float(there[1]) - (v - 0.5) * side, side)
    out = augmentation.apply(spot(x, y, *shape)[None], 96, [view])[0]
    np.testing.assert_allclose(middle_of_light(out) * 96, view.to_crop(there) * 96, atol=1.0)
    np.testing.assert_allclose(view.to_crop(there), (u, v), atol=1e-4)


@given(seed=st.integers(0, 10_000), x=st.floats(-1, 1), y=st.floats(-1, 1))
def test_points_are_the_matrix_the_other_way(seed: int, x: float, y: float) -> None:
    """Place in the source = matrix @ place in the augmented picture + centre, both in picture units."""
    augmentation = drawn(seed, GEOMETRY)
    place = augmentation.points(np.array([x, y], np.float32))
    back = np.reshape(augmentation.matrix, (2, 2)) @ place + augmentation.centre
    np.testing.assert_allclose(back, (x, y), atol=1e-5)
    centre = augmentation.points(np.array(augmentation.centre, np.float32))
    np.testing.assert_allclose(centre, 0, atol=1e-6)


def test_points_without_augmentation_stay() -> None:
    points = np.array([[0, 0], [0.3, -0.9]], np.float32)
    np.testing.assert_array_equal(drawn(0, NO_AUGMENTATION).points(points), points)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_augmentation_a_view_is_cropped_as_at_work(shape: tuple[int, int]) -> None:
    """Where no pixel is skipped; sampling differs a little from a resize."""
    frame = spot(0.1, -0.05, *shape)
    view = Crop(0.05, 0.0, 0.7)
    ours = drawn(0, NO_AUGMENTATION).picture(frame, 64, view)
    theirs = crop_picture(frame, view, 64)
    np.testing.assert_allclose(ours.astype(float), theirs.astype(float), atol=20)
    assert abs(ours.astype(float) - theirs).mean() < 1


@pytest.mark.parametrize("shape", [(512, 512), (511, 769), (769, 511)])
def test_large_pictures_are_reduced_so_that_no_pixel_is_skipped(shape: tuple[int, int]) -> None:
    """Lines one pixel wide: sampling every eighth pixel would see all white or all black."""
    frame = np.zeros((*shape, 3), np.uint8)
    frame[::2] = 254
    out = drawn(0, NO_AUGMENTATION).apply(frame[None], 64, [Crop(0, 0, 1)])[0]
    assert 120 < out[8:-8, 8:-8].min() <= out[8:-8, 8:-8].max() < 134
    for x, y in ((0.2, -0.1), (-0.3, 0.25)):
        seen = drawn(0, NO_AUGMENTATION).apply(spot(x, y, *shape)[None], 64, [Crop(0, 0, 1)])[0]
        np.testing.assert_allclose(middle_of_light(seen) * 64, (np.array([x, y]) + 0.5) * 64, atol=0.6)


def test_beyond_the_picture_is_the_border() -> None:
    augmentation = dataclasses.replace(drawn(0, NO_AUGMENTATION), border=(9, 99, 199))
    out = augmentation.apply(np.full((1, 40, 40, 3), 50, np.uint8), 32, [Crop(0.5, 0, 1)])[0]
    assert (out[:, :15] == 50).all()
    assert (out[:, 17:] == (9, 99, 199)).all()


def test_each_frame_has_a_view_of_its_own_under_one_draw() -> None:
    frames = np.stack([spot(0, 0, 96, 128)] * 3)
    augmentation = dataclasses.replace(drawn(5, GEOMETRY), border=(0, 0, 0))
    middle = augmentation.points(np.zeros(2, np.float32))
    views = [Crop(float(middle[0]) + shift, float(middle[1]), 0.9) for shift in (-0.2, 0.0, 0.2)]
    out = augmentation.apply(frames, 64, views)
    places = [middle_of_light(frame)[0] for frame in out]
    assert places == pytest.approx([0.5 + 0.2 / 0.9, 0.5, 0.5 - 0.2 / 0.9], abs=0.02)
    for number, view in enumerate(views):
        np.testing.assert_array_equal(out[number], augmentation.picture(frames[number], 64, view, number))


def test_points_do_not_depend_on_the_sizes_of_source_and_output() -> None:
    augmentation = dataclasses.replace(
        drawn(5, still(flip_chance=1.0, zoom=(0.9, 0.9), rotate_degrees=15)), border=(0, 0, 0)
    )
    large, small = (augmentation.apply(spot(-0.1, 0.1, n, n)[None], 96)[0] for n in (256, 128))
    assert math.dist(middle_of_light(large), middle_of_light(small)) < 0.01


def test_speed_chooses_ticks() -> None:
    plain = drawn(0, NO_AUGMENTATION)
    np.testing.assert_array_equal(plain.ticks(3, 5, 100), [3, 4, 5, 6, 7])
    fast = drawn(0, still(speed=(2.0, 2.0)))
    np.testing.assert_array_equal(fast.ticks(3, 5, 100), [3, 5, 7, 9, 11])
    np.testing.assert_array_equal(fast.ticks(3, 5, 8), [3, 5, 7, 7, 7])
    slow = drawn(0, still(speed=(0.5, 0.5)))
    assert list(slow.ticks(0, 5, 100)) == sorted(slow.ticks(0, 5, 100))
    assert slow.ticks(0, 5, 100)[-1] == 2


@given(
    seed=st.integers(0, 999), start=st.integers(0, 50), frames=st.integers(1, 20), total=st.integers(1, 60)
)
def test_ticks_stay_inside_the_clip(seed: int, start: int, frames: int, total: int) -> None:
    ticks = drawn(seed, still(speed=(0.5, 2.0))).ticks(start, frames, total)
    assert ticks.shape == (frames,)
    assert ticks.min() >= 0
    assert ticks.max() < total
    assert (np.diff(ticks) >= 0).all()


@pytest.mark.parametrize(
    ("ranges", "check"),
    [
        (still(brightness=(0.5, 0.5)), lambda before, after: after.mean() < 0.6 * before.mean()),
        (still(contrast=(0.5, 0.5)), lambda before, after: after.std() < 0.6 * before.std()),
        (still(saturation=(0.0, 0.0)), lambda before, after: (np.ptp(after, axis=-1) <= 1).all()),
        (still(gamma=(2.0, 2.0)), lambda before, after: after.mean() < before.mean()),
        (still(low_light_chance=1.0), lambda before, after: after.mean() < 0.6 * before.mean()),
        (still(low_resolution_chance=1.0, low_resolution=(4.0, 4.0)), lambda b, a: a.std() < b.std()),
        (still(blur_chance=1.0, blur_sigma=(9.0, 9.0)), lambda before, after: after.std() < before.std()),
        (still(motion_blur_chance=1.0), lambda before, after: after.std() < before.std()),
    ],
)
def test_each_effect_does_what_it_is_named_for(ranges: Ranges, check: object) -> None:
    before = picture(11)
    after = drawn(2, ranges).apply(before[None], 64)[0]
    assert check(before.astype(float), after.astype(float))  # type: ignore[operator]


def test_colour_turns_each_channel_by_itself() -> None:
    grey = np.full((1, 8, 8, 3), 100, np.uint8)
    out = drawn(1, still(colour=(0.5, 1.5))).apply(grey, 8)
    assert len(set(out[0, 0, 0])) == 3


def test_a_cut_out_covers_the_same_place_in_every_frame() -> None:
    augmentation = dataclasses.replace(
        drawn(4, still(cut_out_chance=1.0, cut_out_side=(0.25, 0.25))), border=(255, 0, 0)
    )
    frames = np.stack([np.full((32, 32, 3), level, np.uint8) for level in (10, 200)])
    covered = (augmentation.apply(frames, 32) == (255, 0, 0)).all(-1)
    np.testing.assert_array_equal(covered[0], covered[1])
    assert covered[0].sum() == pytest.approx(64, abs=17)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flip_chance": 1.5},
        {"flip_chance": -0.1},
        {"zoom": (1.2, 0.8)},
        {"zoom": (-1.0, 1.0)},
        {"zoom": 1.0},
        {"brightness": (1.0,)},
        {"shift": (0.0, 1.0)},
        {"blur_chance": True},
        {"speed": ("fast", "slow")},
    ],
)
def test_unfit_ranges_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"augment.{next(iter(wrong))}"):
        Ranges(**wrong)  # type: ignore[arg-type]
