"""Keras as it is used here: imported quietly, weights files that fit or are refused, and Adam in one pass."""

from __future__ import annotations

import math
import os
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.errors import InputError

if TYPE_CHECKING:
    import keras

# Values of a variable from which on compiling its update pays.
LARGE = 100_000


def import_keras() -> None:
    """Imports Keras; what its backend's libraries write to standard error meanwhile is shown only if that fails.

    TensorFlow's later remarks below warnings are turned off, unless TF_CPP_MIN_LOG_LEVEL says otherwise.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "keras" in sys.modules:
        return
    sys.stderr.flush()
    # The libraries write to the file descriptor itself, past sys.stderr.
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import keras  # noqa: F401
        except BaseException:
            os.dup2(kept, 2)
            said.seek(0)
            os.write(2, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def load_weights(model: keras.Model, path: Path, owner: str) -> None:
    """Sets a model's weights. Raises InputError when the file does not hold them; owner: whose they should be."""
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers that a file lacks, and leaves them random.
            warnings.filterwarnings("error", message="Skipping nested container")
            model.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as fault:
        raise InputError(f"{path} must hold the weights of {owner}: {str(fault)[:200]}") from fault


def adam(learning_rate: float) -> keras.optimizers.Adam:
    """Keras' Adam for any backend.

    TensorFlow runs an update as a dozen operations, each of which reads and writes a whole variable: for the
    14 million weights of the paper's first LSTM that is a third of a step on a CPU. There the update of a large
    variable is compiled by XLA into one pass, with the same results but for rounding. JAX compiles by itself.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return keras.optimizers.Adam(learning_rate)
    return _one_pass_adam()(learning_rate)


@cache
def _one_pass_adam() -> type[keras.optimizers.Adam]:
    import keras
    import tensorflow as tf

    class OnePassAdam(keras.optimizers.Adam):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            plain = super().update_step
            if math.prod(variable.shape) < LARGE:
                plain(gradient, variable, learning_rate)
                return

            def update(gradient: Any, learning_rate: Any) -> None:
                plain(gradient, variable, learning_rate)

            tf.function(update, jit_compile=True)(gradient, tf.convert_to_tensor(learning_rate))

    return OnePassAdam
