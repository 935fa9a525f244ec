"""Backbones: the range of their input, their weights, and where one divides into frozen and learning."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.training.networks.backbone import build_backbone, frozen_part

keras = pytest.importorskip("keras", reason="training needs Keras")

# NumPy 2's complaint about how TensorFlow's tensors become arrays, inside Keras.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = 64


def shake(model: Any, frames: Any, seed: int = 0) -> None:
    """Random numbers in place of Keras' first weights, whose zeros and ones would hide mistakes.

    Batch norm takes its statistics from frames, or a random network would say the same of every picture.
    """
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = np.asarray(weight)
        if weight.name == "gamma":
            weight.assign(rng.uniform(0.8, 1.5, values.shape))
        elif values.ndim == 1 and "moving" not in weight.name:
            weight.assign(rng.normal(0, 0.1, values.shape))
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0
    model(frames, training=True)


def pixels(seed: int = 0) -> Any:
    return np.random.default_rng(seed).random((2, SIZE, SIZE, 3), np.float32)


@pytest.fixture(scope="module")
def mobilenet() -> Any:
    backbone = build_backbone("MobileNetV3Small", SIZE, None)
    shake(backbone, pixels())
    return backbone


def close(first: Any, second: Any) -> None:
    first, second = np.asarray(first), np.asarray(second)
    assert np.std(second, axis=0).max() > 1e-4  # otherwise the input does not matter
    np.testing.assert_allclose(first, second, atol=1e-5 * np.abs(second).max(), rtol=1e-4)


def test_mobilenet_is_the_one_of_the_paper(mobilenet: Any) -> None:
    assert mobilenet.count_params() == 939_120
    assert mobilenet.output_shape == (None, SIZE // 32, SIZE // 32, 576)
    last = [layer.name for layer in mobilenet.layers[-20:]]
    assert last[0] == "expanded_conv_9_project_bn"
    assert "conv_1" in last


def test_weights_of_keras_give_keras_features_from_unit_range(mobilenet: Any, tmp_path: Path) -> None:
    """Keras' own network takes 0..255; ours takes [0,1] and must come to the same features."""
    keras.utils.set_random_seed(0)
    theirs = keras.applications.MobileNetV3Small(input_shape=(SIZE, SIZE, 3), include_top=False, weights=None)
    shake(theirs, pixels() * 255, seed=5)
    path = tmp_path / "mobilenet.weights.h5"
    theirs.save_weights(path)
    ours = build_backbone("MobileNetV3Small", SIZE, path)
    frames = pixels()
    close(ours(frames), theirs(frames * 255))
    assert not np.allclose(np.asarray(ours(frames)), np.asarray(mobilenet(frames)))


@pytest.mark.parametrize("name", ["ResNet50", "VGG16"])
def test_other_backbones_match_keras_preprocessing(name: str) -> None:
    ours = build_backbone(name, 32, "none")
    theirs = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(32, 32, 3))
    theirs.set_weights(ours.get_weights())
    frames = pixels()[:, :32, :32]
    prepared = getattr(keras.applications, name.lower()).preprocess_input(frames * 255)
    close(ours(frames), theirs(prepared))


@pytest.mark.parametrize("layers", [1, 3, 14, 20, 60, 155])
def test_lower_and_upper_part_make_the_whole(mobilenet: Any, layers: int) -> None:
    lower, upper = frozen_part(mobilenet, layers)
    frames = pixels()
    np.testing.assert_array_equal(np.asarray(upper(lower(frames))), np.asarray(mobilenet(frames)))
    inside = {id(layer) for layer in upper.layers}
    assert all(id(layer) in inside for layer in mobilenet.layers[-layers:])
    shared = {id(weight) for weight in mobilenet.weights}
    assert {id(weight) for weight in (*lower.weights, *upper.weights)} == shared


def test_the_papers_cut_passes_a_skip(mobilenet: Any) -> None:
    lower, upper = frozen_part(mobilenet, 20)
    assert [tuple(tensor.shape) for tensor in lower.outputs] == [(None, 2, 2, 96), (None, 2, 2, 96)]
    assert [tensor._keras_history.operation.name for tensor in lower.outputs] == [
        "expanded_conv_8_project_bn",
        "expanded_conv_9_project",
    ]
    trainable = sum(int(np.prod(weight.shape)) for weight in upper.trainable_weights)
    assert trainable == 350_736  # what unfreezing adds in the paper: 15,007,442 - 14,656,706


@pytest.mark.parametrize("layers", [0, -1, 156, 1000])
def test_a_cut_outside_the_network_is_refused(mobilenet: Any, layers: int) -> None:
    with pytest.raises(InputError, match=f"last 1 to 155 layers, got last:{layers}"):
        frozen_part(mobilenet, layers)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(InputError, match=r"MobileNetV3Small, ResNet50, VGG16, got 'VGG19'"):
        build_backbone("VGG19", SIZE, None)


def test_weights_that_are_missing_or_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no file .*absent\.weights\.h5"):
        build_backbone("MobileNetV3Small", SIZE, tmp_path / "absent.weights.h5")
    other = tmp_path / "notes.txt"
    other.write_text("weights")
    with pytest.raises(InputError, match=r"must end in \.weights\.h5"):
        build_backbone("MobileNetV3Small", SIZE, other)
    broken = tmp_path / "broken.weights.h5"
    broken.write_text("weights")
    with pytest.raises(InputError, match=r"broken\.weights\.h5 must hold weights of"):
        build_backbone("MobileNetV3Small", SIZE, broken)
    small = tmp_path / "small.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(small)
    with pytest.raises(InputError, match=r"small\.weights\.h5 must hold weights of .*MobileNetV3Small"):
        build_backbone("MobileNetV3Small", SIZE, small)


def test_a_download_that_fails_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"could not be downloaded; give a file with --weights") as caught:
        build_backbone("MobileNetV3Small", SIZE, "imagenet")
    assert "\n" not in str(caught.value)
