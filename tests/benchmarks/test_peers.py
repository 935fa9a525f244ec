"""Peers: MediaPipe by a stand-in for its environment, Keras' example by tiny graphs."""

from __future__ import annotations

import os
import shutil
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks import peers
from bundles import write_bundle
from exerlitenet.benchmark.live import render_pictures
from exerlitenet.benchmark.measure import Measure, Unavailable
from exerlitenet.recognition.bundle import Bundle, load_bundle

# In place of MediaPipe: it finds a pose in every second frame, and talks as it works.
STAND_IN = """
import time

class Pose:
    def __init__(self, static_image_mode, model_complexity):
        assert not static_image_mode
        self.seen = 0

    def process(self, frame):
        assert frame.dtype.name == "uint8" and frame.shape[2] == 3
        print("a remark")
        time.sleep(0.001)
        self.seen += 1
        return type("Found", (), {"pose_landmarks": [1] if self.seen % 2 else None})

class solutions:
    class pose:
        Pose = Pose
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("peers") / "model"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the stand-in, and NumPy from here."""
    folder = tmp_path_factory.mktemp("mediapipe") / "environment"
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text(os.path.dirname(os.path.dirname(np.__file__)))
    model = packages / "mediapipe" / "modules" / "pose_landmark" / "pose_landmark_full.tflite"
    model.parent.mkdir(parents=True)
    model.touch()
    (packages / "mediapipe" / "__init__.py").write_text(STAND_IN)
    write_version(folder, peers.MEDIAPIPE)
    return folder


def write_version(environment: Path, version: str) -> None:
    [packages] = environment.glob("lib/python*/site-packages")
    about = packages / "mediapipe.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: mediapipe\nVersion: {version}\n")


@pytest.fixture
def installed(environment: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(peers.MEDIAPIPE_PYTHON, str(environment / "bin" / "python"))
    yield environment
    write_version(environment, peers.MEDIAPIPE)


def by_name(measures: list[Measure]) -> dict[str, Measure]:
    found = {measure.name: measure for measure in measures}
    assert len(found) == len(measures)
    return found


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system holds nobody to a core")
@pytest.mark.usefixtures("installed")
def test_mediapipe_and_a_live_frame_in_turn(bundle: Bundle) -> None:
    before = os.sched_getaffinity(0)
    done: list[float] = []
    found = by_name(
        peers.measure_mediapipe(bundle, quick=True, on_progress=lambda steps, total: done.append(steps))
    )
    name = "MediaPipe 0.10.21 Pose full"
    theirs, ours = found[f"{name}, one core"], found[f"live frame in turn with it, one core: {name}"]
    assert theirs.value >= 1
    assert theirs.repetitions == ours.repetitions == 4 * peers.FRAMES_A_BLOCK
    assert found[f"{name}, all cores"].value >= 1
    for ratio in (f"{name} / live frame, one core", f"{name} on all cores / live frame, one core"):
        assert found[ratio].repetitions == 4  # one a block
    assert found[f"{name}, frames with a pose"].value == 0.5
    assert done == sorted(done)
    assert done
    assert os.sched_getaffinity(0) == before


@pytest.mark.usefixtures("installed")
def test_a_model_that_is_not_in_the_wheel_is_reported_and_not_downloaded(bundle: Bundle) -> None:
    with pytest.raises(Unavailable, match=r"Pose lite did not run: pose_landmark_lite.tflite is not in"):
        peers.measure_mediapipe_lite(bundle, quick=True)


def test_mediapipe_that_is_missing_is_reported_with_how_to_get_it(
    bundle: Bundle, installed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    how = r"python3.11 -m venv X; X/bin/pip install mediapipe==0.10.21; export EXERLITENET_MEDIAPIPE_PYTHON="
    write_version(installed, "0.10.30")
    with pytest.raises(Unavailable, match=rf"has MediaPipe 0.10.30, expected 0.10.21: {how}"):
        peers.measure_mediapipe(bundle, quick=True)
    [packages] = installed.glob("lib/python*/site-packages")
    shutil.rmtree(packages / "mediapipe.dist-info")
    with pytest.raises(Unavailable, match=rf"has no MediaPipe, expected 0.10.21: {how}"):
        peers.measure_mediapipe(bundle, quick=True)
    monkeypatch.setenv(peers.MEDIAPIPE_PYTHON, str(tmp_path / "python"))
    with pytest.raises(Unavailable, match=rf"which does not run \(No such file or directory\): {how}"):
        peers.measure_mediapipe(bundle, quick=True)
    monkeypatch.delenv(peers.MEDIAPIPE_PYTHON)
    with pytest.raises(Unavailable, match=rf"needs an environment of its own: {how}"):
        peers.measure_mediapipe(bundle, quick=True)


def write_graph(
    path: Path, nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray], shape: list[int], end: list[int]
) -> None:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, ["n", *shape])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", *end])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def test_keras_example_takes_every_frame_of_a_sequence(bundle: Bundle, tmp_path: Path) -> None:
    axes = {"axes": np.array([1, 2], np.int64)}
    mean = helper.make_node("ReduceMean", ["in", "axes"], ["out"], keepdims=0)
    write_graph(tmp_path / "extractor.onnx", [mean], axes, [64, 64, 3], [3])
    end = helper.make_node("ReduceMean", ["in", "axes"], ["out"], keepdims=0)
    write_graph(tmp_path / "classifier.onnx", [end], {"axes": np.array([1], np.int64)}, [20, 3], [3])
    found = by_name(
        peers.time_keras_example(
            bundle,
            tmp_path,
            render_pictures(bundle.spec, quick=True),
            macs={"frame": 2_000_000, "sequence": 41_500_000},
            rounds=9,
        )
    )
    name = "Keras' CNN-RNN example, random weights, one thread"
    assert found[f"{name}: a sequence of 20 frames"].value > found[f"{name}: features of a frame"].value
    assert found[f"{name}: features of a frame / live frame"].repetitions == 9
    assert found[f"{name}: features of a frame, operations"].value == 2
    assert found[f"{name}: a sequence of 20 frames, operations"].value == 41.5


def test_keras_example_without_keras(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda name: None if name == "tf2onnx" else object())
    with pytest.raises(Unavailable, match=r"needs tf2onnx, not installed: pip install '.\[train\]'"):
        peers.measure_keras_example(bundle, quick=True)
