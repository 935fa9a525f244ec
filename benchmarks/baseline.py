"""The paper's own way of training, to time ours against.

Keras' TimeDistributed calls the backbone once a frame, Keras' LSTM multiplies its input matrix once a frame, nothing
is kept, so every step augments and runs the frozen layers too, and Keras' Adam is used as it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.windows import Item, SequencePixels
from exerlitenet.training.cnn_lstm.features import FeatureCache
from exerlitenet.training.cnn_lstm.network import Network, build, set_trainable, training_parts
from exerlitenet.training.config import Config, ModelConfig, PhaseConfig
from exerlitenet.training.networks.backbone import build_backbone
from exerlitenet.video.sequence import SequenceSpec

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]


def build_baseline(
    config: ModelConfig,
    spec: SequenceSpec,
    classes: Sequence[str],
    weights: str | Path | None,
    *,
    held: bool = False,
) -> Network:
    """The network that `build` gives for a configuration with LSTMs, of Keras' own layers alone.

    Its weights are in the same order and of the same shapes. held: batch norm keeps its statistics, as ours does;
    otherwise what is unfrozen of it learns them from the frames of a step, once a frame, as Keras does by itself.
    """
    import keras
    from keras import layers

    from exerlitenet.training.networks.layers import StillTimeDistributed

    wrapper = StillTimeDistributed if held else layers.TimeDistributed
    backbone = build_backbone(config.backbone, spec.size, weights)
    pool = layers.Flatten() if config.pooling == "flatten" else layers.GlobalAveragePooling2D()
    steps = []
    for place, (units, rate) in enumerate(zip(config.lstm, config.dropout, strict=True)):
        steps += [
            layers.LSTM(units, return_sequences=place < len(config.lstm) - 1),
            layers.Dropout(rate),
        ]
    for units in config.dense:
        steps += [layers.Dense(units, activation="relu"), layers.Dropout(config.dense_dropout)]
    steps.append(layers.Dense(len(classes), activation="softmax"))
    video = keras.Input((spec.frames, spec.size, spec.size, 3))
    maps = keras.Input((spec.frames, *backbone.output_shape[1:]))
    wrapped, pooled = wrapper(backbone), wrapper(pool)
    full, head = wrapped(video), maps
    for step in (pooled, *steps):
        full, head = step(full), step(head)
    return Network(
        config,
        spec,
        tuple(classes),
        keras.Model(video, full, name="baseline"),
        backbone,
        keras.Model(maps, head, name="baseline_head"),
        pool,
        tuple(steps),
    )


def compile_baseline(network: Network, phase: PhaseConfig) -> None:
    """Keras' Adam and categorical cross-entropy on the whole network: the paper's table 1."""
    import keras

    network.full.compile(
        optimizer=keras.optimizers.Adam(phase.learning_rate),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )


def gradient_difference(
    config: Config,
    trainable: str,
    pixels: SequencePixels,
    items: Sequence[Item],
    folder: Path,
    *,
    held: bool = True,
) -> float:
    """How far the gradients of one step from kept activations are from those of the paper's way from pixels.

    Same random weights, same items, no dropout, whose draws would differ. Of every variable that learns while
    `trainable` does, the largest difference as a part of its largest gradient; the largest of all variables.
    folder: for the activations. held: see `build_baseline`; where batch norm learns statistics, something else is
    computed. On TensorFlow alone.
    """
    model = replace(config.model, dropout=tuple(0.0 for _ in config.model.dropout), dense_dropout=0.0)
    ours = build(model, config.sequence, config.classes, None)
    theirs = build_baseline(model, config.sequence, config.classes, None, held=held)
    rng = np.random.default_rng(0)
    # Zeros and ones, as biases and statistics are at first, would hide a difference.
    weights = [w + rng.uniform(0, 0.2, w.shape) * (w.ndim == 1) for w in ours.full.get_weights()]
    for network in (ours, theirs):
        network.full.set_weights(weights)
        set_trainable(network, trainable)
    targets = np.eye(len(config.classes), dtype=np.float32)[np.arange(len(items)) % len(config.classes)]
    fixed, learning = training_parts(ours, trainable)
    if fixed is None:
        inputs = pixels.inputs(items)
    else:
        inputs = FeatureCache.open(folder, fixed, pixels, items, config.sequence.frames).inputs(items)
    mine = _gradients(learning, inputs, targets, ours.full)
    other = _gradients(theirs.full, pixels.inputs(items), targets, theirs.full)
    return max(
        float(np.abs(a - b).max() / max(np.abs(b).max(), np.finfo(np.float32).tiny))
        for a, b in zip(mine, other, strict=True)
    )


def _gradients(model: keras.Model, inputs: list[Floats], targets: Floats, full: keras.Model) -> list[Floats]:
    """Of the mean cross-entropy, by the variables of `full` that learn, in their order."""
    import keras
    import tensorflow as tf

    taken: Any = inputs if len(inputs) > 1 else inputs[0]
    with tf.GradientTape() as tape:
        loss = keras.losses.CategoricalCrossentropy()(targets, model(taken, training=True))
    found = tape.gradient(loss, [variable.value for variable in full.trainable_variables])
    return [np.asarray(gradient, np.float32) for gradient in found]
