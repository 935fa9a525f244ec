"""Keras' example "Video Classification with a CNN-RNN Architecture" as a peer: its network, with random weights.

InceptionV3 makes 2,048 numbers of each of 20 frames, two GRUs of 16 and 8 units and two dense layers classify them.
Speed and operations do not depend on weights; accuracy would, so nothing here is ever evaluated.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

SIZE = 224
FRAMES = 20
FEATURES = 2048
CLASSES = 5


def build_cnn_rnn() -> tuple[keras.Model, keras.Model]:
    """(extractor, classifier) of the example.

    extractor: pixels float32 [n, 224, 224, 3], RGB in 0..255 -> features [n, 2048].
    classifier: features [batch, 20, 2048] -> probabilities [batch, 5]; 99,909 parameters. The example's mask for
    shorter videos is left out, and the GRUs are unrolled: the same numbers for 20 frames.
    """
    import keras
    from keras import layers

    pixels = keras.Input((SIZE, SIZE, 3), name="pixels")
    scaled = layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    inception = keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg", input_shape=(SIZE, SIZE, 3)
    )
    features = keras.Input((FRAMES, FEATURES), name="features")
    state = layers.GRU(16, return_sequences=True, unroll=True)(features)
    state = layers.GRU(8, unroll=True)(state)
    state = layers.Dense(8, activation="relu")(layers.Dropout(0.4)(state))
    probabilities = layers.Dense(CLASSES, activation="softmax")(state)
    return (
        keras.Model(pixels, inception(scaled), name="extractor"),
        keras.Model(features, probabilities, name="classifier"),
    )


def write_cnn_rnn(folder: str) -> dict[str, int]:
    """In a fresh process: writes extractor.onnx and classifier.onnx. Returns MACs of a "frame" and of a "sequence"."""
    from exerlitenet.training.keras import import_keras

    import_keras()
    from exerlitenet.export.export import to_onnx
    from exerlitenet.training.networks.operations import count

    extractor, classifier = build_cnn_rnn()
    to_onnx(extractor, Path(folder) / "extractor.onnx")
    to_onnx(classifier, Path(folder) / "classifier.onnx")
    frame = count(extractor).macs
    return {"frame": frame, "sequence": FRAMES * frame + count(classifier).macs}
