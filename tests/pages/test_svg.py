"""Drawings: what they show, and that they keep inside their frames."""

from __future__ import annotations

from exerlitenet.evaluation.metrics import Interval
from exerlitenet.pages.svg import IntervalRow, interval_chart
from exerlitenet.pages.text import points


def test_differences_are_shown_in_points() -> None:
    assert points(Interval(0.1234, -0.02, 0.3)) == "+12.3 points [-2.0, +30.0]"
    assert points(Interval(-0.05)) == "-5.0 points"
    assert points(Interval(None)) == "-"


def test_the_chart_of_intervals() -> None:
    rows = [
        IntervalRow("a<b", (Interval(0.9, 0.8, 1.0), None), 0.92),
        IntervalRow("c", (Interval(0.55), None)),
    ]
    svg = interval_chart(["random", "group"], rows, label="shares", mark_name="the paper")
    assert svg.count("<circle") == 2 + 2  # two figures and two keys
    assert svg.count("c0") >= 3
    assert "a&lt;b" in svg
    assert "the paper: 92.00 %" in svg
    assert "50 %" in svg
    assert ">100 %<" in svg
    assert interval_chart(["random"], [IntervalRow("a", (Interval(None),))], label="", mark_name="") == ""
