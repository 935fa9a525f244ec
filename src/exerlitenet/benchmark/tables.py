"""Figures of benchmarks for people."""

from __future__ import annotations

from exerlitenet.benchmark.measure import Measure, rounded

DIGITS = 3


def figure(value: float) -> str:
    """Three significant digits; whole numbers, and those of more digits, without a fraction."""
    if abs(value) >= 10**DIGITS or value == int(value):
        return f"{value:,.0f}"
    return f"{rounded(value, DIGITS):g}"


def spread(measure: Measure) -> str:
    """From the 10th to the 90th percentile; empty for what does not vary."""
    if measure.low is None or measure.high is None:
        return ""
    return f"{figure(measure.low)} to {figure(measure.high)}"
