"""A bundle at work: its numbers, and what does not run is reported in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bundles import (
    CURL,
    FOLLOW_SPEC,
    JOINTS,
    NOTHING,
    PHASE_DELAY,
    SPEC,
    SQUAT,
    still,
    write_bundle,
    write_encoder,
)
from clips import spot
from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import CARD, graph_of, load_bundle
from exerlitenet.recognition.engine import whole_squares
from exerlitenet.recognition.frame_encoder import encode_whole
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.video.crop import Crop, crop_picture
from exerlitenet.video.sequence import prepare, to_unit_range


def pixels_of(*colours: tuple[int, int, int]) -> np.ndarray:
    return to_unit_range(np.stack([prepare(still(colour), SPEC) for colour in colours]))


def test_frames_to_features(tmp_path: Path) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m")))
    features = engine.encode(pixels_of((255, 0, 51), (0, 102, 0)))
    assert features.dtype == np.float32
    np.testing.assert_allclose(features[:, :4], [[1, 0, 0.2, 0], [0, 0.4, 0, 0]], atol=1e-6)


def test_a_model_that_sees_no_joints_cannot_follow(tmp_path: Path) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m")))
    with pytest.raises(InputError, match=r'tiny finds no joints.*use aspect "squash" or "pad"'):
        engine.encode_crops(pixels_of(SQUAT), whole_squares(1))


def test_what_is_seen_in_views(tmp_path: Path) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m", spec=FOLLOW_SPEC)))
    picture = crop_picture(spot(0.25, -0.125, 64, 64), Crop(0, 0, 1), 32)
    pixels = to_unit_range(np.stack([picture, np.full_like(picture, 51), np.zeros_like(picture)]))
    views = np.array([[0.1, 0.2, 0.7], [-0.5, 0, 2], [0, 0, 1]], np.float32)
    features, joints = engine.encode_crops(pixels, views)
    assert (features.shape, joints.shape) == ((3, 8), (3, 13, 6))
    assert features.dtype == joints.dtype == np.float32
    np.testing.assert_allclose(features[:, 3:6], views, atol=1e-6)
    np.testing.assert_allclose(features[1, :3], 0.2, atol=1e-6)
    np.testing.assert_allclose(joints[0, :, :2], JOINTS + np.array([0.75, 0.375]), atol=0.01)
    np.testing.assert_allclose(joints[1, :, :2], JOINTS + 0.5, atol=1e-5)
    assert joints[:, 0, 2].tolist() == pytest.approx([joints[0, 0, 2], 1, 0], abs=1e-5)
    assert joints[0, 0, 2] > 0.5


def test_frames_alone_are_whole_squares(tmp_path: Path) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m", spec=FOLLOW_SPEC)))
    pixels = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)
    np.testing.assert_array_equal(engine.encode(pixels), engine.encode_crops(pixels, whole_squares(3))[0])
    assert engine.encode(pixels)[:, 3:6].tolist() == [[0, 0, 1]] * 3


def test_the_frames_of_a_sample_are_encoded_whole_though_the_model_follows(tmp_path: Path) -> None:
    """Following makes much of the last digit, which another processor rounds otherwise."""
    bundle = load_bundle(write_bundle(tmp_path / "m", spec=FOLLOW_SPEC))
    engine = OnnxEngine(bundle)
    assert bundle.sample is not None
    apart = engine.classify(encode_whole(engine, bundle.sample.frames())[None])[0][0]
    np.testing.assert_allclose(apart, bundle.sample.probabilities, atol=1e-5)
    wrong = replace(bundle.sample, probabilities=(0.2, 0.3, 0.5))
    with pytest.raises(InputError, match="stored sample's output"):
        OnnxEngine(replace(bundle, sample=wrong))


def test_names_that_an_encoder_with_views_does_not_have(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "m", spec=FOLLOW_SPEC))
    for changed in (
        replace(bundle.encoder, views="elsewhere"),
        replace(bundle.encoder, outputs={"projection": "features", "joints": "bones"}),
        replace(bundle.encoder, views=""),
    ):
        with pytest.raises(InputError, match=r"do not fit its card|finds no joints"):
            OnnxEngine(replace(bundle, encoder=changed))


def test_windows_to_probabilities_and_phase(tmp_path: Path) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m")))
    windows = np.stack([np.repeat(engine.encode(pixels_of(c)), 15, 0) for c in (SQUAT, CURL, NOTHING)])
    windows[0, 15 - 1 - PHASE_DELAY, 2] = 0.7
    probabilities, phase = engine.classify(windows)
    assert probabilities.argmax(1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert phase is not None
    assert phase.shape == (3, 15)
    np.testing.assert_allclose(phase[:, -1], [0.7, 0, 0], atol=1e-6)
    np.testing.assert_allclose(phase[:, :-1], 0, atol=1e-6)


def test_a_model_without_phase(tmp_path: Path) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m", phase=False)))
    assert engine.classify(np.zeros((2, 15, 8), np.float32))[1] is None
    assert engine.phase_delay == 0


def test_a_card_whose_sample_expects_something_else_is_refused(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "m")
    card = json.loads((folder / CARD).read_text())
    card["sample"]["probabilities"] = [0.1, 0.2, 0.7]
    (folder / CARD).write_text(json.dumps(card))
    bundle = load_bundle(folder)
    with pytest.raises(InputError, match=r"does not give its stored sample's output: expected \[0\.1"):
        OnnxEngine(bundle)
    OnnxEngine(bundle, check=False)


def test_another_number_of_classes_is_refused(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "m")
    card = json.loads((folder / CARD).read_text())
    card["sample"]["probabilities"] = [0.5, 0.5]
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(InputError, match="stored sample's output"):
        OnnxEngine(load_bundle(folder))


def test_a_card_with_a_class_too_many_is_refused_with_and_without_a_sample(tmp_path: Path) -> None:
    for sample in (True, False):
        bundle = load_bundle(write_bundle(tmp_path / str(sample), sample=sample))
        with pytest.raises(InputError, match="4 classes, but 3 probabilities"):
            OnnxEngine(replace(bundle, classes=(*bundle.classes, "lunge")))
        OnnxEngine(bundle)


def test_a_file_that_is_no_graph_is_named(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "m"))
    path = tmp_path / "m" / "encoder.onnx"
    path.write_bytes(b"this is no graph")
    broken = replace(bundle, encoder=graph_of(path, "pixels", {"projection": "features"}))
    with pytest.raises(InputError, match=r"encoder\.onnx is not an ONNX graph that runs here"):
        OnnxEngine(broken)


def test_graphs_of_another_size_do_not_fit_the_card(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "m"))
    path = tmp_path / "m" / "encoder.onnx"
    write_encoder(path, size=64)
    other = replace(bundle, encoder=graph_of(path, "pixels", {"projection": "features"}))
    with pytest.raises(InputError, match="do not fit its card"):
        OnnxEngine(other)


def test_outputs_that_the_graph_does_not_have_do_not_fit_the_card(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "m"))
    other = replace(bundle, encoder=replace(bundle.encoder, outputs={"projection": "nothing"}))
    with pytest.raises(InputError, match="do not fit its card"):
        OnnxEngine(other)
    without = replace(bundle, encoder=replace(bundle.encoder, outputs={}))
    with pytest.raises(InputError, match="do not fit its card"):
        OnnxEngine(without)


def test_messages_are_one_line(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "m"))
    other = replace(bundle, head=replace(bundle.head, input="nothing"))
    with pytest.raises(InputError) as fault:
        OnnxEngine(other)
    assert "\n" not in str(fault.value)
