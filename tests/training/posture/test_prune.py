"""Units that never fire are zeroed, those that do are left alone, and the network says the same."""

from __future__ import annotations

import numpy as np
import pytest

from exerlitenet.training.posture.prune import silence_dead_units

keras = pytest.importorskip("keras", reason="training needs Keras")

UNITS = 6


def network() -> keras.Model:
    """One squeeze-and-excite block, named as in Keras' MobileNetV3; two of its units never fire."""
    layers = keras.layers
    pixels = keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(pixels)
    squeezed = layers.Conv2D(UNITS, 1, name="a_squeeze_excite_conv")(pooled)
    fired = layers.ReLU(name="a_squeeze_excite_relu")(squeezed)
    gate = layers.Conv2D(3, 1, activation="sigmoid", name="a_squeeze_excite_conv_1")(fired)
    model = keras.Model(pixels, layers.Multiply()([pixels, gate]))
    kernel, bias = model.get_layer("a_squeeze_excite_conv").get_weights()
    bias[[1, 4]] = -100.0
    model.get_layer("a_squeeze_excite_conv").set_weights([np.abs(kernel), bias])
    return model


def test_dead_units_are_zeroed_and_nothing_else_changes() -> None:
    keras.utils.set_random_seed(0)
    model = network()
    pictures = [np.random.default_rng(k).random((4, 8, 8, 3), np.float32) for k in range(3)]
    before = [model.predict_on_batch(batch) for batch in pictures]
    kept = [np.copy(w) for w in model.get_layer("a_squeeze_excite_conv").get_weights()]
    assert silence_dead_units(model, pictures) == 2
    for batch, said in zip(pictures, before, strict=True):
        np.testing.assert_allclose(model.predict_on_batch(batch), said, atol=1e-6)
    kernel, bias = model.get_layer("a_squeeze_excite_conv").get_weights()
    excite = model.get_layer("a_squeeze_excite_conv_1").get_weights()[0]
    dead = np.isin(np.arange(UNITS), [1, 4])
    assert not kernel[..., dead].any()
    assert not bias[dead].any()
    assert not excite[..., dead, :].any()
    np.testing.assert_array_equal(kernel[..., ~dead], kept[0][..., ~dead])
    assert excite[..., ~dead, :].any()


def test_a_network_without_such_blocks_is_left_as_it_is() -> None:
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.Conv2D(2, 1)(pixels))
    assert silence_dead_units(model, [np.zeros((1, 8, 8, 3), np.float32)]) == 0
