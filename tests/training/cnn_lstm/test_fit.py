from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_training
from exerlitenet.datasets.augment import Ranges
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.datasets.windows import PLAIN, ClipSequence, SequencePixels
from exerlitenet.errors import InputError
from exerlitenet.training.checkpoint import State, save_checkpoint
from exerlitenet.training.cnn_lstm import network as cnn_lstm
from exerlitenet.training.cnn_lstm.data import SequenceData, read_sequences
from exerlitenet.training.cnn_lstm.features import FeatureCache
from exerlitenet.training.cnn_lstm.fit import (
    batches_of,
    compile_phase,
    copy_of,
    fit,
    loss_and_accuracy,
    predict,
)
from exerlitenet.training.config import Config, PhaseConfig, load_config
from exerlitenet.training.loop import seed_layers, train_epoch
from exerlitenet.training.run import Run
from quiet_progress import Quiet
from tiny_training import tiny_backbone, tiny_config, write_dataset

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RUN_FILES = [
    *("best.weights.h5", "config.toml", "history.csv", "log.txt"),
    *("metrics.json", "report.html", "run.json", "split.json"),
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "clips")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn_lstm, "build_backbone", tiny_backbone)


def train(dataset: Path, config: Config, out: Path, **options: Any) -> tuple[Run, Quiet]:
    progress = Quiet()
    return fit(dataset, config, weights=None, out=out, progress=progress, **options), progress


