"""Properties of the one place that decides rate, resize, range and window."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exerlitenet.errors import InputError
from exerlitenet.results import Frame
from exerlitenet.video.crop import Crop, crop_picture, whole_crop
from exerlitenet.video.sequence import (
    TICK_TOLERANCE_S,
    SequenceSpec,
    TickClock,
    prepare,
    sample,
    sequence_of,
    to_unit_range,
    window_indices,
)

RATES = st.sampled_from([4.0, 5.0, 7.5, 8.0, 10.0, 12.5, 15.0])
PIXEL = np.zeros((1, 1, 3), np.uint8)


@st.composite
def rising_times(draw: st.DrawFn, longest_gap_s: float = 0.4) -> list[float]:
    """Times of a camera: starting anywhere, with steps of about 1 ms up to the longest gap.

    The odd unit keeps times off the very edge of the tolerance, where rounding decides.
    """
    steps = draw(st.lists(st.integers(1, int(longest_gap_s * 1000)), max_size=80))
    start = draw(st.integers(0, 10_000))
    return [t * 1.0007 / 1000 for t in np.cumsum([start, *steps]).tolist()]


# The clock


@given(rising_times(), RATES)
def test_a_tick_takes_the_first_frame_at_or_after_it(times: list[float], rate: float) -> None:
    clock = TickClock(rate)
    served = [t for t in times for _ in range(clock.ticks(t))]
    ticks = math.floor((times[-1] - times[0] + TICK_TOLERANCE_S) * rate) + 1
    # With gaps below 15 ticks every tick is served; an independent search says by which frame.
    expected = [
        next(t for t in times if t - times[0] + TICK_TOLERANCE_S >= k / rate - 1e-9) for k in range(ticks)
    ]
    assert served == pytest.approx(expected)


@given(rising_times(longest_gap_s=8), RATES)
def test_sampling_what_was_sampled_changes_nothing(times: list[float], rate: float) -> None:
    frames = [Frame(t, PIXEL) for t in times]
    once = [f.time_s for f in sample(frames, rate)]
    clock = TickClock(rate)
    chosen = [f for f in frames if clock.ticks(f.time_s) > 0]
    assert [f.time_s for f in sample(chosen, rate)] == once


@given(rising_times(longest_gap_s=30), RATES, st.integers(1, 20))
def test_no_frame_serves_more_ticks_than_the_longest_gap(times: list[float], rate: float, most: int) -> None:
    clock = TickClock(rate, most)
    served = [clock.ticks(t) for t in times]
    assert served[0] == 1
    assert max(served) <= most
    assert min(served) >= 0


@given(st.integers(1, 60), RATES, st.integers(1, 8))
def test_a_source_of_a_multiple_of_the_rate_gives_every_nth_frame(
    count: int, rate: float, times: int
) -> None:
    frames = [Frame(k / (rate * times), PIXEL) for k in range(count)]
    assert [f.time_s for f in sample(frames, rate)] == [f.time_s for f in frames[::times]]


@given(st.integers(0, 3), st.integers(2, 50))
def test_rounded_time_stamps_serve_their_tick(early_ms: int, count: int) -> None:
    """Matroska rounds to milliseconds: a frame just before its tick still serves it, 3 ms before does not."""
    rate = 10.0
    times = [0.0, *(k / rate - early_ms / 1000 for k in range(1, count))]
    served = [f.time_s for f in sample([Frame(t, PIXEL) for t in times], rate)]
    assert len(served) == (count if early_ms < 2.5 else count - 1)


def test_a_slow_source_is_repeated() -> None:
    frames = [Frame(0.0, PIXEL), Frame(1.0, PIXEL)]
    assert [f.time_s for f in sample(frames, 4)] == [0.0, 1.0, 1.0, 1.0, 1.0]


# Windows


@given(st.integers(-60, 100), st.integers(1, 100), st.integers(1, 40))
def test_a_window_beyond_either_end_holds_the_frame_there(start: int, ticks: int, frames: int) -> None:
    indices = window_indices(start, ticks, frames)
    assert indices.shape == (frames,)
    assert indices.dtype == np.int64
    assert indices.tolist() == [max(0, min(start + k, ticks - 1)) for k in range(frames)]


# Pictures


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.sampled_from([32, 64, 224]),
    st.sampled_from(["squash", "pad", "follow"]),
)
def test_every_size_becomes_the_models(height: int, width: int, size: int, aspect: str) -> None:
    picture = np.full((height, width, 3), (10, 120, 250), np.uint8)
    out = prepare(picture, SequenceSpec(size=size, aspect=aspect))
    assert out.shape == (size, size, 3)
    assert out.dtype == np.uint8
    filled = (out == (10, 120, 250)).all(axis=2)
    if aspect == "squash":
        assert filled.all()
    else:
        scale = size / max(height, width)
        assume(min(height, width) * scale > 1)  # what is thinner than a pixel may fall between two
        rows, columns = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
        inner = (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
        assert max(inner) == size
        # Each edge falls on the nearest pixel's.
        assert inner == pytest.approx((height * scale, width * scale), abs=1.001)
        assert filled.sum() == inner[0] * inner[1], "one rectangle, the rest black"
        assert (out[~filled] == 0).all()
        assert abs((rows[0]) - (size - 1 - rows[-1])) <= 1
        assert abs((columns[0]) - (size - 1 - columns[-1])) <= 1


@pytest.mark.parametrize("aspect", ["squash", "pad", "follow"])
def test_left_stays_left_and_up_stays_up(aspect: str) -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:30, :40] = 255
    out = prepare(picture, SequenceSpec(size=64, aspect=aspect))
    assert out[20, 10].min() == 255
    assert out[20, 54].max() == out[44, 10].max() == 0


def test_a_spec_that_follows_crops_where_the_spec_says() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    view = Crop(0.2, -0.1, 0.5)
    spec = SequenceSpec(size=32, aspect="follow")
    np.testing.assert_array_equal(prepare(picture, spec, view), crop_picture(picture, view, 32))
    np.testing.assert_array_equal(prepare(picture, spec), crop_picture(picture, whole_crop(60, 80), 32))
    np.testing.assert_array_equal(
        prepare(picture, spec), prepare(picture, SequenceSpec(size=32, aspect="pad"))
    )
    squashed = SequenceSpec(size=32)
    np.testing.assert_array_equal(prepare(picture, squashed, view), prepare(picture, squashed))


def test_an_aspect_that_is_none_names_those_there_are() -> None:
    with pytest.raises(InputError, match='aspect must be "squash", "pad" or "follow", got \'crop\''):
        SequenceSpec(aspect="crop")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_frame_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(InputError, match="a frame must be uint8"):
        prepare(bad, SequenceSpec())


def test_unit_range() -> None:
    values = np.arange(256, dtype=np.uint8)
    scaled = to_unit_range(values)
    assert scaled.dtype == np.float32
    assert (scaled[0], scaled[255]) == (0, pytest.approx(1, abs=1e-6))
    np.testing.assert_allclose(scaled, values / 255, rtol=1e-6)
    assert scaled.max() <= 1


@given(st.integers(1, 40), st.integers(1, 20))
def test_the_first_window_of_a_stream(count: int, frames: int) -> None:
    spec = SequenceSpec(frames=frames, rate=10, size=32)
    stream = [Frame(k / 30, np.full((32, 32, 3), k, np.uint8)) for k in range(count)]
    window = sequence_of(stream, spec)
    assert window.shape == (frames, 32, 32, 3)
    assert window.dtype == np.float32
    available = len(range(0, count, 3))
    expected = [3 * min(k, available - 1) for k in range(frames)]
    np.testing.assert_allclose(window[:, 0, 0, 0] * 255, expected, atol=1e-3)


def test_a_stream_without_frames_is_refused() -> None:
    with pytest.raises(InputError, match="at least one frame"):
        sequence_of([], SequenceSpec())


def test_the_papers_window() -> None:
    spec = SequenceSpec()
    assert (spec.frames, spec.size) == (15, 224)
    assert spec.window_s == pytest.approx(14 / 7.5)
    assert spec.first_window == 15


@pytest.mark.parametrize(("least", "first"), [(0, 15), (1, 1), (8, 8), (15, 15)])
def test_from_how_many_frames_on_a_window_is_classified(least: int, first: int) -> None:
    assert SequenceSpec(least_frames=least).first_window == first


@pytest.mark.parametrize(
    "values",
    [
        {"frames": 0},
        {"rate": 0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"size": 31},
        {"aspect": "stretch"},
        {"least_frames": -1},
        {"least_frames": 16},
        {"source_short_side": 1},
    ],
)
def test_impossible_specifications_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(InputError):
        SequenceSpec(**values)
