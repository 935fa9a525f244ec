"""One unit of the study: a learner trained on one split with one seed, and what it said of every test sequence.

A unit is a training run like any other, in a folder of its own, with predictions.json beside it. That file is
written before the run counts as finished, so whatever moment a study is killed at, a finished unit has both
and an unfinished one resumes after its last epoch.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.manifest import Manifest
from exerlitenet.datasets.split import PARTS, Protocol
from exerlitenet.datasets.windows import ClipSequence
from exerlitenet.errors import InputError
from exerlitenet.files import write_atomically
from exerlitenet.progress import Progress
from exerlitenet.reproduction.plan import Plan
from exerlitenet.reproduction.systems import Learner
from exerlitenet.training.config import Config
from exerlitenet.training.run import Run


@dataclass(frozen=True)
class Unit:
    """A learner, a split and a seed."""

    learner: Learner
    split: Protocol
    seed: int

    @property
    def name(self) -> str:
        return f"{self.learner.name}-{self.split}-{self.seed}"

    def run_folder(self, study: Path) -> Path:
        return study / "units" / self.name / "run"

    def predictions_file(self, study: Path) -> Path:
        return study / "units" / self.name / "predictions.json"

    def config(self, plan: Plan) -> Config:
        config = plan.config(self.learner)
        return replace(
            config, seed=self.seed, split=replace(config.split, protocol=self.split, seed=self.seed)
        )


@dataclass(frozen=True)
class Answers:
    """What one system said of test sequences, or of test clips; arrays have one entry each.

    seed: of the unit. classes: of the probabilities' columns. probabilities: float64 [n, classes]. truth: int64,
    column of the true class. clip: int64, place of the clip in the data set. start_s, end_s: float64, first and last
    frame of the window in the clip. group: of the clip.
    """

    seed: int
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    truth: NDArray[np.int64]
    clip: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    group: NDArray[np.str_]

    @property
    def called(self) -> NDArray[np.int64]:
        """int64 [n]: column of the most probable class."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.asarray(self.called == self.truth)

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """True classes and predicted ones by name."""
        return [self.classes[k] for k in self.truth], [self.classes[k] for k in self.called]

    def counts(self) -> dict[str, int]:
        """Class -> entries that truly are of it."""
        return {name: int((self.truth == k).sum()) for k, name in enumerate(self.classes)}


@dataclass(frozen=True)
class FinishedPhase:
    """One phase of a finished unit. curve: rows of the history; epochs: how many it ran.

    tested: by its best weights. last: by those of its last epoch. disordered: by the best, the frames of every test
    sequence in an order drawn by chance.
    """

    name: str
    epochs: int
    best_epoch: int
    tested: Answers
    last: Answers
    disordered: Answers
    curve: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Finished:
    """A finished unit. counts: part -> class -> sequences. versions: of the packages that trained it."""

    unit: Unit
    phases: tuple[FinishedPhase, ...]
    counts: Mapping[str, Mapping[str, int]]
    statement: str
    versions: Mapping[str, str]


def units_of(plan: Plan, learners: Sequence[Learner]) -> list[Unit]:
    """Seed by seed, so that a study that is stopped early has whole comparisons."""
    return [
        Unit(learner, split, seed) for seed in plan.seeds for split in plan.splits for learner in learners
    ]


def is_finished(unit: Unit, study: Path) -> bool:
    """Whether a unit needs no more training."""
    return (unit.run_folder(study) / "metrics.json").is_file() and unit.predictions_file(study).is_file()


def train_unit(
    unit: Unit,
    plan: Plan,
    manifest: Manifest,
    study: Path,
    progress: Progress,
    features: Path | None = None,
) -> None:
    """Trains a unit from where it is; returns at once when it is finished. Raises InputError as `fit`.

    features: a folder of frozen activations that it shares with others.
    """
    from exerlitenet.training.cnn_lstm.data import SequenceData
    from exerlitenet.training.cnn_lstm.fit import fit

    def keep(data: SequenceData, results: Sequence[Mapping[str, Any]]) -> None:
        def of(part: str) -> list[ClipSequence]:
            return [data.sequences[i] for i in data.split.sequences_of(part)]

        labels = {part: Counter(s.label for s in of(part)) for part in PARTS}
        kept = {
            "classes": list(data.classes),
            "counts": {part: {name: labels[part][name] for name in data.classes} for part in PARTS},
            "test": [
                {"clip": s.clip, "start": s.start, "label": s.label, "group": s.group} for s in of("test")
            ],
            "phases": [
                {key: phase[key] for key in ("name", "epochs", "best_epoch", "last", "disordered")}
                | {"probabilities": phase["probabilities"].get("test", [])}
                for phase in results
            ],
        }
        write_atomically(unit.predictions_file(study), json.dumps(kept) + "\n")

    folder = unit.run_folder(study)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fit(
        manifest,
        unit.config(plan),
        weights=plan.weights_of(unit.learner),
        out=folder,
        resume=True,
        progress=progress,
        order=unit.learner.order,
        on_results=keep,
        shared=features,
        thorough=True,
    )


def read_unit(unit: Unit, study: Path) -> Finished:
    """A finished unit from its files. Raises InputError when they are missing or damaged."""
    run = Run.open(unit.run_folder(study))
    path = unit.predictions_file(study)
    try:
        data = json.loads(path.read_text("utf-8"))
        phases = tuple(_phase(unit, run, data, phase) for phase in data["phases"])
        return Finished(unit, phases, data["counts"], run.split.split.statement, run.facts["versions"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise InputError(
            f"{path} must hold the predictions of a finished unit ({fault!r}); "
            f"remove {path.parent} and continue with --resume"
        ) from fault


def _phase(unit: Unit, run: Run, data: Mapping[str, Any], phase: Mapping[str, Any]) -> FinishedPhase:
    classes, test, spec = tuple(data["classes"]), data["test"], run.config.sequence
    start_s = np.array([row["start"] for row in test], np.float64) / spec.rate

    def answers(key: str) -> Answers:
        return Answers(
            seed=unit.seed,
            classes=classes,
            probabilities=np.array(phase[key], np.float64).reshape(len(test), len(classes)),
            truth=np.array([classes.index(row["label"]) for row in test], np.int64),
            clip=np.array([row["clip"] for row in test], np.int64),
            start_s=start_s,
            end_s=start_s + spec.window_s,
            group=np.array([row["group"] for row in test], np.str_),
        )

    return FinishedPhase(
        name=phase["name"],
        epochs=int(phase["epochs"]),
        best_epoch=int(phase["best_epoch"]),
        tested=answers("probabilities"),
        last=answers("last"),
        disordered=answers("disordered"),
        curve=tuple(row for row in run.history if row["phase"] == phase["name"]),
    )
