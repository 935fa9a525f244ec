"""Adam as Keras has it, with fewer trips to memory on TensorFlow."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# Values of a variable from which on compiling its update pays.
LARGE = 100_000


def adam(learning_rate: float) -> keras.optimizers.Adam:
    """Keras' Adam for any backend.

    TensorFlow runs an update as a dozen operations, each of which reads and writes a whole variable: for the
    14 million weights of the paper's first LSTM that is a third of a step on a CPU. There the update of a large
    variable is compiled by XLA into one pass, with the same results but for rounding. JAX compiles by itself.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return keras.optimizers.Adam(learning_rate)
    found: keras.optimizers.Adam = _one_pass_adam()(learning_rate)
    return found


@cache
def _one_pass_adam() -> Any:
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
