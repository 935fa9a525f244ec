"""Tables of the shipped model's figures from results that a test makes up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from documents import render_document
from exerlitenet.errors import InputError
from model_tables import CROSS_VALIDATION, ROBUSTNESS

SOURCES = {"cross-validation": CROSS_VALIDATION, "robustness": ROBUSTNESS}


def share(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.02}


def part(accuracy: float, clips: int) -> dict[str, Any]:
    counted = {"clips": clips // 2, "within_one": share(0.7), "relative_error": share(0.25)}
    return {
        "judgements": {
            "exercise_clips": {"accuracy": share(accuracy), "items": clips},
            "exercise_sequences": {"balanced_accuracy": share(0.9), "items": 100 * clips},
            "clips": {
                "balanced_accuracy": share(0.8),
                "items": 3 * clips,
                "classes": ["squat", "biceps_curl", "none"],
                "confusion": [[5, 1, 2], [0, 6, 3], [4, 7, 80]],
                "scores": {"none": {"support": 2 * clips}},
            },
        },
        "none_called_exercise": share(0.15),
        "repetitions": {"all": counted, "squat": counted, "biceps_curl": counted},
        "by_view": [{"name": "side", "right": 288, "clips": 334}],
        "mistaken_activities": [
            {"activity": "pull_up", "called_exercise": 3, "clips": 17},
            {"activity": "run", "called_exercise": 2, "clips": 9},
        ],
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    cross = {"left_out": part(0.956, 250), "strangers": part(0.98, 50)}
    (tmp_path / "cross-validation.json").write_text(json.dumps(cross))
    figures = {
        "which exercise, clips": share(0.96),
        "which exercise, sequences, balanced": share(0.946),
        "all classes, clips, balanced": share(0.852),
        "none called an exercise": share(0.074),
        "repetitions within one": {"value": None, "low": None, "high": None},
    }
    (tmp_path / "robustness.json").write_text(json.dumps({"robustness": {"blur": figures}}))
    return tmp_path


def table(results: Path, name: str) -> str:
    return render_document(f"<!-- table: {name} -->\n<!-- end of table -->", results, SOURCES)


def test_figures_of_all_clips_and_of_unseen_subjects_are_side_by_side(results: Path) -> None:
    text = table(results, "cross-validation figures")
    assert (
        "| squat or curl, clips right | 95.6 % (85.6 to 97.6) | 98.0 % (88.0 to 100.0) | 250; 50 clips |"
        in text
    )
    assert "| 25,000; 5,000 sequences |" in text
    assert (
        "| false-positive rate of none clips | 15.0 % (5.0 to 17.0) | 15.0 % (5.0 to 17.0) | 500; 100 clips |"
        in text
    )
    # An error for every repetition is no share of anything.
    assert "| the same for curls | 0.25 (0.15 to 0.27) | 0.25 (0.15 to 0.27) | 125; 25 clips |" in text


def test_confusion_views_and_what_is_mistaken(results: Path) -> None:
    assert "| biceps_curl | 0 | 6 | 3 |" in table(results, "cross-validation confusion")
    assert "| side | 288 of 334 |" in table(results, "cross-validation views")
    mistaken = table(results, "cross-validation mistaken")
    assert "| pull up | 3 of 17 |" in mistaken
    assert "run" not in mistaken


def test_worse_pictures(results: Path) -> None:
    text = table(results, "robustness figures")
    assert "| Gaussian blur, sigma 3 at 224 pixels | 96.0 % | 94.6 % | 85.2 % | 7.4 % | - |" in text
    assert text.count("\n|") == 3  # kinds that were not measured stand in no row


@pytest.mark.parametrize("content", ["{", "[1]"])
def test_what_is_no_file_of_results_is_said(results: Path, content: str) -> None:
    (results / "robustness.json").write_text(content)
    with pytest.raises(InputError, match=r"robustness\.json"):
        table(results, "robustness figures")
