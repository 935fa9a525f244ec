"""Degradations do to pictures and times what their names say, and the same for every model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.datasets.degrade import DEGRADATIONS, at_rate, degradations
from exerlitenet.errors import InputError
from exerlitenet.results import Frame


def video(frames: int = 6, height: int = 90, width: int = 120, fps: float = 30.0) -> list[Frame]:
    rng = np.random.default_rng(0)
    return [Frame(k / fps, rng.integers(0, 256, (height, width, 3), np.uint8)) for k in range(frames)]


def flat(value: int, height: int = 224, width: int = 224) -> list[Frame]:
    return [Frame(0.0, np.full((height, width, 3), value, np.uint8))]


def detail(frame: Frame) -> float:
    """Mean difference of neighbouring pixels."""
    return float(np.abs(np.diff(frame.rgb.astype(float), axis=1)).mean())


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_frames_stay_frames_and_the_source_is_left_alone(name: str) -> None:
    source = video()
    before = [frame.rgb.copy() for frame in source]
    result = DEGRADATIONS[name](iter(source))
    assert isinstance(result, Iterator)
    found = list(result)
    assert found
    assert all(f.rgb.dtype == np.uint8 and f.rgb.ndim == 3 and f.rgb.shape[2] == 3 for f in found)
    assert all((a == b.rgb).all() for a, b in zip(before, source, strict=True))
    again = list(DEGRADATIONS[name](iter(source)))
    assert all((a.rgb == b.rgb).all() and a.time_s == b.time_s for a, b in zip(found, again, strict=True))
    assert list(DEGRADATIONS[name](iter([]))) == []


@pytest.mark.parametrize("name", [n for n in DEGRADATIONS if not n.startswith("fps")])
def test_pictures_keep_their_times(name: str) -> None:
    source = video()
    assert [f.time_s for f in DEGRADATIONS[name](source)] == [f.time_s for f in source]


def test_light_is_a_quarter_with_noise_of_sigma_8() -> None:
    (found,) = DEGRADATIONS["light"](flat(200))
    assert found.rgb.mean() == pytest.approx(50, abs=0.2)
    assert found.rgb.std() == pytest.approx(8, abs=0.2)


def test_noise_differs_from_frame_to_frame() -> None:
    first, second = DEGRADATIONS["light"](flat(200) + flat(200))
    assert (first.rgb != second.rgb).any()


def test_resolution_keeps_the_size_and_loses_detail_below_64_pixels() -> None:
    source = video(1, 256, 320)[0]
    (found,) = DEGRADATIONS["resolution"]([source])
    assert found.rgb.shape == source.rgb.shape
    assert detail(found) < detail(source) / 8
    small = video(1, 60, 80)[0]
    (same,) = DEGRADATIONS["resolution"]([small])
    assert (same.rgb == small.rgb).all()


@pytest.mark.parametrize("scale", [1, 2])
def test_blur_spreads_an_edge_by_its_sigma_in_proportion_to_the_picture(scale: int) -> None:
    side = 224 * scale
    rgb = np.zeros((side, side, 3), np.uint8)
    rgb[:, side // 2 :] = 255
    (found,) = DEGRADATIONS["blur"]([Frame(0.0, rgb)])
    row = found.rgb[side // 2, :, 0].astype(float)
    # A Gaussian's edge rises from 16 % to 84 % over two sigmas.
    width = np.interp(0.84 * 255, row, np.arange(side)) - np.interp(0.16 * 255, row, np.arange(side))
    assert width == pytest.approx(2 * 3 * scale, rel=0.1)


def test_mirrored_letterboxed_and_crops() -> None:
    source = video(1, 100, 160)[0]
    assert (next(DEGRADATIONS["mirrored"]([source])).rgb == source.rgb[:, ::-1]).all()
    boxed = next(DEGRADATIONS["letterboxed"]([source])).rgb
    assert boxed.shape == (160, 160, 3)
    assert (boxed[30:130] == source.rgb).all()
    assert boxed[:30].max() == boxed[130:].max() == 0
    assert (next(DEGRADATIONS["crop-head"]([source])).rgb == source.rgb[20:]).all()
    assert (next(DEGRADATIONS["crop-feet"]([source])).rgb == source.rgb[:80]).all()


def test_a_picture_of_one_row_survives_cropping() -> None:
    source = Frame(0.0, np.zeros((1, 4, 3), np.uint8))
    assert next(DEGRADATIONS["crop-head"]([source])).rgb.shape == (1, 4, 3)


@pytest.mark.parametrize(("name", "rate"), [("fps-5", 5), ("fps-10", 10), ("fps-15", 15), ("fps-60", 60)])
def test_rates(name: str, rate: int) -> None:
    """Two seconds at 30 frames a second; the picture at every time is the latest one then."""
    source = [Frame(k / 30, np.full((2, 2, 3), k, np.uint8)) for k in range(61)]
    found = list(DEGRADATIONS[name](source))
    assert [f.time_s for f in found] == pytest.approx([k / rate for k in range(2 * rate + 1)])
    assert [int(f.rgb[0, 0, 0]) for f in found] == [k * 30 // rate for k in range(2 * rate + 1)]


@given(
    st.lists(st.floats(0.001, 0.6), min_size=1, max_size=40),
    st.sampled_from([5, 10, 15, 60]),
    st.floats(0, 100),
)
def test_rates_of_sources_that_vary(steps: list[float], rate: int, start: float) -> None:
    times = start + np.cumsum(steps)
    source = [Frame(float(t), np.full((1, 1, 3), k, np.uint8)) for k, t in enumerate(times)]
    found = list(at_rate(rate)(source))
    assert np.diff([f.time_s for f in found]) == pytest.approx(1 / rate)
    assert found[0].time_s == source[0].time_s
    assert times[-1] - 1 / rate - 0.003 < found[-1].time_s <= times[-1] + 0.003
    for frame in found:
        latest = np.flatnonzero(times <= frame.time_s + 0.0021)[-1]
        earliest = np.flatnonzero(times <= frame.time_s + 0.0019)[-1]
        assert earliest <= int(frame.rgb[0, 0, 0]) <= latest


def test_degradations_by_name() -> None:
    assert list(degradations("all")) == list(DEGRADATIONS)
    assert degradations("blur") == {"blur": DEGRADATIONS["blur"]}
    with pytest.raises(InputError, match="got 'fog'"):
        degradations("fog")
