"""The equations of the paper's section 3, with their numbers, against the code that this package runs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from exerlitenet.training.networks.operations import count

keras = pytest.importorskip("keras", reason="training needs Keras")

from exerlitenet.training.networks.layers import ProjectedLSTM  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Floats = NDArray[np.float64]

# The example of the paper: a picture of 224 x 224 x 3, kernels of 3 x 3 x 3, 5 filters, no padding, stride 1.
N, F, CHANNELS, FILTERS = 224, 3, 3, 5
POSITIONS = 222 * 222


def output_size(n: int, f: int, p: int, s: int) -> int:
    """(n - f + 2 p) / s + 1, whole."""
    return (n - f + 2 * p) // s + 1


def macs(layer: Any, shape: tuple[int, ...]) -> int:
    inputs = keras.Input(shape)
    return count(keras.Model(inputs, layer(inputs))).macs


# Size of a convolution's output.


def test_size_of_the_papers_output() -> None:
    assert output_size(N, F, p=0, s=1) == 222
    shape = keras.layers.Conv2D(FILTERS, F).compute_output_shape((None, N, N, CHANNELS))
    assert shape == (None, 222, 222, FILTERS)


@given(n=st.integers(7, 40), f=st.integers(1, 7), p=st.integers(0, 3), s=st.integers(1, 3))
def test_size_of_any_output(n: int, f: int, p: int, s: int) -> None:
    padded = (None, n + 2 * p, n + 2 * p, 1)
    size = output_size(n, f, p, s)
    assert keras.layers.Conv2D(1, f, strides=s).compute_output_shape(padded) == (None, size, size, 1)


# Multiplications of a convolution and of a depthwise separable one.


def test_multiplications_of_the_papers_example() -> None:
    standard = macs(keras.layers.Conv2D(FILTERS, F), (N, N, CHANNELS))
    depthwise = macs(keras.layers.DepthwiseConv2D(F), (N, N, CHANNELS))
    pointwise = macs(keras.layers.Conv2D(FILTERS, 1), (222, 222, CHANNELS))
    assert standard == POSITIONS * F * F * CHANNELS * FILTERS == 6_653_340
    assert depthwise == POSITIONS * F * F * CHANNELS == 1_330_668
    assert pointwise == POSITIONS * CHANNELS * FILTERS == 739_260
    assert depthwise + pointwise == 2_069_928
    assert macs(keras.layers.SeparableConv2D(FILTERS, F), (N, N, CHANNELS)) == 2_069_928
    # 1 / filters + 1 / size^2 is what is left; the paper calls it the reduction, which is 0.689.
    assert Fraction(depthwise + pointwise, standard) == Fraction(1, FILTERS) + Fraction(1, F * F)
    assert round((depthwise + pointwise) / standard, 3) == 0.311
    assert round(1 - (depthwise + pointwise) / standard, 3) == 0.689


@given(filters=st.integers(1, 9), f=st.integers(1, 5), channels=st.integers(1, 6), n=st.integers(6, 20))
def test_a_separable_convolution_costs_the_stated_share(filters: int, f: int, channels: int, n: int) -> None:
    positions = output_size(n, f, 0, 1) ** 2
    standard = positions * f * f * channels * filters
    separable = positions * f * f * channels + positions * channels * filters
    assert Fraction(separable, standard) == Fraction(1, filters) + Fraction(1, f * f)


# Convolution by the rotated kernel, its forward pass and its three gradients (equations 3 to 7).


def convolution(image: Floats, kernel: Floats) -> Floats:
    """(I * K)(i, j) = sum over m, n of I(i - m, j - n) K(m, n), where the kernel lies wholly on the image."""
    f = kernel.shape[0]
    size = image.shape[0] - f + 1
    out = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            for m in range(f):
                for n in range(f):
                    out[i, j] += image[i + f - 1 - m, j + f - 1 - n] * kernel[m, n]
    return out


def correlation(image: Floats, kernel: Floats) -> Floats:
    """(I x K)(i, j) = sum over m, n of I(i + m, j + n) K(m, n)."""
    f = kernel.shape[0]
    size = image.shape[0] - f + 1
    return np.array(
        [[(image[i : i + f, j : j + f] * kernel).sum() for j in range(size)] for i in range(size)]
    )


def rotated(kernel: Floats) -> Floats:
    """By 180 degrees."""
    return kernel[::-1, ::-1]


def keras_conv(kernels: Floats, bias: Floats) -> Any:
    """kernels: [f, f, channels, filters]."""
    layer = keras.layers.Conv2D(kernels.shape[-1], kernels.shape[0])
    layer.build((None, 9, 9, kernels.shape[2]))
    layer.set_weights([kernels, bias])
    return layer


def test_a_convolution_is_a_correlation_with_the_rotated_kernel() -> None:
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(7, 7)), rng.normal(size=(3, 3))
    expected = convolution(image, kernel)
    np.testing.assert_allclose(correlation(image, rotated(kernel)), expected, atol=1e-12)
    assert np.abs(correlation(image, kernel) - expected).max() > 0.1  # the rotation matters
    # Keras' layer correlates, so given the rotated kernel it convolves.
    layer = keras_conv(rotated(kernel)[:, :, None, None].astype(np.float32), np.zeros(1, np.float32))
    found = np.asarray(layer(image[None, :, :, None].astype(np.float32)))[0, :, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes gradients by TensorFlow's tape")
def test_the_forward_pass_and_its_three_gradients() -> None:
    """Z_k = sum over c of X_c x K_ck + b_k; then with G = dL/dZ: dL/dK_ck = X_c x G_k, dL/db_k = sum of G_k,
    and dL/dX_c = sum over k of the full convolution of G_k with K_ck, which is a correlation with the rotated kernel.
    """
    import tensorflow as tf

    rng = np.random.default_rng(1)
    pixels, kernels = rng.normal(size=(7, 7, 2)), rng.normal(size=(3, 3, 2, 4))
    bias, towards = rng.normal(size=4), rng.normal(size=(5, 5, 4))
    layer = keras_conv(kernels, bias)
    inputs = tf.constant(pixels[None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
        loss = tf.reduce_sum(outputs * tf.constant(towards[None], tf.float32))  # so dL/dZ is `towards`
    gradients = tape.gradient(loss, [inputs, layer.kernel.value, layer.bias.value])
    by_inputs, by_kernels, by_bias = (np.asarray(gradient) for gradient in gradients)

    channels, filters = range(2), range(4)
    forward = np.stack(
        [sum(correlation(pixels[..., c], kernels[..., c, k]) for c in channels) + bias[k] for k in filters],
        -1,
    )
    np.testing.assert_allclose(np.asarray(outputs)[0], forward, atol=1e-4)
    for c in channels:
        for k in filters:
            np.testing.assert_allclose(
                by_kernels[..., c, k], correlation(pixels[..., c], towards[..., k]), atol=1e-4
            )
        padded = np.pad(towards, ((2, 2), (2, 2), (0, 0)))
        full = sum(correlation(padded[..., k], rotated(kernels[..., c, k])) for k in filters)
        np.testing.assert_allclose(by_inputs[0, ..., c], full, atol=1e-4)
    np.testing.assert_allclose(by_bias, towards.sum((0, 1)), atol=1e-4)


# Softmax and hard-swish.


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=5))
def test_softmax(values: list[float]) -> None:
    powers = np.exp(np.array(values))
    layer = keras.layers.Activation("softmax")
    found = np.asarray(layer(np.array([values], np.float32)))[0]
    np.testing.assert_allclose(found, powers / powers.sum(), atol=1e-5)
    assert found.sum() == pytest.approx(1, abs=1e-5)


def test_hard_swish() -> None:
    """z ReLU6(z + 3) / 6, as MobileNetV3 has it."""
    z = np.linspace(-6, 6, 97)
    expected = z * np.clip(z + 3, 0, 6) / 6
    np.testing.assert_allclose(
        np.asarray(keras.activations.hard_swish(z.astype(np.float32))), expected, atol=1e-5
    )
    assert expected[z <= -3].tolist() == [0.0] * int((z <= -3).sum())
    np.testing.assert_allclose(expected[z >= 3], z[z >= 3])


def test_the_backbone_uses_hard_swish() -> None:
    from exerlitenet.training.networks.backbone import build_backbone

    backbone = build_backbone("MobileNetV3Small", 32, None)
    place = [layer.name for layer in backbone.layers].index("conv_bn")
    before, after = (backbone.layers[place + k].output for k in (0, 1))
    part = keras.Model(before, after)
    z = np.random.default_rng(0).normal(0, 3, (1, *before.shape[1:])).astype(np.float32)
    np.testing.assert_allclose(np.asarray(part(z)), z * np.clip(z + 3, 0, 6) / 6, atol=1e-4)


# The LSTM's gates and states (equations 11 to 18).


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def lstm_by_the_equations(
    sequence: Floats, inputs: dict[str, Floats], states: dict[str, Floats], bias: dict[str, Floats]
) -> Floats:
    """h_t of every step, float64 [frames, units], gate by gate:

    f_t = sigmoid(W_f x_t + U_f h_(t-1) + b_f); i_t and o_t alike; c~_t = tanh(W_c x_t + U_c h_(t-1) + b_c);
    c_t = f_t c_(t-1) + i_t c~_t; h_t = o_t tanh(c_t).
    """
    units = len(bias["f"])
    hidden, cell = np.zeros(units), np.zeros(units)
    out = []
    for x in sequence:
        gate = {g: inputs[g] @ x + states[g] @ hidden + bias[g] for g in "ifco"}
        forget, enter, leave = (sigmoid(gate[g]) for g in "fio")
        cell = forget * cell + enter * np.tanh(gate["c"])
        hidden = leave * np.tanh(cell)
        out.append(hidden)
    return np.array(out)


@pytest.mark.parametrize("kind", ["ours", "keras"])
def test_the_lstm_follows_its_equations(kind: str) -> None:
    frames, features, units = 15, 11, 6
    rng = np.random.default_rng(2)
    inputs = {g: rng.normal(0, 0.5, (units, features)) for g in "ifco"}
    states = {g: rng.normal(0, 0.5, (units, units)) for g in "ifco"}
    bias = {g: rng.normal(0, 0.5, units) for g in "ifco"}
    sequence = rng.normal(size=(frames, features))
    layer = (ProjectedLSTM if kind == "ours" else keras.layers.LSTM)(units, return_sequences=True)
    layer.build((None, frames, features))
    layer.set_weights(
        [
            np.concatenate([inputs[g].T for g in "ifco"], axis=1),
            np.concatenate([states[g].T for g in "ifco"], axis=1),
            np.concatenate([bias[g] for g in "ifco"]),
        ]
    )
    found = np.asarray(layer(sequence[None].astype(np.float32)))[0]
    np.testing.assert_allclose(found, lstm_by_the_equations(sequence, inputs, states, bias), atol=1e-5)


def test_parameters_of_the_papers_lstms() -> None:
    for features, parameters in ((28_224, 14_516_736), (128, 131_584)):
        layer = ProjectedLSTM(128)
        layer.build((None, 15, features))
        assert layer.count_params() == 4 * 128 * (features + 128 + 1) == parameters
