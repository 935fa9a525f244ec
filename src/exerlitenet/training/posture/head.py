"""The default model's sequence head: what a window of joints means, and where in a repetition they are.

Two LSTMs of 128 units, a dense layer of 64 and a softmax, as in the paper, on joints in place of feature maps; a
second output says the phase of the repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exerlitenet.datasets.landmarks import LANDMARKS
from exerlitenet.export.head_graph import HeadWeights
from exerlitenet.training.config import HeadConfig
from exerlitenet.training.posture.network import CONTEXT_UNITS, JOINT_VALUES, in_picture, joint_features

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Head:
    """network: {"joints": [b, frames, 13, 6], x and y in picture units, "context": [b, frames, 128]} ->
    {"classes": [b, classes], "phase": [b, frames]}, where the phase at frame t is that of frame t - phase_delay.
    """

    network: keras.Model
    config: HeadConfig


def build_head(config: HeadConfig, frames: int, classes: int) -> Head:
    """An untrained head for windows of `frames` frames."""
    import keras

    from exerlitenet.training.networks.layers import ProjectedLSTM

    joints = keras.Input((frames, len(LANDMARKS), JOINT_VALUES), name="joints")
    context = keras.Input((frames, CONTEXT_UNITS), name="context")
    noisy = keras.layers.GaussianNoise(config.noise, name="noise")(joints)
    # The same numbers are dropped in all frames, or what one frame loses the next would tell.
    whole = (None, 1, CONTEXT_UNITS)
    hidden = keras.layers.Dropout(config.dropout, noise_shape=whole, name="context_dropout")(context)
    features = keras.layers.Concatenate(name="features")([joint_features(noisy), hidden])
    hidden = ProjectedLSTM(config.lstm[0], return_sequences=True, name="lstm")(features)
    hidden = keras.layers.Dropout(config.dropout, name="dropout")(hidden)
    states = ProjectedLSTM(config.lstm[1], return_sequences=True, name="lstm_1")(hidden)
    phase = keras.layers.Dense(1, activation="sigmoid", name="phase_of_frames")(states)
    phase = keras.layers.Reshape((frames,), name="phase")(phase)
    last = keras.layers.Dropout(config.dropout, name="dropout_1")(states[:, -1])
    last = keras.layers.Dense(config.dense, activation="relu", name="dense")(last)
    last = keras.layers.Dropout(config.dropout, name="dropout_2")(last)
    probabilities = keras.layers.Dense(classes, activation="softmax", name="classes")(last)
    return Head(
        keras.Model([joints, context], {"classes": probabilities, "phase": phase}, name="head"), config
    )


def frame_encoder(posture: keras.Model, head: Head) -> keras.Model:
    """Pixels [n, size, size, 3] in [0,1] and views [n, 3] -> {"projection": [n, 4 x units] for the first LSTM,
    "joints": [n, 13, 6], x and y from 0 to 1 across the view}.
    """
    import keras
    from keras import ops

    from exerlitenet.training.networks.layers import InputProjection

    joints, context = posture.output["joints"], posture.output["context"]
    views = keras.Input((3,), name="views")
    features = ops.concatenate([joint_features(in_picture(joints, views)), context], axis=-1)
    projection = InputProjection(head.network.get_layer("lstm"), name="projection")(features)
    return keras.Model(
        [posture.input, views], {"projection": projection, "joints": joints}, name="frame_encoder"
    )


def sequence_head(head: Head) -> keras.Model:
    """Projections [b, frames, 4 x units] -> {"probabilities": [b, classes], "phase": [b, frames]}.

    The phase at frame t is that of frame t - phase_delay.
    """
    import keras

    from exerlitenet.training.networks.layers import Recurrence

    network = head.network
    frames = network.input[0].shape[1] if isinstance(network.input, list) else network.inputs[0].shape[1]
    projected = keras.Input((frames, 4 * head.config.lstm[0]), name="projections")
    hidden = Recurrence(network.get_layer("lstm"), name="first")(projected)
    states = network.get_layer("lstm_1")(hidden)
    phase = network.get_layer("phase")(network.get_layer("phase_of_frames")(states))
    probabilities = network.get_layer("classes")(network.get_layer("dense")(states[:, -1]))
    return keras.Model(projected, {"probabilities": probabilities, "phase": phase}, name="sequence_head")


def head_weights(head: Head) -> HeadWeights:
    """What `sequence_head` computes with, for a graph of it."""
    lstm, dense = (
        [head.network.get_layer(n) for n in names] for names in (("lstm", "lstm_1"), ("dense", "classes"))
    )
    return HeadWeights.of_layers(lstm, dense, head.network.get_layer("phase_of_frames"))
