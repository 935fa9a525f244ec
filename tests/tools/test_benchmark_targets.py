"""Verdicts are about the median, at the bound as reached."""

from __future__ import annotations

import pytest

from benchmark_targets import TARGETS, Target, target_of
from benchmarks import peers, training
from exerlitenet.benchmark import archive
from exerlitenet.benchmark.measure import Measure


@pytest.mark.parametrize(
    ("value", "most", "verdict"),
    [
        (2.9, True, "reached"),
        (3.0, True, "reached"),
        (3.1, True, "not reached"),
        (2.9, False, "not reached"),
        (3.0, False, "reached"),
        (3.1, False, "reached"),
    ],
)
def test_verdicts(value: float, most: bool, verdict: str) -> None:
    target = Target("x", 3, "ms", most)
    assert target.verdict(Measure("x", value, "ms", 0.1, 99.0)) == verdict
    assert str(target) == f"at {'most' if most else 'least'} 3 ms"


def test_a_measure_has_its_target() -> None:
    assert len({target.measure for target in TARGETS}) == len(TARGETS)
    measure = Measure("live frame", 2.5, "ms")
    target = target_of(measure)
    assert target is not None
    assert (target.measure, target.bound, target.unit) == ("live frame", 3, "ms")
    assert len({target.name for target in TARGETS}) == len(TARGETS)
    assert target_of(Measure("two graphs", 1, "bytes")) is None


def test_targets_name_measures_of_files_peers_and_training() -> None:
    names = {target.measure for target in TARGETS}
    assert f"{archive.FILES[0].name}: speed" in names
    assert f"{archive.FILES[0].name}: recognised / decoded alone" in names
    for phase in (1, 2):
        assert f"training, phase {phase}: an epoch, {training.THEIRS} / {training.OURS}" in names
    assert f"MediaPipe {peers.MEDIAPIPE} Pose full / live frame, one core" in names
