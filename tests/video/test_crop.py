"""Where a view lies in a picture, and what is seen in it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clips import spot
from exerlitenet.errors import InputError
from exerlitenet.video.crop import Crop, crop_picture, whole_crop

SIDES = st.integers(1, 300)
VIEWS = st.builds(Crop, st.floats(-2, 2), st.floats(-2, 2), st.floats(0.05, 4))
SPOT_RADIUS = 0.12
"""Nothing of a spot lies further than this from its middle, in picture units."""


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def middle_of_light(picture: np.ndarray) -> np.ndarray:
    """float [2]: x, y from 0 to 1."""
    light = picture[..., 0].astype(np.float64)
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    middle = np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()
    return middle / light.shape[::-1]


@given(view=VIEWS, x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_to_the_picture_and_back(view: Crop, x: float, y: float) -> None:
    points = np.array([[x, y], [0, 0]], np.float32)
    for there, back in ((view.to_picture, view.to_crop), (view.to_crop, view.to_picture)):
        assert there(points).dtype == np.float32
        np.testing.assert_allclose(back(there(points)), points, atol=1e-5 * (1 + 5 / view.side))


def test_a_view_by_hand() -> None:
    view = Crop(0.5, -0.25, 0.5)
    corners = np.array([[0, 0], [0.5, 0.5], [1, 1]], np.float32)
    np.testing.assert_allclose(view.to_picture(corners), [[0.25, -0.5], [0.5, -0.25], [0.75, 0]])
    assert view.to_array().tolist() == [0.5, -0.25, 0.5]
    assert view.to_array().dtype == np.float32


@given(height=SIDES, width=SIDES)
def test_the_whole_view_is_the_smallest_that_holds_the_picture(height: int, width: int) -> None:
    view = whole_crop(height, width)
    unit = min(height, width)
    corners = np.array([[-width, -height], [width, height]], np.float32) / (2 * unit)
    seen = view.to_crop(corners)
    assert seen.min() >= -1e-5
    assert seen.max() <= 1 + 1e-5
    assert np.ptp(seen, axis=0).max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(seen.mean(axis=0), 0.5, atol=1e-5)


@st.composite
def spots(draw: st.DrawFn) -> tuple[int, int, float, float, Crop]:
    """Height, width, place of a spot, and a view that holds all of it."""
    height, width = draw(st.integers(60, 240)), draw(st.integers(60, 240))
    unit = min(height, width)
    most_x, most_y = width / unit / 2 - SPOT_RADIUS, height / unit / 2 - SPOT_RADIUS
    x, y = draw(st.floats(-most_x, most_x)), draw(st.floats(-most_y, most_y))
    side = draw(st.floats(3 * SPOT_RADIUS, 3))
    room = 0.5 - SPOT_RADIUS / side
    u, v = draw(st.floats(-room, room)), draw(st.floats(-room, room))
    return height, width, x, y, Crop(x - u * side, y - v * side, side)


@given(found=spots(), size=st.integers(32, 128))
@settings(max_examples=60)
def test_what_is_seen_is_where_the_view_says(found: tuple[int, int, float, float, Crop], size: int) -> None:
    """To half a pixel, whatever the sizes of picture and result."""
    height, width, x, y, view = found
    seen = crop_picture(spot(x, y, height, width), view, size)
    expected = view.to_crop(np.array([x, y], np.float32))
    np.testing.assert_allclose(middle_of_light(seen) * size, expected * size, atol=0.55)


@given(height=SIDES, width=SIDES, view=VIEWS, size=st.integers(1, 80))
def test_the_picture_fills_its_part_of_the_view_and_the_rest_is_black(
    height: int, width: int, view: Crop, size: int
) -> None:
    colour = np.array([10, 120, 250], np.uint8)
    out = crop_picture(np.full((height, width, 3), colour, np.uint8), view, size)
    assert (out.shape, out.dtype) == ((size, size, 3), np.uint8)
    filled = (out == colour).all(axis=-1)
    assert (out[~filled] == 0).all()
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    grid = view.to_picture(np.stack(np.meshgrid(centres, centres), axis=-1))
    unit, pixel = min(height, width), view.side / size
    # How far inside the picture a pixel's middle lies; less than nothing is outside.
    inside = (np.array([width, height]) / (2 * unit) - np.abs(grid)).min(axis=-1)
    slack = 0.01 * pixel + 1e-4
    assert filled[inside > slack].all() or min(width, height) / unit < pixel
    assert not filled[inside < -slack - pixel / 2].any()


@given(height=SIDES, width=SIDES, size=st.integers(2, 64))
def test_a_whole_view_leaves_nothing_of_a_picture_out(height: int, width: int, size: int) -> None:
    out = crop_picture(np.full((height, width, 3), 200, np.uint8), whole_crop(height, width), size)
    filled = out[..., 0] == 200
    rows, columns = filled.any(axis=1).sum(), filled.any(axis=0).sum()
    wanted = np.array([height, width]) * size / max(height, width)
    if wanted.min() > 1:  # what is thinner than a pixel may fall between two
        assert max(rows, columns) == size
        np.testing.assert_allclose([rows, columns], wanted, atol=1.001)
        assert filled.sum() == rows * columns, "one rectangle"


@pytest.mark.parametrize(("side", "size"), [(48, 48), (97, 32), (20, 64)])
def test_the_whole_of_a_square_is_a_plain_resize(side: int, size: int) -> None:
    picture = noise(side, side)
    wanted = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(crop_picture(picture, Crop(0, 0, 1), size), wanted)


def test_a_quarter_is_seen_pixel_by_pixel() -> None:
    picture = noise(64, 64)
    np.testing.assert_array_equal(crop_picture(picture, Crop(-0.25, 0.25, 0.5), 32), picture[32:, :32])


def test_a_view_beside_the_picture_is_black() -> None:
    picture = np.full((40, 60, 3), 255, np.uint8)
    for x, y in ((2, 0), (-2, 0), (0, 2), (0, -2)):
        assert not crop_picture(picture, Crop(x, y, 1), 32).any()


def test_views_of_one_picture_are_the_same_whatever_its_pixels() -> None:
    """The same scene from a camera of twice the pixels."""
    view = Crop(0.2, -0.1, 0.8)
    small, large = (
        crop_picture(spot(0.25, -0.15, height, height * 3 // 2), view, 64) for height in (90, 180)
    )
    assert math.dist(middle_of_light(small) * 64, middle_of_light(large) * 64) < 0.5


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(InputError, match="a frame must be uint8"):
        crop_picture(bad, Crop(0, 0, 1), 32)
