"""`train`, `export` and `model`: what needs Keras, from a data set to a model that does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tiny_posture
import tiny_training
from command import run, run_program
from exerlitenet.datasets.split import Split
from exerlitenet.training import registry
from exerlitenet.training.cnn_lstm import network
from exerlitenet.training.run import RunClip, RunSplit

pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TINY = (
    *("sequence.frames=4", "sequence.size=32", "sequence.source_short_side=40", "sequence.stride=4"),
    *("model.pooling=average", "model.lstm=[6, 5]", "model.dense=[4]", "phases.0.epochs=2"),
    *(
        "phases.1.epochs=1",
        "phases.1.trainable=last:3",
        "split.fractions=[0.5, 0.25, 0.25]",
        "split.protocol=group",
    ),
)
SETTINGS = [part for setting in TINY for part in ("--set", setting)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_training.write_dataset(tmp_path_factory.mktemp("train") / "data")


def test_from_a_data_set_to_a_model(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "build_backbone", tiny_training.tiny_backbone)
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path / "cache"))
    folder, bundle = tmp_path / "run", tmp_path / "model"
    arguments = ("train", dataset, "--config", "paper", *SETTINGS, "--weights", "none", "--out", folder)
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    assert f"{folder}: " in result.stdout
    assert "test: " in result.stdout
    assert f"exerlitenet export {folder} --out MODEL" in result.stdout
    assert "epoch 2" in result.stderr  # lines in place of bars, as this is no terminal

    again = run(*arguments)
    assert again.exit_code == 2
    assert "not empty" in again.stderr
    assert run(*arguments, "--resume").exit_code == 0

    evaluated = run("evaluate", folder, dataset, "--part", "test", "--json", "-")
    assert evaluated.exit_code == 0, evaluated.stderr
    of_run = json.loads(evaluated.stdout)
    assert 0 < of_run["clips"] < 12
    assert of_run["warning"] is None

    exported = run("export", folder, "--out", bundle)
    assert exported.exit_code == 0, exported.stderr
    assert "two graphs" in exported.stdout
    of_bundle = json.loads(run("evaluate", bundle, dataset, "--part", "test", "--json", "-").stdout)
    assert [clip["name"] for clip in of_bundle["results"]] == [clip["name"] for clip in of_run["results"]]
    for ours, theirs in zip(of_bundle["results"], of_run["results"], strict=True):
        assert ours["probabilities"] == pytest.approx(theirs["probabilities"], abs=2e-3)
    assert "trained on" in run("evaluate", bundle, dataset).stderr


def test_options_reach_the_training(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Path, Any, dict[str, Any]]] = []

    class Trained:
        def __init__(self, folder: Path) -> None:
            self.folder = folder
            accuracy = {"clips": {"accuracy": {"value": 0.5 + 0.1 * len(calls)}}}
            self.metrics = {
                "parts": {"validation": accuracy},
                "left_out": {"judgements": accuracy},
                "strangers": {"judgements": accuracy},
            }
            self.split = RunSplit(
                Split("group", 0, (0.5, 0.5, 0), {"train": (0,), "validation": (1,), "test": ()}),
                tuple(RunClip(name, "squat", name, name) for name in "ab"),
            )

    def fit_run(data: Path, config: Any, **options: Any) -> Trained:
        calls.append((data, config, options))
        return Trained(options["out"])

    monkeypatch.setattr(registry, "fit_run", fit_run)
    weights = tmp_path / "w.weights.h5"
    weights.write_text("")
    common = ("train", dataset, "--config", "paper", "--set", "seed=7", "--set", "split.seed=8")
    result = run(*common, "--out", tmp_path / "r", "--resume")
    assert (
        "r: validation: clips 60.0 %; held out: clips 60.0 %; unseen subjects: clips 60.0 %" in result.stdout
    )
    assert f"evaluate {tmp_path / 'r'} {dataset} --part validation" in result.stdout
    assert run(*common, "--out", tmp_path / "r", "--weights", "none").exit_code == 0
    result = run(*common, "--out", tmp_path / "f", "--weights", weights, "--folds", 3)
    assert result.exit_code == 0
    assert f"evaluate {tmp_path / 'f'} {dataset} --part folds" in result.stdout
    assert [(data, config.seed, config.split.seed) for data, config, _ in calls] == [(dataset, 7, 8)] * 3
    options = [options for _, _, options in calls]
    assert [o["weights"] for o in options] == ["imagenet", None, str(weights)]
    assert [o["resume"] for o in options] == [True, False, False]
    assert [o["folds"] for o in options] == [None, None, 3]
    assert [o["out"] for o in options] == [tmp_path / name for name in "rrf"]


@pytest.mark.slow
def test_cross_validation_from_training_to_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path / "cache"))
    clips = tiny_posture.write_rendered(tmp_path / "clips")
    folder = tmp_path / "run"
    settings = [part for setting in tiny_posture.TINY for part in ("--set", setting)]
    with tiny_posture.quick():
        result = run(
            *("train", clips, "--config", "default", *settings, "--weights", "none"),
            *("--folds", 2, "--out", folder),
        )
    assert result.exit_code == 0, result.stderr
    [first, report, following, _] = result.stdout.splitlines()
    assert first.startswith(f"{folder}: held out: exercise_clips ")
    assert "; unseen subjects: exercise_clips " in first
    assert report == f"report: {folder / 'report.html'}"
    assert following == f"next: exerlitenet evaluate {folder} {clips} --part folds"
    for head in ("fold-0-of-2 epoch 2 of 2", "fold-1-of-2 epoch 2 of 2", "head epoch 2 of 2"):
        assert head in result.stderr

    # What heads have said is evaluated without Keras, in less than it takes to load it.
    evaluated = run_program(
        *("evaluate", folder, clips, "--part", "folds", "--json", "-"), without=("keras", "tensorflow")
    )
    assert evaluated.returncode == 0, evaluated.stderr
    data = json.loads(evaluated.stdout)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert data["judgements"] == metrics["left_out"]["judgements"]
    assert data["strangers"]["judgements"] == metrics["strangers"]["judgements"]
    assert data["clips"] == 6 > data["strangers"]["clips"] > 0


def test_folds_are_for_the_default_family(dataset: Path, tmp_path: Path) -> None:
    result = run("train", dataset, "--config", "paper", "--folds", 2, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "leave --folds out" in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--config", "nosuch"), "a configuration is one of"),
        (("--config", "paper", "--set", "nosuch.key=3"), "nosuch"),
        (("--config", "paper", "--set", "seed"), "--set takes key=value"),
        (("--config", "paper", "--weights", "nosuch.h5"), "found no file nosuch.h5"),
        (("--config", "paper", "--folds", "1"), "--folds takes a number from 2 on, got 1"),
    ],
)
def test_bad_input_is_reported_before_anything_is_made(
    dataset: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = run("train", dataset, *arguments, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_no_data_set_and_no_run(tmp_path: Path) -> None:
    result = run("train", tmp_path / "nosuch", "--config", "paper", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr
    result = run("export", tmp_path, "--out", tmp_path / "model")
    assert result.exit_code == 2
    assert "expected the folder of a training run" in result.stderr


def test_a_network_in_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "build_backbone", tiny_training.tiny_backbone)
    result = run("model", "paper", *SETTINGS, "--json", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    data = json.loads(result.stdout)
    assert data["total_parameters"] == sum(layer["parameters"] for layer in data["layers"])
    assert data["trainable_parameters_before"] < data["trainable_parameters_after"]
    shown = run("model", "paper", *SETTINGS)
    assert "time_distributed" in shown.stdout
    assert 'phase "frozen"' in shown.stdout
    assert "FLOPs = 2 x MAC" in shown.stdout
    assert run("model", "nosuch").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("model", "paper"),
        ("train", ".", "--config", "paper", "--out", "run"),
        ("export", ".", "--out", "model"),
    ],
)
def test_without_keras_one_line_says_what_is_needed(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = run_program(*arguments, without=("keras",), cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == (
        "exerlitenet: this command needs the training extra: pip install '.[train]' in the checkout\n"
    )
    assert not list(tmp_path.iterdir())
