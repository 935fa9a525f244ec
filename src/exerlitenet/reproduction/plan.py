"""What one study does: which systems on which splits with which seeds, and from which weights.

The plan is in the study's folder as study.json, so that a study that is resumed with other settings or another
data set is refused rather than mixed.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exerlitenet.datasets.manifest import Manifest
from exerlitenet.datasets.split import Protocol
from exerlitenet.errors import InputError
from exerlitenet.files import TEMPORARY, make_folder, write_atomically
from exerlitenet.reproduction.systems import (
    LEARNERS,
    SEEDS,
    SPLITS,
    SYSTEMS,
    Learner,
    System,
    phase_of,
    system,
)
from exerlitenet.training.config import BACKBONES, Config, load_config

MARKER = "study.json"
FORMAT = 1

# What --quick changes: every part of the study runs, and no figure of it means anything.
QUICK = (
    *("sequence.size=96", "sequence.source_short_side=112", "sequence.stride=45"),
    *("augment.copies=1", "phases.0.epochs=2", "phases.1.epochs=1"),
)
QUICK_CLIPS = 8
"""Clips of each class in a quick study."""


@dataclass(frozen=True)
class Plan:
    """seeds: of split, first weights, dropout and augmentation. overrides: `key=value` of configurations.

    weights: backbone -> "imagenet", "none" or a file; a backbone that is missing takes "imagenet".
    """

    systems: tuple[System, ...]
    splits: tuple[Protocol, ...]
    seeds: tuple[int, ...]
    overrides: tuple[str, ...]
    weights: Mapping[str, str]
    quick: bool = False

    @property
    def learners(self) -> tuple[Learner, ...]:
        """What has to be trained, each once, in the order of LEARNERS."""
        return tuple(learner for learner in LEARNERS if any(s.learner == learner for s in self.systems))

    def config(self, learner: Learner) -> Config:
        """A learner's configuration, apart from split and seed."""
        return learner.configuration(((*QUICK,) if self.quick else ()) + self.overrides)

    def weights_of(self, learner: Learner) -> str:
        return self.weights.get(self.config(learner).model.backbone, "imagenet")


def make_plan(settings: Sequence[str] = (), weights: Sequence[str] = (), *, quick: bool = False) -> Plan:
    """A plan from what the command line says.

    settings: `key=value`; seeds, splits and systems are the study's own, all else belongs to the
        configurations. weights: `BACKBONE=imagenet|none|FILE`.
    Raises InputError for keys, values and backbones that do not exist, and files that are missing.
    """
    own: dict[str, Any] = {}
    rest: list[str] = []
    for text in settings:
        key, equals, value = text.partition("=")
        if equals and key.strip() in ("seeds", "splits", "systems"):
            own[key.strip()] = _list(key.strip(), value.strip())
        else:
            rest.append(text)
    seeds = own.get("seeds", list(SEEDS[:1] if quick else SEEDS))
    if not all(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in seeds):
        raise InputError(f"--set seeds takes whole numbers from 0, such as seeds=[0,1,2], got {seeds!r}")
    splits = own.get("splits", list(SPLITS))
    if not all(split in SPLITS for split in splits):
        raise InputError(f'--set splits takes some of ["sequence", "group"], got {splits!r}')
    systems = [system(str(name)) for name in own["systems"]] if "systems" in own else list(SYSTEMS)
    plan = Plan(
        tuple(found for found in SYSTEMS if found in systems),
        tuple(found for found in SPLITS if found in splits),
        tuple(dict.fromkeys(seeds)),
        tuple(rest),
        _weights(weights),
        quick,
    )
    phases = max(len(load_config(learner.config).phases) for learner in LEARNERS)
    for text in plan.overrides:
        if (phase := phase_of(text)) >= phases:
            raise InputError(
                f"--set {text}: no network of this study has a phase {phase}; they have phases 0 to {phases - 1}"
            )
    for learner in plan.learners:
        config = plan.config(learner)
        needed = max(s.phase for s in plan.systems if s.learner == learner)
        if len(config.phases) <= needed:
            raise InputError(f"configuration {learner.config} needs {needed + 1} phases for this study")
        if config.split.fractions[2] == 0:
            raise InputError(
                "--set split.fractions: a study is evaluated on the test part, so its share, the last, must be above "
                f"0, got {list(config.split.fractions)}"
            )
    return plan


