"""`exerlitenet reproduce` as it is typed: what it says, and how it ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from command import run
from exerlitenet.reproduction import run as reproduction
from exerlitenet.training.cnn_lstm import network
from exerlitenet.training.networks import backbone
from tiny_study import TINY, without_large_weights
from tiny_training import write_dataset

pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SYSTEMS = 'systems=["resnet50", "frozen", "proposed", "single_frame"]'
SINGLE = 'systems=["single_frame"]'
# The settings that fit a network of one phase.
ONE_PHASE = tuple(text for text in TINY if not text.startswith("phases.1."))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "clips", clips=8, groups=4)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr(network, "build_backbone", without_large_weights)
    monkeypatch.setattr(backbone, "build_backbone", without_large_weights)
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def test_the_command(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    settings = [part for text in ONE_PHASE for part in ("--set", text)]
    more = ("--set", SINGLE, "--set", 'splits=["group"]')
    result = run("reproduce", dataset, "--out", out, "--quick", *settings, *more)
    assert result.exit_code == 0, result.stderr
    assert f"report: {out / 'reproduction.html'}" in result.stdout
    assert "accuracies mean nothing" in result.stdout
    assert "about two minutes" in result.stderr
    results = json.loads((out / "reproduction.json").read_text())
    assert results["quick"] is True
    assert results["networks"]["single_frame"]["frames"] == 15  # the paper's network, whatever is trained
    again = run("reproduce", dataset, "--out", out, "--quick", *settings, *more)
    assert again.exit_code == 2
    assert "--resume" in again.stderr


def test_a_study_without_weights_says_that_nothing_was_trained(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduction, "_measure", lambda *_: {})
    settings = [part for text in ('splits=["group"]', SYSTEMS) for part in ("--set", text)]
    out = tmp_path / "study"
    without = ("--weights", "MobileNetV3Small=none")
    result = run("reproduce", dataset, "--out", out, "--quick", *settings, *without)
    assert result.exit_code == 0, result.stderr
    said, *rest = result.stdout.splitlines()
    assert said == (
        "no network was trained, since there are no ImageNet weights of MobileNetV3Small or ResNet50 here; give a "
        "file by --weights MobileNetV3Small=FILE, and continue with --resume"
    )
    # Neither a tally of rows nor what a quick study says of its accuracies.
    assert [line.partition(":")[0] for line in rest] == ["report", "figures"]
    assert "no network was trained" not in result.stderr
    assert not (out / "units").exists()


def test_ctrl_c_that_a_library_makes_an_error_of_is_one_line(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def builds_a_graph(*_: Any) -> Any:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as stopped:
            raise SystemError("listobject.c: bad argument to internal function") from stopped

    monkeypatch.setattr(reproduction, "_measure", builds_a_graph)
    settings = [part for text in TINY for part in ("--set", text)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run("reproduce", dataset, "--out", tmp_path / "study", "--quick", *settings)
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == (
        "exerlitenet: stopped; the same command with --resume continues from the last epoch"
    )
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--weights", "VGG19=none"), "BACKBONE=imagenet|none|FILE"),
        (("--set", "model.lstm=[1]"), "the study sets this itself"),
        (("--set", "systems=[1]"), "the study's systems are"),
        (("--set", "phases.7.epochs=3"), "no network of this study has a phase 7"),
    ],
)
def test_bad_usage_is_one_line(
    dataset: Path, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    result = run("reproduce", dataset, "--out", tmp_path / "study", *arguments)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "study").exists()


def test_a_missing_dataset_is_one_line(tmp_path: Path) -> None:
    result = run("reproduce", tmp_path / "nothing", "--out", tmp_path / "study")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr
