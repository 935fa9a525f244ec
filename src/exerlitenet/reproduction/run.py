"""The paper's study on any data set: every system, on both splits, with several seeds.

A study is a folder:

    study.json                  what it was begun with
    units/LEARNER-SPLIT-SEED/   one resumable unit each: a training run, and what it said of the test sequences
    features/SEED/              while it runs: what the frozen layers give, for all units of a seed
    networks/LEARNER.json       sizes, operations and speed of each network
    reproduction.json           all figures
    reproduction.html           the same as a page that opens offline
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.manifest import Manifest
from exerlitenet.datasets.split import PARTS, split_by_sequence
from exerlitenet.datasets.windows import window_starts
from exerlitenet.errors import InputError
from exerlitenet.files import write_atomically, write_output
from exerlitenet.progress import Lines, Progress
from exerlitenet.reproduction.features import features_folder, fill_features, forget_features, forget_graphs
from exerlitenet.reproduction.jobs import quieten, train_units
from exerlitenet.reproduction.plan import Plan, begin_study, check_study, quick_part
from exerlitenet.reproduction.results import NO_WEIGHTS, gather
from exerlitenet.reproduction.systems import Learner
from exerlitenet.reproduction.units import Unit, is_finished, read_unit, train_unit, units_of

RESULTS, PAGE = "reproduction.json", "reproduction.html"


@dataclass(frozen=True)
class Study:
    """A finished study. results: content of reproduction.json."""

    folder: Path
    results: Mapping[str, Any]

    @property
    def page(self) -> Path:
        return self.folder / PAGE


def reproduce(
    dataset: Path,
    plan: Plan,
    *,
    out: Path,
    resume: bool = False,
    progress: Progress | None = None,
    jobs: int = 1,
) -> Study:
    """Runs a study to its end, or what is left of it.

    jobs: units that are trained at once, each in a process of its own with its share of the cores.
    Raises InputError for a data set without clips of every class, a folder that is not free, a study begun with
    other clips or settings, and as `fit` does.
    """
    progress = progress or Lines()
    quieten()
    manifest = _read(dataset, plan, progress)
    check_study(out, plan, manifest, resume=resume)
    check_splits(plan, manifest)
    unavailable = find_weights(plan, out, progress)
    begin_study(out, plan, manifest)  # what is wrong with data, folder or weights has been said by now
    measured = _measure(plan, out, progress)
    learners = [learner for learner in plan.learners if learner.name not in unavailable]
    units = units_of(plan, learners)
    for unit in units:
        if is_finished(unit, out):
            train_unit(unit, plan, manifest, out, progress)  # compares its settings with the plan's, no more
    _train_all(plan, learners, units, manifest, out, progress, jobs)
    return write_study(plan, manifest, units, unavailable, measured, out)


def _train_all(
    plan: Plan,
    learners: list[Learner],
    units: list[Unit],
    manifest: Manifest,
    out: Path,
    progress: Progress,
    jobs: int,
) -> None:
    """Trains the units that are not finished, seed by seed, so a study that is stopped has whole comparisons."""
    left = [unit for unit in units if not is_finished(unit, out)]
    finished = len(units) - len(left)
    splits, seeds = ", ".join(plan.splits), ", ".join(map(str, plan.seeds))
    done = f", {finished} of them done before" if finished else ""
    progress.say(
        f"{len(units)} units to train (splits: {splits}; seeds: {seeds}){done}; "
        "stopped at any moment, the same command with --resume continues"
    )
    if plan.quick and left:
        progress.say("a quick study: every part runs, no accuracy means anything; about two minutes")

    def unit_done(unit: Unit) -> None:
        nonlocal finished
        finished += 1
        progress.say(f"unit {finished} of {len(units)} done: {unit.name}")
        forget_graphs()

    for seed in dict.fromkeys(unit.seed for unit in left):
        progress.say(f"seed {seed}: running the frozen layers once for all its units")
        fill_features(plan, learners, seed, manifest, out, progress)
        own = [unit for unit in left if unit.seed == seed]
        train_units(own, plan, manifest, out, features_folder(out, seed), progress, jobs=jobs, done=unit_done)
        forget_features(out, seed)
    for seed in plan.seeds:  # also those of a seed whose last unit was done when the study was stopped
        forget_features(out, seed)


def write_study(
    plan: Plan,
    manifest: Manifest,
    units: list[Unit],
    unavailable: Mapping[str, str],
    measured: Mapping[str, Mapping[str, Any]],
    out: Path,
) -> Study:
    """Writes reproduction.json and reproduction.html from finished units."""
    from exerlitenet.reproduction.page import study_report
    from exerlitenet.reproduction.verdicts import verdicts

    finished = [read_unit(unit, out) for unit in units]
    results = gather(
        finished,
        manifest,
        systems=plan.systems,
        splits=plan.splits,
        unavailable=unavailable,
        measured=measured,
    )
    results |= {
        "quick": plan.quick,
        "settings": {
            "seeds": list(plan.seeds),
            "splits": list(plan.splits),
            "systems": [system.name for system in plan.systems],
            "overrides": list(plan.overrides),
        },
        "configurations": {learner.name: plan.config(learner).to_dict() for learner in plan.learners},
        "machine": machine(),
        "versions": dict(finished[0].versions) if finished else {},
    }
    results["rows"] = [asdict(row) for row in verdicts(results)]
    write_atomically(out / RESULTS, json.dumps(results, indent=1, allow_nan=False) + "\n")
    write_output(out / PAGE, study_report(results))
    return Study(out, results)


def _read(dataset: Path, plan: Plan, progress: Progress) -> Manifest:
    from exerlitenet.training.run import read_clips

    manifest = read_clips(dataset, plan.config(plan.learners[0]), progress)
    return quick_part(manifest) if plan.quick else manifest


def check_splits(plan: Plan, manifest: Manifest) -> None:
    """Makes every seed's splits, so that one that cannot be made is known before hours of training.

    Nothing is decoded for it: clips are divided by group as they will be; the random split is tried with as many
    sequences as the clips can give at most. Raises InputError.
    """
    from exerlitenet.training.cnn_lstm.data import split_clips

    wanted = plan.config(plan.learners[0]).split
    labels = [clip.label for clip in manifest.clips for _ in range(_sequences_at_most(plan, clip))]
    for seed in plan.seeds:
        if "group" in plan.splits:
            split_clips(manifest.clips, replace(wanted, protocol="group", seed=seed))
        if "sequence" in plan.splits:
            split_by_sequence(labels, wanted.fractions, seed)


def _sequences_at_most(plan: Plan, clip: Clip) -> int:
    """How many sequences a clip can give, from its seconds; where they are unknown, enough for every part."""
    config = plan.config(plan.learners[0])
    if not clip.seconds:
        return len(PARTS)
    # A frame at either end, since what a file says of its duration is not exact.
    ticks = math.ceil(clip.seconds * config.sequence.rate) + 2
    return len(window_starts(ticks, config.sequence.frames, config.stride))


def find_weights(plan: Plan, out: Path, progress: Progress) -> dict[str, str]:
    """Learner -> why it cannot be evaluated. A learner with random weights never is.

    Raises InputError for a file that does not fit, for phases that train more layers than a backbone has, and
    where units were trained before with weights that cannot be had now.
    """
    from exerlitenet.training.cnn_lstm.network import trainable_layers
    from exerlitenet.training.networks.backbone import WeightsUnavailable, build_backbone

    built: dict[str, Any] = {}
    out_of_reach: dict[str, str] = {}
    for learner in plan.learners:
        config, weights = plan.config(learner), plan.weights_of(learner)
        backbone = config.model.backbone
        if backbone not in built:
            built[backbone] = None
            try:
                if weights == "none":
                    raise WeightsUnavailable("random weights were asked for")
                built[backbone] = build_backbone(backbone, config.sequence.size, weights)
            except WeightsUnavailable:
                progress.say(
                    f"{backbone}: {NO_WEIGHTS}, so size, operations and speed only; "
                    f"give a file by --weights {backbone}=FILE"
                )
        if built[backbone] is not None:
            for phase in config.phases:
                trainable_layers(built[backbone], phase.trainable)
        else:
            begun = [u.name for u in units_of(plan, [learner]) if u.run_folder(out).exists()]
            if begun:
                raise InputError(
                    f"{out} has units of {learner.name} ({begun[0]}) whose weights cannot be had now; "
                    f"give them by --weights {backbone}=FILE"
                )
            out_of_reach[learner.name] = NO_WEIGHTS
    return out_of_reach


def _measure(plan: Plan, out: Path, progress: Progress) -> dict[str, dict[str, Any]]:
    from exerlitenet.reproduction.measures import measure

    measured = {}
    for number, learner in enumerate(plan.learners):
        progress.step("sizes, operations and speed", number, len(plan.learners), learner.name)
        # A quick study trains on small pictures; what a network costs is always about the paper's.
        config = learner.configuration(() if plan.quick else plan.overrides)
        file = out / "networks" / f"{learner.name}.json"
        measured[learner.name] = measure(config, file, quick=plan.quick)
    return measured


def machine() -> dict[str, Any]:
    """What the speeds were measured on; no names."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text("utf-8", errors="replace").splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.system()}
