"""Operations and sizes against the paper's network, and against counts done by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="training needs Keras")

from exerlitenet.training.cnn_lstm.network import Network, build, encoder, sequence_head  # noqa: E402
from exerlitenet.training.config import ModelConfig  # noqa: E402
from exerlitenet.training.networks.layers import FrameWise, StillTimeDistributed  # noqa: E402
from exerlitenet.training.networks.operations import CONVENTION, Operations, Parameters, count, parameters  # noqa: E402
from exerlitenet.video.sequence import SequenceSpec  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def paper() -> Network:
    return build(ModelConfig(), SequenceSpec(), ("biceps_curl", "squat"), None)


@pytest.fixture(scope="module")
def counted(paper: Network) -> Operations:
    return count(paper)


def test_the_papers_network(paper: Network, counted: Operations) -> None:
    macs = {layer.name: layer.macs for layer in counted.layers}
    assert count(paper.backbone).macs == 54_896_576
    assert macs["time_distributed"] == 15 * 54_896_576
    assert macs["lstm"] == 15 * (28_224 + 128) * 512 == 217_743_360
    assert macs["lstm_1"] == 15 * (128 + 128) * 512 == 1_966_080
    assert (macs["dense"], macs["dense_1"]) == (128 * 64, 64 * 2)
    assert sum(macs[name] for name in ("dropout", "dropout_1", "dropout_2", "time_distributed_1")) == 0
    assert counted.macs == 1_043_166_400
    assert counted.flops == 2_086_332_800
    assert counted.parameters == 15_595_826


def test_the_streams_two_graphs_cost_what_the_whole_does(paper: Network, counted: Operations) -> None:
    assert 15 * count(encoder(paper)).macs + count(sequence_head(paper)).macs == counted.macs


def one(layer: Any, shape: tuple[int, ...]) -> int:
    inputs = keras.Input(shape)
    return count(keras.Model(inputs, layer(inputs))).macs


def test_layers_by_hand() -> None:
    """The paper's example in section 3 has 222 x 222 positions, kernels of 3 x 3 x 3 and 5 filters."""
    layers = keras.layers
    positions = 222 * 222
    assert one(layers.Conv2D(5, 3), (224, 224, 3)) == 6_653_340 == positions * 27 * 5
    assert one(layers.DepthwiseConv2D(3), (224, 224, 3)) == 1_330_668 == positions * 9 * 3
    assert one(layers.Conv2D(5, 1), (222, 222, 3)) == 739_260
    assert one(layers.SeparableConv2D(5, 3), (224, 224, 3)) == 2_069_928
    assert one(layers.Conv2D(8, 3, groups=4, padding="same"), (6, 6, 4)) == 36 * 9 * 8
    assert one(layers.Conv2D(8, 3, strides=2, padding="same"), (7, 7, 4)) == 16 * 9 * 4 * 8
    assert one(layers.Conv1D(6, 5, padding="causal"), (10, 3)) == 10 * 5 * 3 * 6
    assert one(layers.Dense(7), (4, 3)) == 4 * 3 * 7
    assert one(layers.LSTM(6), (5, 4)) == 5 * 4 * 6 * (4 + 6)
    assert one(layers.GRU(6), (5, 4)) == 5 * 3 * 6 * (4 + 6)
    for wrapper in (layers.TimeDistributed, FrameWise, StillTimeDistributed):
        assert one(wrapper(layers.Dense(7)), (4, 3)) == 4 * 3 * 7
        assert one(wrapper(layers.Conv2D(2, 3)), (5, 6, 6, 3)) == 5 * 16 * 27 * 2
    for free in (layers.BatchNormalization(), layers.LayerNormalization(), layers.ReLU(), layers.Flatten()):
        assert one(free, (6, 6, 4)) == 0


def test_nested_models_and_layers_called_twice_count_each_time() -> None:
    dense = keras.layers.Dense(4)
    inside = keras.Input((4,))
    nested = keras.Model(inside, dense(dense(inside)))
    outside = keras.Input((4,))
    twice = keras.Model(outside, nested(nested(outside)))
    assert count(nested).macs == 2 * 16
    assert count(twice).macs == 4 * 16
    assert count(twice).parameters == 20  # the weights are there once


def test_an_unknown_layer_with_weights_is_never_free() -> None:
    with pytest.raises(TypeError, match=r"no rule counts .* \(Embedding\)"):
        one(keras.layers.Embedding(10, 4), (3,))


def test_a_picture_of_any_size_has_no_count() -> None:
    inputs = keras.Input((None, None, 3))
    with pytest.raises(TypeError, match="fixed shapes"):
        count(keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs)))


def test_the_papers_sizes() -> None:
    """178 MB in the paper is a checkpoint: 179.6 MB before unfreezing, 182.4 MB after."""
    before = Parameters(trainable=14_656_706, non_trainable=939_120)
    after = Parameters(trainable=15_007_442, non_trainable=588_384)
    assert before.total == after.total == 15_595_826
    assert before.weights_bytes == after.weights_bytes == 62_383_304
    assert (before.checkpoint_bytes, after.checkpoint_bytes) == (179_636_952, 182_442_840)


def test_a_checkpoint_holds_what_kerass_adam_holds() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    model.layers[0].trainable = False
    adam = keras.optimizers.Adam()
    adam.build(model.trainable_variables)
    moments = [v for v in adam.variables if v.name not in ("iteration", "learning_rate")]
    held = sum(np.asarray(v).nbytes for v in (*model.weights, *moments))
    found = parameters(model)
    assert (found.trainable, found.non_trainable) == (8, 15)
    assert found.checkpoint_bytes == held


def test_the_convention_says_what_is_counted() -> None:
    for word in ("multiply-accumulate", "FLOPs = 2 x MAC", "not counted", "squeeze-excite", "float32"):
        assert word in CONVENTION
