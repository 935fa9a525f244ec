"""Figures of a benchmark for people: in a terminal and in Markdown."""

from __future__ import annotations

from exerlitenet.benchmark.measure import Measure, rounded


def figure(value: float) -> str:
    """Three significant digits, all of them for whole numbers of more."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{rounded(value, 3):g}"


def spread(measure: Measure) -> str:
    """From the 10th to the 90th percentile; empty for what does not vary."""
    if measure.low is None or measure.high is None:
        return ""
    return f"{figure(measure.low)} to {figure(measure.high)}"
