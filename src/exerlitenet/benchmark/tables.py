"""Figures of benchmarks for people."""

from __future__ import annotations

from exerlitenet.benchmark.measure import Benchmark, Measure, rounded

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


def with_unit(measure: Measure) -> str:
    """Value, unit and spread."""
    unit = "" if measure.unit == "ratio" else f" {measure.unit}"
    varies = spread(measure)
    return f"{figure(measure.value)}{unit}{f' ({varies})' if varies else ''}"


def title_of(result: Benchmark) -> str:
    """The machine in short."""
    cores = result.machine["cores"]
    return f"{result.machine['processor']}, {cores} core{'' if cores == '1' else 's'}"
