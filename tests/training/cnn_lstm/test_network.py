"""The network: the paper's counts, its parts against the whole, and what goes into the bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.training.cnn_lstm.network import (
    Network,
    build,
    encoder,
    sequence_head,
    set_trainable,
    trainable_layers,
    training_parts,
)
from exerlitenet.training.config import ModelConfig, load_config
from exerlitenet.video.sequence import SequenceSpec

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPEC = SequenceSpec(frames=4, size=64)
SMALL = ModelConfig(lstm=(8, 6), dense=(5,))
BASELINE = ModelConfig(
    temporal="none", pooling="average", lstm=(), dropout=(), dense=(16, 8), dense_dropout=0.0
)
CLASSES = ("biceps_curl", "squat", "none")


def shake(network: Network) -> None:
    """Random numbers in place of Keras' first weights, whose zeros and ones would hide mistakes.

    Batch norm takes its statistics from frames, or a random network would say the same of every picture.
    """
    rng = np.random.default_rng(0)
    for weight in network.full.weights:
        values = np.asarray(weight)
        if weight.name == "gamma":
            weight.assign(rng.uniform(0.8, 1.5, values.shape))
        elif values.ndim == 1 and "moving" not in weight.name:
            weight.assign(rng.normal(0, 0.3, values.shape))
    norms = [layer for layer in network.backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    network.backbone(frames_of(videos()), training=True)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum


def make(config: ModelConfig = SMALL) -> Network:
    network = build(config, SPEC, CLASSES, None)
    shake(network)
    return network


@pytest.fixture(scope="module")
def small() -> Network:
    return make()


@pytest.fixture(scope="module")
def baseline() -> Network:
    return make(BASELINE)


def videos(batch: int = 3) -> Any:
    """Clips that differ much, so that networks which ignore their input are found out."""
    rng = np.random.default_rng(0)
    colours = rng.random((batch, SPEC.frames, 1, 1, 3))
    noise = rng.random((batch, SPEC.frames, SPEC.size, SPEC.size, 3))
    return (0.7 * colours + 0.3 * noise).astype(np.float32)


def frames_of(video: Any) -> Any:
    return video.reshape(-1, *video.shape[2:])


def close(found: Any, expected: Any, atol: float = 1e-5) -> None:
    expected = np.asarray(expected)
    assert np.ptp(expected, axis=0).max() > 100 * atol  # otherwise any input would give this
    np.testing.assert_allclose(np.asarray(found), expected, atol=atol)


@pytest.fixture(scope="module")
def paper() -> Network:
    config = load_config("paper")
    return build(config.model, config.sequence, config.classes, None)


def test_the_papers_network_has_figure_4s_rows(paper: Network) -> None:
    rows = [(layer.name, layer.output.shape[1:], layer.count_params()) for layer in paper.full.layers]
    assert rows == [
        ("input_layer_1", (15, 224, 224, 3), 0),
        ("time_distributed", (15, 7, 7, 576), 939_120),
        ("time_distributed_1", (15, 28224), 0),
        ("lstm", (15, 128), 14_516_736),
        ("dropout", (15, 128), 0),
        ("lstm_1", (128,), 131_584),
        ("dropout_1", (128,), 0),
        ("dense", (64,), 8_256),
        ("dropout_2", (64,), 0),
        ("dense_1", (2,), 130),
    ]
    rates = [layer.rate for layer in paper.full.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.4, 0.3, 0.3]


@pytest.mark.parametrize(
    ("trainable", "learning", "held"),
    [("none", 14_656_706, 939_120), ("last:20", 15_007_442, 588_384), ("all", 15_583_714, 12_112)],
)
def test_the_papers_counts_before_and_after_unfreezing(
    paper: Network, trainable: str, learning: int, held: int
) -> None:
    set_trainable(paper, trainable)
    sizes = [
        sum(int(np.prod(weight.shape)) for weight in weights)
        for weights in (paper.full.trainable_weights, paper.full.non_trainable_weights)
    ]
    assert sizes == [learning, held]


def test_probabilities_of_every_class(small: Network, baseline: Network) -> None:
    for network in (small, baseline):
        found = np.asarray(network.full(videos()))
        assert found.shape == (3, len(CLASSES))
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_the_papers_wrapper_gives_the_same_numbers_from_the_same_weights(small: Network) -> None:
    wrapped = build(replace(SMALL, time_distributed=True), SPEC, CLASSES, None)
    assert isinstance(wrapped.full.get_layer("time_distributed"), keras.layers.TimeDistributed)
    assert [weight.path for weight in wrapped.full.weights] == [weight.path for weight in small.full.weights]
    wrapped.full.set_weights(small.full.get_weights())
    close(wrapped.full(videos()), small.full(videos()))


def test_the_head_on_the_backbones_features_is_the_whole(small: Network, baseline: Network) -> None:
    for network in (small, baseline):
        video = videos()
        maps = np.asarray(network.backbone(frames_of(video)))
        close(network.head(maps.reshape(3, SPEC.frames, *maps.shape[1:])), network.full(video))


@pytest.mark.parametrize("trainable", ["none", "last:3", "last:20", "all"])
def test_kept_parts_and_learning_parts_make_the_whole(small: Network, trainable: str) -> None:
    fixed, learning = training_parts(small, trainable)
    set_trainable(small, trainable)
    video = videos()
    if fixed is None:
        inputs: Any = video
    else:
        kept = fixed(frames_of(video))
        apart = [np.asarray(tensor).reshape(3, SPEC.frames, *tensor.shape[1:]) for tensor in _list(kept)]
        inputs = apart if isinstance(kept, list) else apart[0]
        assert not fixed.trainable_weights or trainable != "none"
    close(learning(inputs), small.full(video))
    learns = {weight.path for weight in learning.trainable_weights}
    assert learns == {weight.path for weight in small.full.trainable_weights}
    set_trainable(small, "none")


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def test_only_the_last_layers_learn_and_statistics_are_held() -> None:
    network = make()
    assert set_trainable(network, "last:20") == 20
    before = {weight.path: np.array(weight) for weight in network.full.weights}
    network.full.compile(keras.optimizers.SGD(0.5), "categorical_crossentropy", run_eagerly=True)
    network.full.train_on_batch(videos(), np.eye(3, dtype=np.float32))
    moved = {
        weight.path for weight in network.full.weights if not np.array_equal(weight, before[weight.path])
    }
    last = {weight.path for layer in network.backbone.layers[-20:] for weight in layer.weights}
    of_backbone = {weight.path for weight in network.backbone.weights}
    assert moved & of_backbone
    assert moved & of_backbone <= last
    assert any(path.endswith("gamma") for path in moved)
    assert not any("moving" in path for path in moved)
    assert any("lstm/kernel" in path for path in moved)


@pytest.mark.parametrize("trainable", ["last:158", "last:-1", "last", "half", ""])
def test_other_parts_are_refused(small: Network, trainable: str) -> None:
    with pytest.raises(InputError, match=r'"last:N" with N up to 157'):
        trainable_layers(small.backbone, trainable)


def test_encoder_and_sequence_head_are_the_whole(small: Network, baseline: Network) -> None:
    for network, width in ((small, 4 * 8), (baseline, len(CLASSES))):
        video = videos()
        codes = np.asarray(encoder(network)(frames_of(video)))
        assert codes.shape == (3 * SPEC.frames, width)
        found = sequence_head(network)(codes.reshape(3, SPEC.frames, width))
        close(found, network.full(video))


def test_a_baseline_is_the_mean_of_its_frames(baseline: Network) -> None:
    video = videos()
    alone = np.asarray(encoder(baseline)(frames_of(video))).reshape(3, SPEC.frames, -1)
    close(baseline.full(video), alone.mean(axis=1))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any, Any], Any]:
    """Runs a Keras model in ONNX Runtime."""
    pytest.importorskip("tf2onnx", reason="export needs tf2onnx")
    import onnxruntime

    def in_onnx(model: Any, inputs: Any) -> Any:
        path = tmp_path_factory.mktemp("onnx") / "model.onnx"
        model(inputs)  # Keras exports only what has been called
        model.export(path, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return session.run(None, {session.get_inputs()[0].name: inputs})[0]

    return in_onnx


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports by tf2onnx")
def test_both_graphs_agree_with_keras_in_onnx(small: Network, run: Callable[[Any, Any], Any]) -> None:
    video = videos()
    codes = run(encoder(small), frames_of(video))
    close(codes, encoder(small)(frames_of(video)), atol=1e-4)
    found = run(sequence_head(small), codes.reshape(3, SPEC.frames, -1))
    close(found, small.full(video))


def test_weights_come_back_into_a_new_network(small: Network, tmp_path: Path) -> None:
    path = tmp_path / "run.weights.h5"
    small.full.save_weights(path)
    again = build(SMALL, SPEC, CLASSES, None)
    assert not np.allclose(np.asarray(again.full(videos())), np.asarray(small.full(videos())))
    again.full.load_weights(path)
    np.testing.assert_array_equal(np.asarray(again.full(videos())), np.asarray(small.full(videos())))


def test_one_lstm_no_dropout_and_no_dense_layers() -> None:
    network = build(ModelConfig(lstm=(4,), dropout=(0.0,), dense=()), SPEC, CLASSES, None)
    names = [layer.name for layer in network.full.layers]
    assert names == ["input_layer_1", "time_distributed", "time_distributed_1", "lstm", "dense"]
    codes = np.random.default_rng(0).random((2, SPEC.frames, 16), np.float32)
    assert sequence_head(network)(codes).shape == (2, len(CLASSES))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        # 96 MB in the paper: ResNet50 without its top, average pooling, dense 128, 64, 2
        (replace(BASELINE, backbone="ResNet50", dense=(128, 64)), 23_858_370),
        (replace(BASELINE, dense=(128, 64)), 939_120 + 576 * 128 + 128 + 128 * 64 + 64 + 130),
        # 111 MB: VGG16 without its top and this LSTM on 7 x 7 x 512
        (ModelConfig(backbone="VGG16"), 14_714_688 + 4 * 128 * (25_088 + 128 + 1) + 131_584 + 8_256 + 130),
    ],
)
def test_the_papers_baselines_have_their_sizes(config: ModelConfig, expected: int) -> None:
    network = build(config, SequenceSpec(), ("biceps_curl", "squat"), None)
    assert network.full.count_params() == expected


def test_another_family_is_refused() -> None:
    with pytest.raises(InputError, match='kind "recurrent", got "posture"'):
        build(ModelConfig(kind="posture"), SPEC, CLASSES, None)
