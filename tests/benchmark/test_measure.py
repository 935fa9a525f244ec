"""Measures and benchmarks keep what they hold in JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest

from exerlitenet.benchmark.measure import COLUMNS, Benchmark, Measure, measure_of, rounded

RESULT = Benchmark(
    "default",
    {"processor": 'A, "quick" one', "cores": "2"},
    (
        Measure("live frame", 3.5, "ms", 3.25, 4.0, 40, "live"),
        Measure("a JPEG, apart", 0.25, "ms", 0.2, 0.3, 5, "live"),
        Measure("two graphs", 5718959.0, "bytes", part="size"),
    ),
    ("int8: needs onnx", "memory: cannot be had"),
    quick=True,
)


def test_a_measure_is_the_median_with_the_spread_of_its_repetitions() -> None:
    measure = measure_of("x", np.arange(1.0, 12.0), "ms")
    assert measure == Measure("x", 6.0, "ms", 2.0, 10.0, 11)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, 0.0), (123456.7, 123457.0), (0.00123456, 0.0012346), (-2.000004, -2.0), (math.inf, math.inf)],
)
def test_rounding_keeps_five_digits_and_whole_numbers(value: float, expected: float) -> None:
    assert rounded(value) == expected


def test_measures_are_found_by_name_and_part() -> None:
    assert RESULT["two graphs"].part == "size"
    assert RESULT.find("nothing") is None
    with pytest.raises(KeyError):
        RESULT["nothing"]
    assert RESULT.parts == ("live", "size")
    assert RESULT.of("live") == RESULT.measures[:2]


def test_json_gives_back_what_was_written() -> None:
    data = json.loads(json.dumps(RESULT.to_json()))
    assert tuple(Measure(**measure) for measure in data["measures"]) == RESULT.measures
    assert (data["model"], data["machine"], data["notes"]) == (
        RESULT.model,
        RESULT.machine,
        list(RESULT.notes),
    )
    assert data["quick"] is True


def test_columns_of_the_csv_are_numbers_or_empty() -> None:
    """So that a spreadsheet and pandas read them as numbers."""
    rows = list(csv.DictReader(io.StringIO(RESULT.to_csv())))
    assert tuple(rows[0]) == COLUMNS
    for row in rows:
        numbers = [row[name] for name in ("value", "low", "high", "repetitions")]
        assert all(not number or math.isfinite(float(number)) for number in numbers)
        in_words = row["part"] in ("run", "machine", "note")
        assert bool(row["text"]) == in_words
        assert bool(row["value"]) != in_words
    assert [row["text"] for row in rows if row["name"] == "quick"] == ["yes"]
