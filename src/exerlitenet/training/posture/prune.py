"""Units that never fire: what stands in their weights was never learned, so it is set to zero.

A unit behind a ReLU that is silent on every picture gets no gradient. In MobileNetV3 whole squeeze layers end like that
when it is taught something else, and would carry ImageNet's numbers into a model for which they mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

SQUEEZE = "squeeze_excite_conv"
RELU = "squeeze_excite_relu"
EXCITE = "squeeze_excite_conv_1"


def silence_dead_units(network: keras.Model, pictures: Iterable[NDArray[np.float32]]) -> int:
    """Zeroes, in every squeeze-and-excite block, units that fire on none of these pictures; returns how many.

    pictures: batches float32 [n, size, size, 3] in [0,1]. What the network says of them does not change.
    """
    import keras

    layers: dict[str, Any] = {layer.name: layer for layer in network.layers}
    blocks = [name.removesuffix(RELU) for name in layers if name.endswith(RELU)]
    if not blocks:
        return 0
    probe = keras.Model(network.input, {block: layers[block + RELU].output for block in blocks})
    fired: dict[str, NDArray[np.bool_]] = {}
    for batch in pictures:
        for block, values in probe.predict_on_batch(batch).items():
            now = np.asarray(values).max(axis=(0, 1, 2)) > 0
            fired[block] = now | fired.get(block, np.zeros_like(now))
    for block, alive in fired.items():
        kernel, bias = layers[block + SQUEEZE].get_weights()
        layers[block + SQUEEZE].set_weights([kernel * alive, bias * alive])
        kernel, bias = layers[block + EXCITE].get_weights()
        layers[block + EXCITE].set_weights([kernel * alive[:, None], bias])
    return int(sum((~alive).sum() for alive in fired.values()))
