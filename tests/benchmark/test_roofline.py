"""The roofline on numbers that are easy to follow."""

from __future__ import annotations

import pytest

from exerlitenet.benchmark.roofline import Roofline


def test_work_with_much_arithmetic_is_bound_by_it() -> None:
    # 1 GFLOP and 10 MB on 100 GFLOP/s and 20 GB/s: 10 ms against 0.5 ms.
    work = Roofline(500_000_000, 10_000_000, 100.0, 20.0)
    assert work.intensity == 100
    assert work.ridge == 5
    assert (work.arithmetic_ms, work.memory_ms) == (pytest.approx(10), pytest.approx(0.5))
    assert work.bound_ms == work.arithmetic_ms
    assert work.share(20.0) == pytest.approx(0.5)


def test_work_with_little_arithmetic_is_bound_by_memory() -> None:
    work = Roofline(5_000_000, 10_000_000, 100.0, 20.0)
    assert work.intensity == 1 < work.ridge
    assert work.bound_ms == work.memory_ms == pytest.approx(0.5)


def test_both_bounds_meet_at_the_ridge() -> None:
    work = Roofline(25_000_000, 10_000_000, 100.0, 20.0)
    assert work.intensity == work.ridge
    assert work.arithmetic_ms == pytest.approx(work.memory_ms)
