"""The study from end to end, on networks so small that it takes seconds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import tiny_study
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.errors import InputError
from exerlitenet.reproduction.plan import make_plan
from exerlitenet.reproduction.results import NO_WEIGHTS
from exerlitenet.reproduction.run import Study, check_splits, reproduce
from exerlitenet.training.cnn_lstm import fit, network
from exerlitenet.training.networks import backbone
from exerlitenet.training.run import Run
from quiet_progress import Quiet
from tiny_study import TWO_UNITS, tiny_plan, without_large_weights
from tiny_training import write_dataset

pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SYSTEMS = 'systems=["resnet50", "frozen", "proposed", "single_frame", "disordered"]'
SINGLE = 'systems=["single_frame"]'
# The settings that fit a network of one phase.
ONE_PHASE = tuple(text for text in tiny_study.TINY if not text.startswith("phases.1."))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "clips", clips=8, groups=4)


@pytest.fixture(scope="module", autouse=True)
def _tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "build_backbone", without_large_weights)
        patch.setattr(backbone, "build_backbone", without_large_weights)
        patch.setenv("EXERLITENET_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(scope="module")
def finished(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, list[str]]:
    progress = Quiet()
    out = tmp_path_factory.mktemp("study") / "out"
    return reproduce(dataset, tiny_plan(SYSTEMS), out=out, progress=progress), progress.lines


def test_a_study_leaves_its_figures_its_page_and_its_units(finished: tuple[Study, list[str]]) -> None:
    study, lines = finished
    assert sorted(path.name for path in study.folder.iterdir()) == [
        *("networks", "reproduction.html", "reproduction.json", "study.json", "units"),
    ]
    results = json.loads((study.folder / "reproduction.json").read_text())
    assert results == json.loads(json.dumps(study.results))
    assert sorted(path.name for path in (study.folder / "units").iterdir()) == [
        *("paper-group-0", "paper-sequence-0", "single_frame-group-0", "single_frame-sequence-0"),
    ]
    assert set(results["systems"]) == {"resnet50", "frozen", "proposed", "single_frame", "disordered"}
    for name in ("frozen", "proposed", "single_frame", "disordered"):
        for split in ("sequence", "group"):
            found = results["systems"][name]["splits"][split]
            assert found["sequences"]["items"] == found["seeds"][0]["sequences"] > 0
            assert found["clips"]["items"] == found["seeds"][0]["clips"] > 0
            assert found["seeds"][0]["validation_at_best"] <= found["seeds"][0]["validation_highest"]
            assert ("last" in found) == (name != "disordered")
        for figure in ("balanced", "sequences", "clips"):
            assert results["systems"][name]["overstated"][figure]["value"] is not None
    sequences = results["tested"]["group"]["sequences"]
    assert sum(sequences.values()) == results["systems"]["proposed"]["splits"]["group"]["sequences"]["items"]
    assert [(p["split"], p["first"], p["second"]) for p in results["pairs"]] == [
        (split, *pair)
        for split in ("sequence", "group")
        for pair in (
            *(("proposed", "frozen"), ("proposed", "single_frame"), ("proposed", "disordered")),
            ("frozen", "single_frame"),
        )
    ]
    assert any(line.startswith("4 units to train (splits: sequence, group; seeds: 0)") for line in lines)


def test_both_splits_divide_the_same_sequences(finished: tuple[Study, list[str]]) -> None:
    units = finished[0].folder / "units"
    splits = [Run.open(path / "run").split for path in sorted(units.iterdir())]
    assert len({split.sequences for split in splits}) == 1
    assert [split.split.protocol for split in splits] == ["group", "sequence"] * 2
    # Systems of one split and seed are evaluated on the same sequences, or no paired test could be made.
    assert splits[0].split == splits[2].split
    assert splits[1].split == splits[3].split


def test_what_a_unit_keeps_is_what_its_run_was_evaluated_on(finished: tuple[Study, list[str]]) -> None:
    study, _ = finished
    for name, phase in (("frozen", 0), ("proposed", 1)):
        metrics = Run.open(study.folder / "units" / "paper-group-0" / "run").metrics
        expected = metrics["phases"][phase]["parts"]["test"]
        found = study.results["systems"][name]["splits"]["group"]
        assert found["sequences"]["confusion"] == expected["sequences"]["confusion"]
        assert found["clips"]["confusion"] == expected["clips"]["confusion"]


def test_a_network_without_weights_is_measured_and_never_evaluated(finished: tuple[Study, list[str]]) -> None:
    study, lines = finished
    row = study.results["systems"]["resnet50"]
    assert (row["note"], row["splits"]) == (NO_WEIGHTS, {})
    network = study.results["networks"]["resnet50"]
    assert min(network["total_parameters"], network["macs"]["sequence"], network["forward_s"]["value"]) > 0
    verdicts = {r["what"]: r for r in study.results["rows"]}
    assert verdicts["ResNet50, accuracy"]["verdict"] == "not to be had"
    assert verdicts["ResNet50, accuracy"]["why"] == NO_WEIGHTS
    assert any("ResNet50" in line and "--weights ResNet50=FILE" in line for line in lines)


class Outside(HTMLParser):
    """Everything on a page that would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.svgs = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.svgs += tag == "svg"
        if tag in ("script", "link", "img", "iframe", "object"):
            self.found.append(tag)
        self.found += [f"{tag} {key}" for key, value in attrs if key in ("src", "href") and value]


