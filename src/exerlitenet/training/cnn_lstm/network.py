"""The network of the paper as a configuration, and the parts of it that training and the live path run.

One model type covers the paper's network (figure 4) and its baselines: a backbone on every frame, the feature
map pooled to a vector, then either LSTMs over the frames and dense layers, or dense layers that classify every
frame by itself. All parts made here share one set of layers, so what one learns the others know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.errors import InputError
from exerlitenet.export.head_graph import HeadWeights
from exerlitenet.training.config import ModelConfig
from exerlitenet.training.engine import TrainedParts
from exerlitenet.training.networks.backbone import build_backbone, frozen_part
from exerlitenet.training.run import Run
from exerlitenet.video.sequence import SequenceSpec

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Network:
    """A recurrent network and its parts; float32 throughout.

    full: [batch, frames, size, size, 3], RGB in [0,1] -> probabilities [batch, classes].
    backbone: [n, size, size, 3] -> feature map [n, h, w, channels].
    head: feature maps [batch, frames, h, w, channels] -> probabilities [batch, classes].
    pool: the layer that makes a vector of a feature map.
    layers: what follows the pooling, in order.
    """

    config: ModelConfig
    spec: SequenceSpec
    classes: tuple[str, ...]
    full: keras.Model
    backbone: keras.Model
    head: keras.Model
    pool: keras.layers.Layer
    layers: tuple[keras.layers.Layer, ...]


def build(
    config: ModelConfig, spec: SequenceSpec, classes: Sequence[str], weights: str | Path | None
) -> Network:
    """The network for a configuration. weights: of the backbone, as in `build_backbone`.

    Layers have the names of the paper's figure 4. Raises InputError as `build_backbone` does, and for a
    configuration of another model type.
    """
    import keras

    from exerlitenet.training.networks.layers import FrameWise, StillTimeDistributed

    if config.kind != "recurrent":
        raise InputError(f'this network is built for model.kind "recurrent", got "{config.kind}"')
    wrapper = StillTimeDistributed if config.time_distributed else FrameWise
    backbone = build_backbone(config.backbone, spec.size, weights)
    pool = keras.layers.Flatten() if config.pooling == "flatten" else keras.layers.GlobalAveragePooling2D()
    layers = _sequence_layers(config, len(classes))
    steps = [wrapper(pool, name="time_distributed_1"), *layers]
    features = keras.Input((spec.frames, *backbone.output_shape[1:]), name="features")
    head = keras.Model(features, _chain(features, steps), name="head")
    video = keras.Input((spec.frames, spec.size, spec.size, 3), name="input_layer_1")
    maps = wrapper(backbone, name="time_distributed")(video)
    full = keras.Model(video, _chain(maps, steps), name=f"{config.backbone}_{config.temporal}")
    return Network(config, spec, tuple(classes), full, backbone, head, pool, tuple(layers))


def set_trainable(network: Network, trainable: str) -> int:
    """Sets which of the backbone's layers learn: "none", "last:N" or "all". Returns their number.

    Batch norm keeps its statistics in every case; gamma and beta of the learning layers learn and count as
    trainable. What follows the backbone always learns.
    """
    count = trainable_layers(network.backbone, trainable)
    layers = network.backbone.layers
    network.backbone.trainable = count > 0
    for place, layer in enumerate(layers):
        layer.trainable = place >= len(layers) - count
    return count


def trainable_layers(backbone: keras.Model, trainable: str) -> int:
    """How many of a backbone's last layers "none", "last:N" or "all" means. InputError for anything else."""
    total = len(backbone.layers)
    last = re.fullmatch(r"last:(\d+)", trainable)
    count = {"none": 0, "all": total}.get(trainable, int(last[1]) if last else -1)
    if not 0 <= count <= total:
        raise InputError(
            f'trainable must be "none", "all" or "last:N" with N up to {total} for {backbone.name}, '
            f'got "{trainable}"'
        )
    return count


def training_parts(network: Network, trainable: str) -> tuple[keras.Model | None, keras.Model]:
    """What need not be run again in training, and what must: (fixed, learning).

    fixed: pixels [n, size, size, 3] -> what does not change while only `trainable` learns, so it may be
        kept: a tensor [n, ...], or a list of them where several cross the cut; None where everything
        learns.
    learning: the same with frames, [batch, frames, ...] (or the video itself) -> probabilities
        [batch, classes].
    """
    import keras

    from exerlitenet.training.networks.layers import FrameWise

    count = trainable_layers(network.backbone, trainable)
    if count == 0 and network.config.pooling == "flatten":
        return network.backbone, network.head
    if count == 0:  # a mean over places has no weights, and is a fraction of what it is made from
        pixels = keras.Input(network.backbone.input_shape[1:])
        pooled = keras.Model(pixels, network.pool(network.backbone(pixels, training=False)), name="pooled")
        vectors = keras.Input((network.spec.frames, *pooled.output_shape[1:]))
        return pooled, keras.Model(vectors, _chain(vectors, network.layers), name="learning")
    if count >= len(network.backbone.layers) - 1:
        return None, network.full
    lower, upper = frozen_part(network.backbone, count)
    inputs = [keras.Input((network.spec.frames, *tensor.shape[1:])) for tensor in lower.outputs]
    taken = inputs if len(inputs) > 1 else inputs[0]
    return lower, keras.Model(taken, network.head(FrameWise(upper, name="upper")(taken)), name="learning")