def _list(key: str, text: str) -> list[Any]:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as fault:
        raise InputError(f'--set {key} takes a list such as [0, 1] or ["group"], got {text!r}') from fault
    if not isinstance(value, list) or not value:
        raise InputError(f"--set {key} takes a list that is not empty, got {text!r}")
    return value


def _weights(texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in BACKBONES or not value:
            raise InputError(
                f"--weights takes BACKBONE=imagenet|none|FILE with a backbone of {', '.join(BACKBONES)}, "
                f"got {text!r}"
            )
        if value not in ("imagenet", "none") and not Path(value).is_file():
            raise InputError(f"--weights {name}: found no file {value}")
        found[name] = value
    return found


def quick_part(manifest: Manifest) -> Manifest:
    """A few clips of each class, of as many groups as there are, the same ones every time."""
    chosen = []
    for name in manifest.classes:
        rounds: dict[str, int] = {}
        ranked = []
        for place, clip in enumerate(manifest.clips):
            if clip.label == name:
                rounds[clip.group] = rounds.get(clip.group, 0) + 1
                ranked.append((rounds[clip.group], place))
        chosen += [place for _, place in sorted(ranked)[:QUICK_CLIPS]]
    return replace(manifest, clips=tuple(manifest.clips[place] for place in sorted(chosen)))


def fingerprint(manifest: Manifest) -> str:
    """Changes when clips, labels, groups or the times of repetitions do."""
    rows = [[c.digest, c.label, c.group, list(c.extremes_s)] for c in manifest.clips]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def check_study(out: Path, plan: Plan, manifest: Manifest, *, resume: bool) -> None:
    """Finds that a folder is free, or with `resume` that the study there belongs to this plan and data. Writes nothing.

    Systems, splits and seeds may differ from before, since no unit needs another. Raises InputError when
    the folder holds anything else.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"expected a folder for the study, but {out} is a file; name another")
    there = [p for p in out.iterdir() if not p.name.startswith(TEMPORARY)] if out.exists() else []
    marker = out / MARKER
    if there and not marker.is_file():
        raise InputError(f"{out} is not empty and holds no study; name another folder")
    if there and not resume:
        raise InputError(f"{out} holds a study already; resume it with --resume, or name another folder")
    if marker.is_file():
        try:
            before = json.loads(marker.read_text("utf-8"))
        except ValueError as fault:
            raise InputError(f"{marker} cannot be read as JSON: {fault}") from fault
        if not isinstance(before, dict):
            raise InputError(f"{marker} must hold the settings of a study, but it holds {before!r:.40}")
        facts = _facts(plan, manifest)
        different = [key for key in facts if before.get(key) != facts[key]]
        if different:
            words = {
                "format": f"by another version of this program (format {before.get('format')}, now {FORMAT})",
                "quick": "without --quick" if plan.quick else "with --quick",
                "overrides": f"with other settings (then {before.get('overrides')}, now {list(plan.overrides)})",
                "dataset": "with other clips, labels, groups or times of repetitions than the data set has now",
            }[different[0]]
            raise InputError(f"{out} was begun {words}; give the same, or another folder")


def _facts(plan: Plan, manifest: Manifest) -> dict[str, Any]:
    """What must stay the same until a study is finished."""
    return {
        "format": FORMAT,
        "quick": plan.quick,
        "overrides": list(plan.overrides),
        "dataset": fingerprint(manifest),
    }


def begin_study(out: Path, plan: Plan, manifest: Manifest) -> None:
    """Makes the folder of a study where it is not there yet. Raises InputError when it cannot be made."""
    marker = out / MARKER
    if marker.is_file():
        return
    make_folder(out)
    write_atomically(marker, json.dumps(_facts(plan, manifest), indent=1) + "\n")