def test_the_page_opens_offline_and_shows_every_row(finished: tuple[Study, list[str]]) -> None:
    study, _ = finished
    text = study.page.read_text()
    page = Outside()
    page.feed(text)
    assert page.found == []
    assert page.svgs > 4
    for heading in (
        *("The paper, row by row", "What a random split hides", "Systems against each other"),
        *("Where the errors lie", "Size, operations, speed", "figure 13", "figure 14", "figure 4", "table 1"),
    ):
        assert heading in text
    assert text.count(NO_WEIGHTS) >= 2
    shown = re.sub(r"<[^>]+>", "", text)
    assert str(study.folder) not in shown


def test_a_finished_study_is_not_trained_again(
    finished: tuple[Study, list[str]], dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, _ = finished

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a finished unit was trained again")

    monkeypatch.setattr(fit, "_train", never)
    monkeypatch.setattr(network, "build", never)
    before = (study.folder / "reproduction.json").read_bytes()
    progress = Quiet()
    reproduce(dataset, tiny_plan(SYSTEMS), out=study.folder, resume=True, progress=progress)
    assert (study.folder / "reproduction.json").read_bytes() == before
    assert any("4 of them done before" in line for line in progress.lines)
    assert not any(line.startswith("unit ") for line in progress.lines)


def test_a_study_is_never_mixed_with_another(
    finished: tuple[Study, list[str]], dataset: Path, tmp_path: Path
) -> None:
    folder = finished[0].folder
    with pytest.raises(InputError, match="--resume"):
        reproduce(dataset, tiny_plan(SYSTEMS), out=folder, progress=Quiet())
    with pytest.raises(InputError, match="other settings"):
        reproduce(dataset, tiny_plan(SYSTEMS, "augment.copies=2"), out=folder, resume=True, progress=Quiet())
    other = write_dataset(tmp_path / "other", clips=10, groups=5)
    with pytest.raises(InputError, match="other clips"):
        reproduce(other, tiny_plan(SYSTEMS), out=folder, resume=True, progress=Quiet())
    quick = replace(tiny_plan(SYSTEMS), quick=True)
    with pytest.raises(InputError, match="was begun without --quick"):
        reproduce(dataset, quick, out=folder, resume=True, progress=Quiet())
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "study.json").write_text("[]")
    with pytest.raises(InputError, match="must hold the settings of a study"):
        reproduce(dataset, tiny_plan(SYSTEMS), out=tmp_path / "damaged", resume=True, progress=Quiet())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no study"):
        reproduce(dataset, tiny_plan(SYSTEMS), out=tmp_path / "full", resume=True, progress=Quiet())