def between(network: Network, trainable: str) -> keras.Model:
    """The frozen backbone from where `trainable` cuts it to what an all-frozen one gives.

    With first weights in place: what `training_parts(network, trainable)` fixes, and then this, is what
    `training_parts(network, "none")` fixes.
    """
    import keras

    _, upper = frozen_part(network.backbone, trainable_layers(network.backbone, trainable))
    if network.config.pooling == "flatten":
        return upper
    crossing = [keras.Input(tensor.shape[1:]) for tensor in upper.inputs]
    taken = crossing if len(crossing) > 1 else crossing[0]
    return keras.Model(taken, network.pool(upper(taken, training=False)), name="between")


def encoder(network: Network) -> keras.Model:
    """The frame's part, for streams: pixels [n, size, size, 3] -> what the sequence needs of each frame.

    With LSTMs that is LSTM 1's input projection, bias included: [n, 4 units]. Without, it is the frame's
    probabilities: [n, classes].
    """
    import keras

    from exerlitenet.training.networks.layers import InputProjection

    pixels = keras.Input((network.spec.size, network.spec.size, 3), name="pixels")
    vector = network.pool(network.backbone(pixels, training=False))
    if network.config.temporal == "lstm":
        code = InputProjection(network.layers[0], name="projection")(vector)
    else:
        code = _chain(vector, network.layers[:-1])
    return keras.Model(pixels, code, name="encoder")


def sequence_head(network: Network) -> keras.Model:
    """The sequence's part: the encoder's output as [batch, frames, width] -> [batch, classes]."""
    import keras

    from exerlitenet.training.networks.layers import Recurrence

    lstm = network.config.temporal == "lstm"
    width = 4 * network.config.lstm[0] if lstm else len(network.classes)
    codes = keras.Input((network.spec.frames, width), name="codes")
    if lstm:
        steps = [Recurrence(network.layers[0], name="recurrence"), *network.layers[1:]]
    else:
        steps = list(network.layers[-1:])
    return keras.Model(codes, _chain(codes, steps), name="sequence_head")


def head_weights(network: Network) -> HeadWeights:
    """What `sequence_head` computes with, for a graph of it."""
    import keras

    from exerlitenet.training.networks.layers import ProjectedLSTM

    if network.config.temporal == "none":
        return HeadWeights.mean(len(network.classes))
    lstm, dense = (
        [layer for layer in network.layers if isinstance(layer, kind)]
        for kind in (ProjectedLSTM, keras.layers.Dense)
    )
    return HeadWeights.of_layers(lstm, dense)


def load_network(run: Run) -> Network:
    """A run's network with its best weights. Raises InputError when they are missing or do not fit."""
    network = build(run.config.model, run.config.sequence, run.config.classes, None)
    run.load_best(network.full)
    return network


def parts_of(run: Run) -> TrainedParts:
    """A trained run's network as recognition and an export need it."""
    network = load_network(run)
    return TrainedParts(encoder(network), sequence_head(network), head_weights(network), network.full)


def _sequence_layers(config: ModelConfig, classes: int) -> list[Any]:
    """LSTMs, dense layers and dropout after the pooling, named and ordered as in the paper's figure 4."""
    from keras import layers

    from exerlitenet.training.networks.layers import ProjectedLSTM

    steps: list[Any] = []

    def name(stem: str) -> str:
        """stem, stem_1, stem_2, ... as the steps have them."""
        before = sum(step.name.startswith(stem) for step in steps)
        return f"{stem}_{before}" if before else stem

    for place, (units, rate) in enumerate(zip(config.lstm, config.dropout, strict=True)):
        more = place < len(config.lstm) - 1
        steps.append(ProjectedLSTM(units, return_sequences=more, name=name("lstm")))
        if rate > 0:
            steps.append(layers.Dropout(rate, name=name("dropout")))
    for units in config.dense:
        steps.append(layers.Dense(units, activation="relu", name=name("dense")))
        if config.dense_dropout > 0:
            steps.append(layers.Dropout(config.dense_dropout, name=name("dropout")))
    steps.append(layers.Dense(classes, activation="softmax", name=name("dense")))
    if config.temporal == "none":
        steps.append(layers.GlobalAveragePooling1D(name="mean_of_frames"))
    return steps


def _chain(tensor: Any, steps: Sequence[Any]) -> Any:
    for step in steps:
        tensor = step(tensor)
    return tensor
