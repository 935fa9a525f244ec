"""Our layers against Keras' own: same numbers, same gradients, same weights."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="training needs Keras")

from exerlitenet.training.networks.layers import (  # noqa: E402
    FrameWise,
    InputProjection,
    ProjectedLSTM,
    Recurrence,
    StillTimeDistributed,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BATCH, FRAMES, FEATURES, UNITS = 3, 5, 11, 7


def sequences(seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(BATCH, FRAMES, FEATURES)).astype(np.float32)


def pair(return_sequences: bool) -> tuple[Any, Any]:
    """Keras' LSTM and ours with the same weights, all of them random."""
    theirs = keras.layers.LSTM(UNITS, return_sequences=return_sequences)
    ours = ProjectedLSTM(UNITS, return_sequences=return_sequences)
    theirs.build((None, FRAMES, FEATURES))
    ours.build((None, FRAMES, FEATURES))
    rng = np.random.default_rng(1)
    weights = [rng.normal(0, 0.5, weight.shape) for weight in theirs.weights]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return theirs, ours


@pytest.mark.parametrize("return_sequences", [True, False])
def test_projected_lstm_is_keras_lstm(return_sequences: bool) -> None:
    theirs, ours = pair(return_sequences)
    inputs = sequences()
    expected = np.asarray(theirs(inputs))
    assert ours(inputs).shape == ours.compute_output_shape(inputs.shape) == expected.shape
    np.testing.assert_allclose(np.asarray(ours(inputs)), expected, atol=1e-6)
    assert ours.count_params() == theirs.count_params() == 4 * UNITS * (FEATURES + UNITS + 1)


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes gradients by TensorFlow's tape")
def test_projected_lstm_has_the_gradients_of_keras_lstm(return_sequences: bool) -> None:
    import tensorflow as tf

    inputs = tf.constant(sequences())
    found = []
    for layer in pair(return_sequences):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.sin(3 * layer(inputs)))
        weights = [weight.value for weight in layer.trainable_weights]
        found.append([np.asarray(gradient) for gradient in tape.gradient(loss, [inputs, *weights])])
    assert all(np.abs(gradient).max() > 1e-3 for gradient in found[0])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_projected_lstm_starts_as_keras_lstm_does() -> None:
    layer = ProjectedLSTM(UNITS)
    layer.build((None, FRAMES, FEATURES))
    kernel, recurrent, bias = layer.get_weights()
    np.testing.assert_array_equal(bias, np.repeat([0.0, 1.0, 0.0, 0.0], UNITS))  # forget gates start open
    assert np.abs(kernel).max() <= np.sqrt(6 / (FEATURES + 4 * UNITS))  # Glorot's bound
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(UNITS), atol=1e-5)  # orthogonal


def test_projection_and_recurrence_share_the_layers_weights() -> None:
    _, lstm = pair(return_sequences=True)
    inputs = sequences()
    frames = inputs.reshape(-1, FEATURES)
    codes = np.asarray(InputProjection(lstm)(frames)).reshape(BATCH, FRAMES, 4 * UNITS)
    np.testing.assert_allclose(np.asarray(Recurrence(lstm)(codes)), np.asarray(lstm(inputs)), atol=1e-6)
    lstm.kernel.assign(lstm.kernel * 2)
    changed = np.asarray(InputProjection(lstm)(frames))
    assert not np.allclose(changed.reshape(codes.shape), codes)


@pytest.mark.parametrize("wrapper", [FrameWise, StillTimeDistributed])
def test_wrappers_apply_a_layer_to_every_frame_and_hold_batch_norm_still(wrapper: Any) -> None:
    inner = keras.Sequential(
        [keras.Input((6, 6, 3)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()]
    )
    norm = inner.layers[-1]
    norm.moving_mean.assign([0.1, 0.2, 0.3, 0.4])
    layer = wrapper(inner)
    video = np.random.default_rng(0).random((2, 5, 6, 6, 3), np.float32)
    expected = np.stack([[np.asarray(inner(frame[None]))[0] for frame in clip] for clip in video])
    for training in (False, True):
        keras_model = keras.Sequential([keras.Input(video.shape[1:]), layer])
        np.testing.assert_allclose(np.asarray(keras_model(video, training=training)), expected, atol=1e-6)
    np.testing.assert_allclose(np.asarray(norm.moving_mean), [0.1, 0.2, 0.3, 0.4])
    assert layer.compute_output_shape(video.shape) == expected.shape


def test_frame_wise_takes_several_inputs() -> None:
    first, second = keras.Input((3,)), keras.Input((2,))
    model = keras.Model([first, second], keras.layers.Concatenate()([first, second]))
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 4, 3), np.float32), rng.random((2, 4, 2), np.float32)
    np.testing.assert_array_equal(np.asarray(FrameWise(model)([a, b])), np.concatenate([a, b], axis=-1))


def test_layers_survive_saving_as_a_whole_model(tmp_path: Any) -> None:
    model = keras.Sequential(
        [
            keras.Input((FRAMES, 4, FEATURES)),
            FrameWise(keras.layers.Flatten()),
            ProjectedLSTM(UNITS, return_sequences=True),
            ProjectedLSTM(2),
        ]
    )
    path = tmp_path / "model.keras"
    model.save(path)
    inputs = np.random.default_rng(0).random((2, FRAMES, 4, FEATURES), np.float32)
    again = keras.saving.load_model(path)
    np.testing.assert_array_equal(np.asarray(again(inputs)), np.asarray(model(inputs)))


def test_importing_the_training_modules_does_not_import_keras() -> None:
    names = ("config", "loop", "summary", "registry", "networks.layers", "networks.backbone")
    names += ("networks.operations", "cnn_lstm.network", "posture.network")
    imports = "; ".join(f"import exerlitenet.training.{name}" for name in names)
    code = f"import sys; {imports}; print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_layer_is_an_attribute_error() -> None:
    import exerlitenet.training.networks.layers as module

    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = module.Nothing
