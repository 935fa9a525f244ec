"""Sides are taken in turn, and ratios come from the pairs of a round."""

from __future__ import annotations

import numpy as np
import pytest

from exerlitenet.benchmark import timing
from exerlitenet.benchmark.timing import InTurn, time_in_turn


def test_every_side_comes_once_a_round_and_none_is_always_first() -> None:
    order: list[str] = []
    reported: list[tuple[float, float | None]] = []
    sides = {name: (lambda name=name: order.append(name)) for name in "abc"}
    taken = time_in_turn(sides, 3, warm_up=1, on_progress=lambda done, total: reported.append((done, total)))
    assert order == list("abcbcacababc")
    assert reported == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {name: len(taken[name]) for name in "abc"} == {"a": 3, "b": 3, "c": 3}


def test_warming_up_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    spent_s = iter((5.0, 0.001, 0.002))

    def work() -> None:
        nonlocal now_s
        now_s += next(spent_s)

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now_s)
    assert time_in_turn({"work": work}, 2)["work"] == pytest.approx([1.0, 2.0])


def test_a_pause_is_before_every_side_and_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now_s)
    monkeypatch.setattr(timing.time, "sleep", sleep)
    taken = time_in_turn({"a": lambda: sleep(0.001), "b": lambda: sleep(0.002)}, 2, warm_up=0, pause_s=5.0)
    assert taken["a"] == pytest.approx([1.0, 1.0])
    assert taken["b"] == pytest.approx([2.0, 2.0])
    assert now_s == pytest.approx(20.006)


def test_a_ratio_holds_where_a_round_was_slow_as_a_whole() -> None:
    base = np.array([1.0, 1.0, 10.0, 1.0, 1.0])
    taken = InTurn({"ours": base, "theirs": 4 * base})
    ratio = taken.ratio("ours / theirs", "ours", "theirs")
    assert (ratio.value, ratio.low, ratio.high, ratio.unit) == (0.25, 0.25, 0.25, "ratio")
    assert taken.measure("ours", "named").name == "named"
    assert taken.measure("theirs").value == 4.0
