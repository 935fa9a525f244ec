"""Windows over a clip: what training cuts out of it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.datasets.windows import prefetch, window_starts
from exerlitenet.errors import InputError
from exerlitenet.video.sequence import window_indices


@given(st.integers(1, 400), st.integers(1, 40), st.integers(1, 50))
def test_windows_cover_the_clip_and_stay_in_it(ticks: int, frames: int, stride: int) -> None:
    starts = window_starts(ticks, frames, stride)
    assert starts[0] == 0
    assert all(0 < b - a <= stride for a, b in itertools.pairwise(starts))
    if ticks >= frames:
        assert starts[-1] == ticks - frames
        assert all(start % stride == 0 for start in starts[:-1])
    else:
        assert starts == [0]
    seen = {int(i) for start in starts for i in window_indices(start, ticks, frames)}
    assert seen <= set(range(ticks))
    if stride <= frames:
        assert seen == set(range(ticks))


@pytest.mark.parametrize("arguments", [(0, 15, 1), (10, 0, 1), (10, 15, 0)])
def test_impossible_windows_are_refused(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match="at least 1"):
        window_starts(*arguments)


def test_what_is_made_ahead_keeps_its_order() -> None:
    assert list(prefetch(lambda n: n * n, range(20), workers=3)) == [n * n for n in range(20)]
    assert list(prefetch(str, [])) == []


def test_a_fault_while_working_ahead_is_raised() -> None:
    def fails(n: int) -> int:
        if n == 3:
            raise ValueError("three")
        return n

    taken = []
    with pytest.raises(ValueError, match="three"):
        taken.extend(prefetch(fails, range(10)))
