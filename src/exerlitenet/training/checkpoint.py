"""Everything that a killed training needs to continue, in one file that is replaced as a whole."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.errors import InputError
from exerlitenet.files import replacing

if TYPE_CHECKING:
    import keras


@dataclass
class State:
    """How far a training is; the defaults are its beginning.

    phase, epoch: the phase under way and its epochs completed.
    best_epoch, best_loss: the phase's lowest validation loss so far. waited: epochs since then.
    rows: of the history, one for every epoch completed, of all phases. rows_before: rows that the run's history
        had before this training began.
    results: of each phase that ended, what it gave.
    """

    phase: int = 0
    epoch: int = 0
    best_epoch: int = 0
    best_loss: float | None = None
    waited: int = 0
    rows_before: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)

    def end_phase(self, result: Any) -> None:
        """Keeps what the phase gave, and is at the beginning of the next one."""
        self.results.append(result)
        self.phase, self.epoch, self.best_epoch, self.best_loss, self.waited = self.phase + 1, 0, 0, None, 0


def save_checkpoint(
    path: Path, state: State, model: keras.Model, optimizer_variables: Sequence[Any] = ()
) -> None:
    """Writes state, all weights of the model and the optimizer's variables (none between two phases)."""
    arrays = {f"weight.{i}": np.asarray(v) for i, v in enumerate(model.get_weights())}
    arrays |= {f"optimizer.{i}": np.asarray(v) for i, v in enumerate(optimizer_variables)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, state=np.array(json.dumps(vars(state))), **arrays)


def load_state(path: Path, model: keras.Model) -> State:
    """Sets the model's weights and returns the state. Raises InputError when the file is damaged."""
    try:
        # Opened here, since NumPy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            model.set_weights([stored[f"weight.{i}"] for i in range(len(model.weights))])
            return State(**json.loads(str(stored["state"])))
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as fault:
        raise InputError(
            f"{path} must be a checkpoint of this run, but it cannot be read ({fault}); "
            "begin anew in another folder"
        ) from fault


def load_optimizer(path: Path, variables: Sequence[Any]) -> None:
    """Sets an optimizer's variables to those of the checkpoint. Between two phases there are none to set."""
    with np.load(path, allow_pickle=False) as stored:
        if "optimizer.0" in stored:
            for i, variable in enumerate(variables):
                variable.assign(stored[f"optimizer.{i}"])
