"""What the frozen layers give, run once for all units of a study that have a seed in common.

Both splits divide the same sequences, and the controls differ from the paper's network behind its frozen layers
alone, so the units of one seed read the same activations. They take the disk space of one seed at a time.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from exerlitenet.datasets.manifest import Manifest
from exerlitenet.progress import Progress
from exerlitenet.reproduction.plan import Plan
from exerlitenet.reproduction.systems import Learner


def features_folder(study: Path, seed: int) -> Path:
    """Where the units of a seed find the activations."""
    return study / "features" / str(seed)


def fill_features(
    plan: Plan, learners: Sequence[Learner], seed: int, manifest: Manifest, study: Path, progress: Progress
) -> None:
    """Runs the frozen layers that some learners have in each phase, as far as that is not done yet.

    The phase that learns most comes first: where another's backbone is all frozen, its lower layers have then run.
    """
    from exerlitenet.training.cnn_lstm.data import cut_clips
    from exerlitenet.training.cnn_lstm.features import Above
    from exerlitenet.training.cnn_lstm.fit import share
    from exerlitenet.training.cnn_lstm.network import between, build, training_parts

    for learner in learners:
        config = replace(plan.config(learner), seed=seed)
        _, pixels = cut_clips(manifest, config, progress)
        network = build(config.model, config.sequence, config.classes, plan.weights_of(learner))
        folder = features_folder(study, seed)
        above: Above | None = None
        for phase in reversed(config.phases):
            fixed, _ = training_parts(network, phase.trainable)
            if fixed is None:
                continue
            known = above if phase.trainable == "none" else None
            kept = share(network, fixed, pixels, config, phase, folder, progress, known)
            if phase.trainable != "none":
                above = Above(kept, between(network, phase.trainable))
        forget_graphs()


def forget_features(study: Path, seed: int) -> None:
    """Removes a seed's activations."""
    shutil.rmtree(features_folder(study, seed), ignore_errors=True)
    if (study / "features").is_dir() and not any((study / "features").iterdir()):
        (study / "features").rmdir()


def forget_graphs() -> None:
    """Lets go of the networks that Keras holds."""
    import keras

    keras.backend.clear_session()
    gc.collect()
