"""Training from the cache against the paper's way: what the rows are made of, and one run of it, small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark_targets import TARGETS
from benchmarks import training
from benchmarks.training import FULL, OURS, THEIRS, PhaseTimes, measures_of, peak_mb
from exerlitenet.benchmark.measure import Measure, Unavailable
from exerlitenet.training.config import load_config


def by_name(measures: list[Measure]) -> dict[str, Measure]:
    found = {measure.name: measure for measure in measures}
    assert len(found) == len(measures)
    return found


def test_rows_of_known_times() -> None:
    phases = [
        PhaseTimes(
            {OURS: np.array([50.0, 50.0]), THEIRS: np.array([700.0, 600.0])},
            {OURS: 2.0, THEIRS: 30.0},
            np.array([40.0, 60.0]),
        ),
        PhaseTimes(
            {OURS: np.array([200.0]), THEIRS: np.array([1000.0])},
            {OURS: 3.0, THEIRS: 60.0},
            np.array([100.0]),
        ),
    ]
    found = by_name(measures_of(phases, load_config("paper"), replace(FULL, steps=(8, 2), rounds=3)))
    values = {name: measure.value for name, measure in found.items()}
    of = "epoch of 914 sequences of 15 frames of 224 pixels"
    # 914 sequences are 115 steps of 8.
    assert values[f"training, phase 1: {of}, from the cache, from 24 steps"] == pytest.approx(115 * 0.05)
    assert values[f"training, phase 1: {of}, the paper's way, from 6 steps"] == pytest.approx(115 * 0.65)
    assert values[f"training, phase 2: {of}, the paper's way, from 6 steps"] == pytest.approx(115)
    ratio = found["training, phase 1: an epoch, the paper's way / from the cache"]
    assert (ratio.value, ratio.unit, ratio.repetitions) == (13, "ratio", 2)
    assert values["training, phase 2: an epoch, the paper's way / from the cache"] == 5
    assert values["training, phase 2: first step, which compiles, the paper's way"] == 60
    fills_s = 3918 * 0.05 + 3918 * 0.1
    assert values["training, phase 1: filling the cache, 3,918 sequences, once a run"] == 195.9
    for first, second in ((41, 14), (10, 10)):
        ours_s = first * 115 * 0.05 + second * 115 * 0.2 + fills_s
        theirs_s = first * 115 * 0.65 + second * 115 * 1.0
        run = f"training, run of {first} and {second} epochs"
        assert values[f"{run}, from the cache, filling it included"] == pytest.approx(ours_s, rel=1e-4)
        assert values[f"{run}, the paper's way"] == pytest.approx(theirs_s, rel=1e-4)
        ratio_of_runs = values[f"{run}, the paper's way / from the cache"]
        assert ratio_of_runs == pytest.approx(theirs_s / ours_s, rel=1e-4)


def test_peak_memory_is_read_from_a_status() -> None:
    assert peak_mb("Name:\tpython\nVmHWM:\t  250000 kB\nVmRSS:\t  100 kB\n") == 256


def test_without_keras_or_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    how = r"training: needs keras, tensorflow, not installed: pip install '.\[train\]'"
    with pytest.raises(Unavailable, match=how):
        training.measure_training(quick=True)


@pytest.mark.slow
def test_a_quick_run_of_both_ways() -> None:
    pytest.importorskip("tensorflow", reason="training needs TensorFlow")
    reported: list[tuple[float, float | None]] = []
    measures = training.measure_training(
        quick=True, on_progress=lambda done, total: reported.append((done, total))
    )
    found = by_name(measures)
    rounds = training.QUICK.rounds
    for phase in (1, 2):
        name = f"training, phase {phase}"
        assert found[f"{name}: an epoch, {THEIRS} / {OURS}"].repetitions == rounds
        for side, steps in zip((OURS, THEIRS), training.QUICK.steps, strict=True):
            row = f"{name}: epoch of 914 sequences of 2 frames of 64 pixels, {side}, from {steps * rounds} steps"
            assert found[row].value > 0
        difference = (
            f"{name}: gradients, {OURS} less {THEIRS} with batch norm held, part of a variable's largest"
        )
        assert 0 <= found[difference].value < 1e-3
    assert found[f"training, run of 41 and 14 epochs, {THEIRS} / {OURS}"].value > 0
    assert {target.measure for target in TARGETS if target.measure.startswith("training")} <= set(found)
    total = 2 * (1 + rounds) + 1
    assert reported == [(k, total) for k in range(1, total + 1)]
