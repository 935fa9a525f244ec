"""Weights files as Keras writes them, read so that a file of another network is never taken for the right one."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from exerlitenet.errors import InputError
from exerlitenet.training.run import Run

if TYPE_CHECKING:
    import keras


def load_weights(model: keras.Model, path: Path, owner: str) -> None:
    """Sets a model's weights. Raises InputError when the file does not hold them; owner: whose they should be."""
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers that a file lacks, and leaves them random.
            warnings.filterwarnings("error", message="Skipping nested container")
            model.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as fault:
        raise InputError(f"{path} must hold the weights of {owner}: {str(fault)[:200]}") from fault


def check_trained(run: Run) -> None:
    """Raises InputError for a run without weights yet."""
    if not run.best_weights.is_file():
        raise InputError(f"{run.folder} has no trained weights yet; train it with --resume")