@pytest.mark.slow
def test_a_kill_after_the_last_epoch_loses_nothing(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan([*ONE_PHASE, "seeds=[0]", SINGLE, 'splits=["group"]'])
    monkeypatch.setattr(fit, "write_metrics", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        reproduce(dataset, plan, out=tmp_path / "out", progress=Quiet())
    unit = tmp_path / "out" / "units" / "single_frame-group-0"
    assert (unit / "predictions.json").is_file()
    assert not (unit / "run" / "metrics.json").exists()
    kept = (unit / "predictions.json").read_bytes()
    monkeypatch.undo()
    monkeypatch.setattr(
        "exerlitenet.training.loop.train_epoch", lambda *_: pytest.fail("an epoch was repeated")
    )
    monkeypatch.setattr(network, "build_backbone", without_large_weights)
    monkeypatch.setattr(backbone, "build_backbone", without_large_weights)
    study = reproduce(dataset, plan, out=tmp_path / "out", resume=True, progress=Quiet())
    assert (unit / "predictions.json").read_bytes() == kept
    assert study.results["systems"]["single_frame"]["splits"]["group"]["clips"]["items"] > 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.slow
def test_a_killed_study_continues_and_keeps_finished_units(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, tiny_study.__file__, str(dataset), str(out), "single_frame-sequence-0"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1"}
    killed = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=500, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    first = out / "units" / "paper-sequence-0"
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*") if path.is_file()}
    assert not (out / "units" / "single_frame-sequence-0" / "predictions.json").exists()
    assert len(Run.open(out / "units" / "single_frame-sequence-0" / "run").history) == 1

    progress = Quiet()
    study = reproduce(dataset, tiny_plan(*TWO_UNITS), out=out, resume=True, progress=progress)
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*") if path.is_file()} == before
    assert any("1 of them done before" in line for line in progress.lines)
    assert any(line.startswith("continues after 1 epochs") for line in progress.lines)
    for name in ("frozen", "single_frame"):
        assert study.results["systems"][name]["splits"]["sequence"]["sequences"]["items"] > 0


def test_a_class_without_clips_is_said_before_anything_is_made(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no clips of class lunge"):
        reproduce(dataset, tiny_plan('classes=["squat", "lunge"]'), out=tmp_path / "out", progress=Quiet())
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_split_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    few = write_dataset(tmp_path / "clips", clips=4, groups=2)
    with pytest.raises(InputError, match="needs at least 3 groups, got 2"):
        reproduce(few, tiny_plan(), out=tmp_path / "out", progress=Quiet())
    assert not (tmp_path / "out").exists()
    check_splits(tiny_plan('splits=["sequence"]'), read_manifest(few))


def test_a_random_split_of_too_few_sequences_is_said_before_anything_is_made(tmp_path: Path) -> None:
    two = write_dataset(tmp_path / "clips", clips=2, groups=2)
    # One window of 20 frames is all that a clip of 20 frames gives, two if its duration is not exact.
    settings = ('splits=["sequence"]', "sequence.frames=20")
    with pytest.raises(InputError, match=r"sequences are too few to fill the (validation|test) part"):
        reproduce(two, tiny_plan(*settings), out=tmp_path / "out", progress=Quiet())
    assert not (tmp_path / "out").exists()
    unknown = read_manifest(two)
    unknown = replace(unknown, clips=tuple(replace(clip, seconds=0.0) for clip in unknown.clips))
    check_splits(tiny_plan(*settings), unknown)  # their number is known when they are decoded


def test_phases_that_train_more_layers_than_there_are_are_said_before_anything_is_made(
    dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match='"last:N" with N up to 7'):
        reproduce(dataset, tiny_plan("phases.1.trainable=last:99"), out=tmp_path / "out", progress=Quiet())
    assert not (tmp_path / "out").exists()


def test_a_try_that_fails_by_its_weights_leaves_the_folder_free(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Any:
        raise InputError("these weights are of another network")

    monkeypatch.setattr(backbone, "build_backbone", refused)
    with pytest.raises(InputError, match="another network"):
        reproduce(dataset, tiny_plan(), out=tmp_path / "out", progress=Quiet())
    assert not (tmp_path / "out").exists()


def test_weights_that_vanish_do_not_silently_drop_a_row(
    finished: tuple[Study, list[str]], dataset: Path, tmp_path: Path
) -> None:
    plan = tiny_plan(SYSTEMS)
    gone = type(plan)(**{**vars(plan), "weights": {"MobileNetV3Small": "none"}})
    with pytest.raises(InputError, match="cannot be had now"):
        reproduce(dataset, gone, out=finished[0].folder, resume=True, progress=Quiet())
