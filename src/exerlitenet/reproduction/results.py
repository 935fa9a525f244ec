"""The study's figures, gathered from its finished units into one object: reproduction.json.

The report page and the tables of the documents are made from this object alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from exerlitenet.datasets.manifest import Manifest
from exerlitenet.datasets.split import Protocol
from exerlitenet.reproduction.statistics import (
    at_rest,
    clips_of,
    error_difference,
    error_rates,
    judge_clips_of,
    judge_sequences_of,
    judged_on,
    overstated,
    paired,
)
from exerlitenet.reproduction.systems import LEARNERS, SYSTEMS, System
from exerlitenet.reproduction.units import Answers, Finished, Phase

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
    by_system = {
        (system.name, split): _phases(finished, system, split) for system in systems for split in splits
    }
    tested = {
        (system.name, split): [answers_of(system, phase) for phase in phases]
        for system in systems
        for split in splits
        if (phases := by_system[system.name, split])
    }
    extremes = {place: clip.extremes_s for place, clip in enumerate(manifest.clips) if clip.extremes_s}
    rows: dict[str, Any] = {}
    for system in SYSTEMS:
        if system.name not in {s.name for s in systems}:
            continue
        has = any((system.name, split) in tested for split in splits)
        row: dict[str, Any] = {
            "short": system.short,
            "title": system.title,
            "learner": system.learner.name,
            "published": system.published,
            "note": None if has else unavailable.get(system.learner.name, NOT_RUN),
            "splits": {
                split: _split_of(system, by_system[system.name, split], extremes)
                for split in splits
                if (system.name, split) in tested
            },
        }
        both = [tested.get((system.name, split)) for split in ("sequence", "group")]
        if both[0] and both[1]:
            row["overstated"] = overstated(both[0], both[1]).to_json()
        rows[system.name] = row
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
            split: judged_on(next(parts for (_, s), parts in tested.items() if s == split)).to_json()
            for split in splits
            if any(s == split for _, s in tested)
        },
        "systems": rows,
        "pairs": [
            {"split": split, "first": a, "second": b} | _pair(tested[a, split], tested[b, split])
            for split in splits
            for a, b in PAIRS
            if (a, split) in tested and (b, split) in tested
        ],
        "curves": _curves(finished),
        "statements": {f.unit.split: re.sub(r" \(seed \d+\)", "", f.statement) for f in finished},
    }


def _phases(finished: Sequence[Finished], system: System, split: str) -> list[Phase]:
    """One phase a seed, in the order of the seeds."""
    return [
        f.phases[system.phase]
        for f in sorted(finished, key=lambda f: f.unit.seed)
        if f.unit.learner == system.learner and f.unit.split == split
    ]


def answers_of(system: System, phase: Phase) -> Answers:
    """What a system said in a unit, by the best weights of its phase."""
    return phase.disordered if system.disordered else phase.tested


def _split_of(
    system: System, phases: Sequence[Phase], extremes: Mapping[int, Sequence[float]]
) -> dict[str, Any]:
    tested = [answers_of(system, phase) for phase in phases]
    out: dict[str, Any] = {
        "sequences": judge_sequences_of(tested).to_json(),
        "clips": judge_clips_of(tested).to_json(),
        "seeds": [
            {
                "seed": part.seed,
                "epochs": phase.epochs,
                "best_epoch": phase.best_epoch,
                "sequences": len(part.truth),
                "accuracy": round(float(part.right.mean()), 6),
                "clips": len(clips_of([part]).clip),
                "clip_accuracy": round(float(clips_of([part]).right.mean()), 6),
            }
            | _validation(phase)
            for phase, part in zip(phases, tested, strict=True)
        ],
        "errors": {name: rate.to_json() for name, rate in error_rates(tested).items()},
        "rest": at_rest(tested, extremes).to_json(),
    }
    if not system.disordered:
        last = [phase.last for phase in phases]
        out["last"] = {
            "balanced": judge_sequences_of(last).balanced_accuracy.to_json(),
            "clips": judge_clips_of(last).accuracy.to_json(),
        }
    if {CURL, SQUAT} <= set(tested[0].classes):
        out["curls_over_squats"] = error_difference(tested, CURL, SQUAT).to_json()
    return out


def _validation(phase: Phase) -> dict[str, float]:
    """Accuracy of the validation part at the best epoch, whose loss was lowest, and the highest of any epoch."""
    known = {int(row["epoch"]): float(row["val_accuracy"]) for row in phase.curve if "val_accuracy" in row}
    if phase.best_epoch not in known:
        return {}
    return {
        "validation_at_best": round(known[phase.best_epoch], 6),
        "validation_highest": round(max(known.values()), 6),
    }


def _pair(first: Sequence[Answers], second: Sequence[Answers]) -> dict[str, Any]:
    return paired(first, second).to_json() | {
        "seeds": [{"seed": a.seed} | paired([a], [b]).to_json() for a, b in zip(first, second, strict=True)]
    }


def _dataset(finished: Sequence[Finished], manifest: Manifest) -> dict[str, Any]:
    counts = finished[0].counts if finished else {}
    return {
        "clips": len(manifest.clips),
        "groups": len({clip.group for clip in manifest.clips}),
        "seconds": round(sum(clip.seconds for clip in manifest.clips), 1),
        "sequences": sum(n for part in counts.values() for n in part.values()),
        "classes": {
            name: {
                "clips": sum(clip.label == name for clip in manifest.clips),
                "groups": len({clip.group for clip in manifest.clips if clip.label == name}),
                "sequences": sum(part.get(name, 0) for part in counts.values()),
            }
            for name in manifest.classes
        },
    }


def _curves(finished: Sequence[Finished]) -> list[dict[str, Any]]:
    """Losses and accuracies over the epochs of every unit."""
    keys = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")
    return [
        {
            "learner": f.unit.learner.name,
            "split": f.unit.split,
            "seed": f.unit.seed,
            "phase": phase.name,
            "best_epoch": phase.best_epoch,
            "rows": [
                {
                    key: round(float(row[key]), 5) if key != "epoch" else int(row[key])
                    for key in keys
                    if key in row
                }
                for row in phase.curve
            ],
            "seconds": round(sum(float(row["seconds"]) for row in phase.curve), 1),
        }
        for f in finished
        for phase in f.phases
    ]