@pytest.mark.parametrize(
    ("backbone", "trainable"),
    [
        ("tiny", "none"),
        ("tiny", "last:3"),
        pytest.param("MobileNetV3Small", "last:20", marks=pytest.mark.slow),
    ],
)
def test_a_step_from_the_cache_is_the_step_from_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone: str, trainable: str
) -> None:
    if backbone == "tiny":
        monkeypatch.setattr(cnn_lstm, "build_backbone", tiny_backbone)
    config = tiny_config()
    rng = np.random.default_rng(0)
    stored = [StoredClip(rng.integers(0, 256, (9, 40, 40, 3), dtype=np.uint8), 1.0) for _ in range(8)]
    sequences = [ClipSequence(n, n % 3, "squat", f"g{n}") for n in range(8)]
    pixels = SequencePixels(sequences, stored, config.sequence, Ranges(), seed=0)
    items = [(n, n % 2) for n in range(8)]
    targets = np.eye(2, dtype=np.float32)[[0, 1] * 4]

    def step(cached: bool) -> tuple[list[float], list[Any]]:
        keras.utils.set_random_seed(3)
        network = cnn_lstm.build(config.model, config.sequence, config.classes, None)
        for weight in network.backbone.weights:  # statistics that are not 0 and 1, as a trained network has
            if "moving" in weight.path:
                weight.assign(np.linspace(0.02, 0.5, weight.shape[0]))
        cnn_lstm.set_trainable(network, trainable)
        fixed, model = cnn_lstm.training_parts(network, trainable)
        supply: Any = pixels
        if cached:
            supply = FeatureCache.open(tmp_path / "cache", fixed, pixels, items, config.sequence.frames)
        else:
            model = network.full
        compile_phase(model, PhaseConfig("p", trainable, learning_rate=1e-3, epochs=1))
        seed_layers(network.layers, [0, 0, 1])
        figures = train_epoch(model, batches_of(supply, items, targets, 8))
        return list(figures.values()), network.full.get_weights()

    figures, weights = step(cached=True)
    plain_figures, plain_weights = step(cached=False)
    np.testing.assert_allclose(figures, plain_figures, atol=1e-6)
    for mine, theirs in zip(weights, plain_weights, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.usefixtures("_tiny")
def test_a_run_by_group_leaves_everything_it_should(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config("phases.0.epochs=3")
    run, progress = train(dataset, config, tmp_path / "run")
    assert run.config == Run.open(tmp_path / "run").config
    assert sorted(path.name for path in run.folder.iterdir()) == RUN_FILES
    assert run.finished
    assert run.config == config
    rows = run.history
    assert [(row["phase"], row["epoch"]) for row in rows] == [
        *(("frozen", n) for n in (1, 2, 3)),
        *(("fine-tuned", n) for n in (1, 2)),
    ]
    columns = ["phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    assert all(list(row) == columns for row in rows)
    assert rows[2]["loss"] < rows[0]["loss"]
    metrics = run.metrics
    assert metrics["protocol"] == "group"
    assert [phase["name"] for phase in metrics["phases"]] == ["frozen", "fine-tuned"]
    assert metrics["parts"] == metrics["phases"][-1]["parts"]
    for part in ("validation", "test"):
        units = metrics["parts"][part]
        assert units["sequences"]["items"] == len(run.split.sequences_of(part))
        assert units["clips"]["items"] == len(run.split.clips_of(part))
    best = metrics["phases"][0]["best_epoch"]
    assert rows[best - 1]["val_loss"] == min(row["val_loss"] for row in rows[:3])
    assert sum("epoch" in line for line in progress.lines) == 5
    log = (run.folder / "log.txt").read_text()
    assert all(line in log for line in progress.lines)
    assert run.provenance()["train_groups"] == run.split.train_groups
    assert "Split by group" in (run.folder / "report.html").read_text()

    # The weights on disk are those that were evaluated.
    network = cnn_lstm.build(config.model, config.sequence, config.classes, None)
    network.full.load_weights(run.best_weights)
    data = read_sequences(run, dataset, Quiet())
    items = data.items("validation")
    loss, accuracy = loss_and_accuracy(predict(network.full, data.pixels, items, 8), data.targets(items))
    last = min(rows[3:], key=lambda row: row["val_loss"])
    assert loss == pytest.approx(last["val_loss"], abs=1e-5)
    assert accuracy == pytest.approx(last["val_accuracy"])


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize(("trainable", "rate"), [("none", 0.15), ("all", 0.02)])
def test_a_thorough_run_also_evaluates_its_last_weights_and_disordered_frames(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainable: str, rate: float
) -> None:
    """From the cache of a frozen part, and from pixels."""
    config = tiny_config(
        *("phases.0.epochs=6", f"phases.0.learning_rate={rate}", f"phases.0.trainable={trainable}"), phases=1
    )
    weights: list[Any] = []  # after every epoch, and last the best ones

    def save(path: Path, state: State, model: Any, variables: Any = ()) -> None:
        weights.append(model.get_weights())
        save_checkpoint(path, state, model, variables)

    found: dict[str, Any] = {}
    expected: dict[str, Any] = {}

    def keep(data: SequenceData, results: Sequence[Mapping[str, Any]]) -> None:
        found.update(results[0])
        network = cnn_lstm.build(config.model, config.sequence, config.classes, None)
        for key, after, pixels in (
            ("last", weights[-2], data.pixels),
            ("best", weights[-1], data.pixels),
            ("disordered", weights[-1], data.pixels.shuffled()),
        ):
            network.full.set_weights(after)
            expected[key] = predict(network.full, pixels, data.items("test"), 8)

    monkeypatch.setattr("exerlitenet.training.loop.save_checkpoint", save)
    train(dataset, config, tmp_path / "run", on_results=keep, thorough=True)
    np.testing.assert_allclose(found["last"], expected["last"], atol=2e-6)
    np.testing.assert_allclose(found["probabilities"]["test"], expected["best"], atol=2e-6)
    np.testing.assert_allclose(found["disordered"], expected["disordered"], atol=2e-6)
    # That the order reaches the network, which on these clips it hardly notices.
    assert (expected["disordered"] != expected["best"]).any()


@pytest.mark.usefixtures("_tiny")
def test_training_everything_from_pixels_and_the_split_of_the_paper(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config("split.protocol=sequence", "phases.0.trainable=all", "augment.copies=0", phases=1)
    run, progress = train(dataset, config, tmp_path / "run")
    assert not any("frozen layers run once" in line for line in progress.lines)
    assert set(run.metrics["parts"]["test"]) == {"sequences"}
    assert "as in the paper" in run.metrics["statement"]
    train_clips, test_clips = (set(run.split.clips_of(part)) for part in ("train", "test"))
    assert train_clips & test_clips


@pytest.mark.usefixtures("_tiny")
def test_a_phase_ends_when_the_validation_loss_no_longer_falls(dataset: Path, tmp_path: Path) -> None:
    # With this rate no weight changes, so no epoch after the first is better.
    config = tiny_config(
        *("phases.0.learning_rate=1e-12", "phases.0.epochs=9", "phases.0.patience=2"), phases=1
    )
    run, _ = train(dataset, config, tmp_path / "run")
    frozen = run.metrics["phases"][0]
    assert (frozen["epochs"], frozen["best_epoch"]) == (3, 1)


@pytest.mark.usefixtures("_tiny")
def test_without_a_validation_part_the_training_loss_is_watched(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config("split.fractions=[0.8, 0.0, 0.2]", phases=1)
    run, _ = train(dataset, config, tmp_path / "run")
    assert set(run.metrics["parts"]) == {"test"}
    assert "val_loss" not in run.history[0]


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ('classes=["biceps_curl", "squat", "lunge"]', "no clips of class lunge"),
        ("phases.1.trainable=last:99", "trainable must be"),
        ("split.fractions=[0.7, 0.3, 0.0]", ""),
    ],
)
def test_what_cannot_be_trained_is_said_and_leaves_nothing(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, override: str, expected: str
) -> None:
    if not expected:  # a loss that is no number, in the first epoch
        expected = r"lower phases\.0\.learning_rate"
        monkeypatch.setattr(
            "exerlitenet.training.cnn_lstm.fit.loss_and_accuracy", lambda *_: (float("nan"), 0.0)
        )
    with pytest.raises(InputError, match=expected):
        train(dataset, tiny_config(override), tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("_tiny")
def test_a_missing_dataset_leaves_the_users_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(InputError, match="does not exist"):
        train(tmp_path / "missing", tiny_config(), tmp_path / "run", resume=True)
    assert not list(tmp_path.glob("run/*"))


@pytest.mark.usefixtures("_tiny")
def test_resume_of_a_finished_run_returns_it_and_other_clips_are_refused(
    dataset: Path, tmp_path: Path
) -> None:
    config = tiny_config("phases.0.epochs=1", phases=1)
    run, _ = train(dataset, config, tmp_path / "run")
    before = (tmp_path / "run" / "history.csv").read_bytes()
    again, progress = train(dataset, config, tmp_path / "run", resume=True)
    assert again.metrics == run.metrics
    assert progress.lines == []
    assert (tmp_path / "run" / "history.csv").read_bytes() == before
    with pytest.raises(InputError, match="--resume"):
        train(dataset, config, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    other = write_dataset(tmp_path / "other", clips=10, groups=5)
    with pytest.raises(InputError, match="other clips"):
        train(other, config, tmp_path / "run", resume=True)


def test_copies_take_turns_from_the_cache_and_are_drawn_anew_from_pixels() -> None:
    assert [copy_of(7, epoch, 2, cached=True) for epoch in (1, 2, 3)] == [(7, 1), (7, 0), (7, 1)]
    assert [copy_of(7, epoch, 2, cached=False) for epoch in (1, 2, 3)] == [(7, 1), (7, 2), (7, 3)]
    assert copy_of(7, 5, 0, cached=True) == copy_of(7, 5, 0, cached=False) == (7, PLAIN)


def test_loss_and_accuracy() -> None:
    probabilities = np.array([[0.8, 0.2], [0.4, 0.6], [0.9, 0.1]], np.float32)
    targets = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    loss, accuracy = loss_and_accuracy(probabilities, targets)
    assert loss == pytest.approx(-np.log([0.8, 0.6, 0.1]).mean(), rel=1e-5)
    assert accuracy == pytest.approx(2 / 3)


def start(dataset: Path, out: Path, where: str = "nowhere", phase: str = "-", epoch: int = 0) -> Any:
    command = [sys.executable, tiny_training.__file__, str(dataset), str(out), where, phase, str(epoch)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def ended(process: Any) -> int:
    errors = process.communicate(timeout=300)[1]
    assert process.returncode in (0, -signal.SIGKILL), errors
    return int(process.returncode)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_that_was_killed_ends_as_one_that_was_not(dataset: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    uninterrupted = start(dataset, whole)
    assert ended(start(dataset, killed, "inside", "frozen", 2)) == -signal.SIGKILL
    assert [row["epoch"] for row in Run.open(killed).history] == [1]
    (killed / "tmp-checkpoint.npz").write_bytes(b"half")  # what a kill while writing leaves
    assert ended(start(dataset, killed, "after", "fine-tuned", 1)) == -signal.SIGKILL
    assert len(Run.open(killed).history) == 3
    assert ended(start(dataset, killed)) == 0
    assert ended(uninterrupted) == 0

    names = [sorted(path.name for path in folder.iterdir()) for folder in (whole, killed)]
    assert names == [RUN_FILES, RUN_FILES]
    expected, found = (Run.open(folder) for folder in (whole, killed))
    assert len(found.history) == len(expected.history) == 4
    for mine, theirs in zip(found.history, expected.history, strict=True):
        assert (mine["phase"], mine["epoch"]) == (theirs["phase"], theirs["epoch"])
        for key in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert mine[key] == pytest.approx(theirs[key], abs=1e-5)
    losses = [row["loss"] for row in found.history]
    assert np.ptp(losses) > 1e-3  # so that the comparison means something
    import h5py

    with h5py.File(expected.best_weights) as a, h5py.File(found.best_weights) as b:
        arrays: dict[str, Any] = {}
        a.visititems(
            lambda name, item: arrays.update({name: item[()]} if isinstance(item, h5py.Dataset) else {})
        )
        assert len(arrays) > 10
        for name, values in arrays.items():
            np.testing.assert_allclose(b[name][()], values, atol=1e-5)
    assert found.metrics["parts"] == expected.metrics["parts"]


@pytest.mark.skipif(not os.environ.get("EXERLITENET_CLIPS"), reason="EXERLITENET_CLIPS names no real clips")
def test_real_clips_train(tmp_path: Path) -> None:
    import csv

    clips = Path(os.environ["EXERLITENET_CLIPS"]).resolve()
    chosen: list[dict[str, str]] = []
    with (clips / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for label in ("squat", "biceps_curl"):
        groups: dict[str, dict[str, str]] = {}
        for row in rows:
            if row["label"] == label and float(row["seconds"]) < 8:
                groups.setdefault(row["group"], row)
        chosen += list(groups.values())[:4]
    folder = tmp_path / "clips"
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "label", "group"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(chosen)
    for row in chosen:
        (folder / row["file"]).symlink_to(clips / row["file"])
    small = ["sequence.size=64", "model.pooling=average", "phases.0.epochs=1", "phases.1.epochs=1"]
    config = load_config("paper", [*small, "split.protocol=group", "augment.copies=1"])
    run, _ = train(folder, config, tmp_path / "run")
    assert len(run.split.clips) == 8
    assert run.metrics["parts"]["test"]["clips"]["items"] >= 1
