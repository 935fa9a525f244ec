"""The study's figures, gathered from its finished units into one object: reproduction.json.

The report page and the tables of the documents are made from this object alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.manifest import Manifest
from exerlitenet.datasets.split import Protocol
from exerlitenet.evaluation.metrics import plain
from exerlitenet.reproduction.statistics import (
    at_rest,
    classified,
    clips_of,
    describe_tested,
    error_difference,
    error_rates,
    overstated,
    paired,
)
from exerlitenet.reproduction.systems import LEARNERS, SPLITS, SYSTEMS, System
from exerlitenet.reproduction.units import Answers, Finished, FinishedPhase, Unit

FORMAT = 2
NO_WEIGHTS = "no ImageNet weights here"
NOT_RUN = "not run in this study"

# Pairs that the paper or the controls ask about.
PAIRS = (
    ("proposed", "frozen"),
    ("proposed", "resnet50"),
    ("proposed", "vgg16"),
    ("proposed", "single_frame"),
    ("proposed", "shuffled"),
    ("proposed", "disordered"),
    ("frozen", "single_frame"),
)
# The classes of the paper's remark that curls err more than squats.
CURL, SQUAT = "biceps_curl", "squat"


def gather(
    finished: Sequence[Finished],
    manifest: Manifest,
    *,
    systems: Sequence[System],
    splits: Sequence[Protocol],
    unavailable: Mapping[str, str],
    measured: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Everything that follows from the units.

    unavailable: learner -> why its accuracy cannot be had. measured: learner -> figures of `measure`.
    """
    # Of every system and split that was trained: one phase a seed, and what was said of the test sequences.
    phases = {
        (s.name, split): found for s in systems for split in splits if (found := _phases(finished, s, split))
    }
    named = {s.name: s for s in systems}
    tested = {key: [answers_of(named[key[0]], phase) for phase in found] for key, found in phases.items()}
    peaks = {place: clip.extremes_s for place, clip in enumerate(manifest.clips) if clip.extremes_s}
    rows: dict[str, Any] = {}
    for system in (s for s in SYSTEMS if s in systems):
        own = {split: tested[system.name, split] for split in splits if (system.name, split) in tested}
        rows[system.name] = {
            "short": system.short,
            "title": system.title,
            "learner": system.learner.name,
            "published": system.published,
            "note": None if own else unavailable.get(system.learner.name, NOT_RUN),
            "splits": {
                split: _split_of(system, phases[system.name, split], parts, peaks)
                for split, parts in own.items()
            },
        }
        if len(own) == len(SPLITS):
            rows[system.name]["overstated"] = plain(overstated(own["sequence"], own["group"]))
    return {
        "format": FORMAT,
        "dataset": _dataset(finished, manifest),
        # Shuffled frames go through the network of the paper, so it is no network of its own.
        "networks": {
            learner.name: dict(measured[learner.name])
            for learner in LEARNERS
            if learner.name in measured and learner.order == "true"
        },
        "tested": {
            split: describe_tested(parts).to_json()
            for split in splits
            if (parts := next((parts for (_, s), parts in tested.items() if s == split), None))
        },
        "systems": rows,
        "pairs": [
            {"split": split, "first": a, "second": b} | _pair(tested[a, split], tested[b, split])
            for split in splits
            for a, b in PAIRS
            if (a, split) in tested and (b, split) in tested
        ],
        "curves": [_curve(f.unit, phase) for f in finished for phase in f.phases],
        "statements": {f.unit.split: re.sub(r" \(seed \d+\)", "", f.statement) for f in finished},
    }


def _phases(finished: Sequence[Finished], system: System, split: str) -> list[FinishedPhase]:
    """One phase a seed, in the order of the seeds."""
    return [
        f.phases[system.phase]
        for f in sorted(finished, key=lambda f: f.unit.seed)
        if f.unit.learner == system.learner and f.unit.split == split
    ]


def answers_of(system: System, phase: FinishedPhase) -> Answers:
    """What a system said in a unit, by the best weights of its phase."""
    return phase.disordered if system.disordered else phase.tested


def _split_of(
    system: System,
    phases: Sequence[FinishedPhase],
    tested: Sequence[Answers],
    peaks: Mapping[int, Sequence[float]],
) -> dict[str, Any]:
    sequences, clips = classified(tested)
    out: dict[str, Any] = {
        "sequences": sequences.to_json(),
        "clips": clips.to_json(),
        "seeds": [_seed(phase, part) for phase, part in zip(phases, tested, strict=True)],
        "errors": plain(error_rates(tested)),
        "rest": plain(at_rest(tested, peaks)),
    }
    if not system.disordered:
        sequences, clips = classified([phase.last for phase in phases])
        out["last"] = plain({"balanced": sequences.balanced_accuracy, "clips": clips.accuracy})
    if {CURL, SQUAT} <= set(tested[0].classes):
        out["curls_over_squats"] = plain(error_difference(tested, CURL, SQUAT))
    return out


def _seed(phase: FinishedPhase, part: Answers) -> dict[str, Any]:
    """One seed's figures; of the validation part the accuracy at the best epoch, whose loss was lowest, and the highest
    of any epoch.
    """
    clips = clips_of([part])
    out = {
        "seed": part.seed,
        "epochs": phase.epochs,
        "best_epoch": phase.best_epoch,
        "sequences": len(part.truth),
        "accuracy": round(float(part.right.mean()), 6),
        "clips": len(clips.clip),
        "clip_accuracy": round(float(clips.right.mean()), 6),
    }
    known = {int(row["epoch"]): float(row["val_accuracy"]) for row in phase.curve if "val_accuracy" in row}
    if phase.best_epoch in known:
        out["validation_at_best"] = round(known[phase.best_epoch], 6)
        out["validation_highest"] = round(max(known.values()), 6)
    return out


def _pair(first: Sequence[Answers], second: Sequence[Answers]) -> dict[str, Any]:
    seeds = [{"seed": a.seed} | plain(paired([a], [b])) for a, b in zip(first, second, strict=True)]
    return {**plain(paired(first, second)), "seeds": seeds}


def _dataset(finished: Sequence[Finished], manifest: Manifest) -> dict[str, Any]:
    counts = finished[0].counts if finished else {}

    def facts(clips: Sequence[Clip], classes: Sequence[str]) -> dict[str, Any]:
        sequences = sum(part.get(name, 0) for part in counts.values() for name in classes)
        return {"clips": len(clips), "groups": len({clip.group for clip in clips}), "sequences": sequences}

    return {
        **facts(manifest.clips, manifest.classes),
        "seconds": round(sum(clip.seconds for clip in manifest.clips), 1),
        "classes": {
            name: facts([clip for clip in manifest.clips if clip.label == name], [name])
            for name in manifest.classes
        },
    }


def _curve(unit: Unit, phase: FinishedPhase) -> dict[str, Any]:
    """Losses and accuracies over the epochs of one phase of a unit."""
    figures = ("loss", "accuracy", "val_loss", "val_accuracy")
    return {
        "learner": unit.learner.name,
        "split": unit.split,
        "seed": unit.seed,
        "phase": phase.name,
        "best_epoch": phase.best_epoch,
        "rows": [
            {"epoch": int(row["epoch"])} | {key: round(float(row[key]), 5) for key in figures if key in row}
            for row in phase.curve
        ],
        "seconds": round(sum(float(row["seconds"]) for row in phase.curve), 1),
    }
