"""Cold starts are programs of their own, and their steps add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundles import write_bundle
from exerlitenet.benchmark import startup
from exerlitenet.benchmark.process import call, run
from exerlitenet.benchmark.startup import STEPS, help_command, measure_startup
from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import load_bundle


def test_steps_add_up_to_less_than_the_whole(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "model"))
    found = {measure.name: measure for measure in measure_startup(bundle, quick=True)}
    steps = [found[f"cold start: {step}"] for step in STEPS]
    whole = found["cold start to the first prediction"]
    assert next(iter(found)) == "exerlitenet --help"
    assert all(measure.repetitions == 3 for measure in found.values())
    assert sum(step.low or 0 for step in steps) < (whole.high or 0)


def test_help_is_the_command_or_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "benchmark" in run(help_command()).stdout
    python = tmp_path / "python"
    monkeypatch.setattr(startup.sys, "executable", str(python))
    assert help_command() == [str(python), "-m", "exerlitenet", "--help"]
    (tmp_path / "exerlitenet").touch()
    assert help_command() == [str(tmp_path / "exerlitenet"), "--help"]


def test_a_fresh_process_gives_back_what_was_returned() -> None:
    assert call("math:hypot", [3, 4]) == 5
    assert call("os:getenv", ["EXERLITENET_TEST"], environment={"EXERLITENET_TEST": "heard"}) == "heard"


def test_a_fresh_process_that_fails_is_reported_in_a_line() -> None:
    with pytest.raises(InputError, match=r"status 1: ValueError: .*domain"):
        call("math:sqrt", [-1])
