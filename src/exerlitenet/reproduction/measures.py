"""What a network of the study is and costs, whatever its weights: parameters, operations, sizes and speed.

Random weights serve for all of it, so a system whose ImageNet weights cannot be had has these figures too.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.files import write_atomically
from exerlitenet.training.config import Config

if TYPE_CHECKING:
    from exerlitenet.training.cnn_lstm.network import Network

REPETITIONS = 5


def measure(config: Config, file: Path, *, quick: bool = False) -> dict[str, Any]:
    """Figures of a configuration's network, from `file` where they were measured before.

    Returns what `ModelDescription.to_json` gives, and
        forward_s: seconds of one sequence's forward pass in Keras on this machine: value (median), low, high
            (of all repetitions), repetitions. The first pass, which compiles, is not among them.
        frames: of a sequence.
        profiler_flops: see `profiler_flops`; None for networks without LSTMs.
    """
    if file.is_file():
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return found
    import keras

    from exerlitenet.training.cnn_lstm.network import build, set_trainable
    from exerlitenet.training.summary import describe_network

    network = build(config.model, config.sequence, config.classes, None)
    description = describe_network(config, network, lambda trainable: set_trainable(network, trainable))
    figures = description.to_json() | {
        "frames": config.sequence.frames,
        "forward_s": _forward(network, 1 if quick else REPETITIONS),
        "profiler_flops": profiler_flops(network) if config.model.temporal == "lstm" else None,
    }
    keras.backend.clear_session()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, json.dumps(figures, indent=1) + "\n")
    return figures


def _forward(network: Network, repetitions: int) -> dict[str, Any]:
    spec = network.spec
    pixels = np.random.default_rng(0).random((1, spec.frames, spec.size, spec.size, 3), np.float32)
    network.full.predict_on_batch(pixels)
    taken = []
    for _ in range(repetitions):
        began = time.perf_counter()
        network.full.predict_on_batch(pixels)
        taken.append(time.perf_counter() - began)
    return {
        "value": round(statistics.median(taken), 5),
        "low": round(min(taken), 5),
        "high": round(max(taken), 5),
        "repetitions": repetitions,
    }


def profiler_flops(network: Network) -> int | None:
    """FLOPs of one sequence as TensorFlow's own profiler counts them, None on other backends.

    On the graph of the paper's network with Keras' LSTMs. It counts biases, batch norm and other elementwise
    work, which our convention leaves out, but the body of an LSTM's loop only once, not once a frame.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf
    from keras import layers
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2_as_graph,
    )

    from exerlitenet.training.networks.layers import FrameWise

    config, spec = network.config, network.spec
    shape = (spec.frames, spec.size, spec.size, 3)
    pixels = keras.Input(shape)
    tensor = FrameWise(network.pool)(FrameWise(network.backbone)(pixels))
    for place, units in enumerate(config.lstm):
        tensor = layers.LSTM(units, return_sequences=place < len(config.lstm) - 1)(tensor)
    for units in config.dense:
        tensor = layers.Dense(units, activation="relu")(tensor)
    model = keras.Model(pixels, layers.Dense(len(network.classes), activation="softmax")(tensor))
    call = tf.function(lambda inputs: model(inputs, training=False))
    concrete = call.get_concrete_function(tf.TensorSpec((1, *shape), tf.float32))
    _, frozen = convert_variables_to_constants_v2_as_graph(concrete)
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(frozen, name="")
        options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        options["output"] = "none"
        profile = tf.compat.v1.profiler.profile(
            graph=graph, run_meta=tf.compat.v1.RunMetadata(), cmd="op", options=options
        )
    return int(profile.total_float_ops)
