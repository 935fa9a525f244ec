"""What the frozen layers give, run once for all units of a study that have a seed in common.

Both splits divide the same sequences, and the controls differ from the paper's network behind its frozen layers
alone, so the units of one seed read the same activations. They take the disk space of one seed at a time.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from exerlitenet.training.manifest import Manifest
from exerlitenet.training.progress import Progress
from exerlitenet.training.study_plan import Plan
from exerlitenet.training.study_systems import Learner


def features_folder(study: Path, seed: int) -> Path:
    """Where the units of a seed find the activations."""
    return study / "features" / str(seed)


def fill_features(
    plan: Plan, learners: Sequence[Learner], seed: int, manifest: Manifest, study: Path, progress: Progress
) -> None:
    """Runs the frozen layers that some learners have in each phase, as far as that is not done yet."""
    import keras

    from exerlitenet.training.fit import share
    from exerlitenet.training.models import build, training_parts
    from exerlitenet.training.sequence_data import cut_clips

    for learner in learners:
        config = replace(plan.config(learner), seed=seed)
        _, pixels = cut_clips(manifest, config, progress)
        network = build(config.model, config.sequence, config.classes, plan.weights_of(learner))
        for phase in config.phases:
            fixed, _ = training_parts(network, phase.trainable)
            if fixed is not None:
                share(network, fixed, pixels, config, phase, features_folder(study, seed), progress)
        keras.backend.clear_session()
        gc.collect()


def forget_features(study: Path, seed: int | None = None) -> None:
    """Removes a seed's activations, or all."""
    shutil.rmtree(study / "features" if seed is None else features_folder(study, seed), ignore_errors=True)
    if (study / "features").is_dir() and not any((study / "features").iterdir()):
        (study / "features").rmdir()


def fill_s(
    plan: Plan, learners: Sequence[Learner], measured: Mapping[str, Mapping[str, Any]], sequences: int
) -> float:
    """Seconds that `fill_features` takes for one seed: every sequence as it is and every copy, once for each
    backbone and number of learning layers.

    measured: of each learner, what `study_measures.measure` gives. sequences: of the data set.
    """
    passes: dict[tuple[str, str, str], float] = {}
    for learner in learners:
        config = plan.config(learner)
        for phase in config.phases:
            if phase.trainable != "all":
                key = (config.model.backbone, config.model.pooling, phase.trainable)
                copies = config.augment.copies + 1
                passes[key] = copies * sequences * measured[learner.name]["forward_s"]["value"]
    return sum(passes.values())
