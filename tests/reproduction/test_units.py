"""Units and measures of the study: shuffled frames, what is kept, and sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.datasets.augment import Ranges
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.datasets.windows import PLAIN, ClipSequence, FrameOrder, SequencePixels
from exerlitenet.errors import InputError
from exerlitenet.reproduction.measures import measure
from exerlitenet.reproduction.systems import LEARNERS
from exerlitenet.reproduction.units import Unit, is_finished, read_unit
from exerlitenet.training.cnn_lstm import network as cnn_lstm
from exerlitenet.training.registry import describe_model
from exerlitenet.video.sequence import SequenceSpec
from tiny_study import tiny_plan, without_large_weights

pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CONFIGURATIONS = {learner.name: learner.configuration() for learner in LEARNERS}


def pixels(order: FrameOrder, seed: int = 0) -> SequencePixels:
    rng = np.random.default_rng(0)
    stored = [StoredClip(rng.integers(0, 256, (15, 32, 32, 3), dtype=np.uint8), 1.0)]
    spec = SequenceSpec(frames=15, size=32)
    return SequencePixels([ClipSequence(0, 0, "squat", "g")] * 3, stored, spec, Ranges(), seed, order)


@pytest.mark.parametrize("item", [(0, PLAIN), (1, 0), (2, 7)])
def test_shuffled_frames_are_the_same_frames_in_another_order(item: tuple[int, int]) -> None:
    true, shuffled = (pixels(order).pixels(item) for order in ("true", "shuffled"))

    def keys(frames: Any) -> list[bytes]:
        return [frame.tobytes() for frame in frames]

    assert sorted(keys(true)) == sorted(keys(shuffled))
    assert keys(true) != keys(shuffled)
    np.testing.assert_array_equal(shuffled, pixels("shuffled").pixels(item))


def test_every_sequence_copy_and_seed_has_an_order_of_its_own() -> None:
    found = []
    for sequence, copy, seed in ((0, PLAIN, 0), (1, PLAIN, 0), (0, PLAIN, 1), (2, PLAIN, 0)):
        source = pixels("true", seed).pixels((sequence, copy))
        mixed = pixels("shuffled", seed).pixels((sequence, copy))
        place = {frame.tobytes(): number for number, frame in enumerate(source)}
        found.append(tuple(place[frame.tobytes()] for frame in mixed))
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("name", "parameters", "frame_macs"),
    [
        ("paper", 15_595_826, 54_896_576),
        ("single_frame", 4_560_306, 54_896_576),
        ("resnet50", 23_858_370, 3_855_925_248),
        ("vgg16", 27_765_762, 15_346_630_656),
    ],
)
def test_the_networks_of_the_study(name: str, parameters: int, frame_macs: int) -> None:
    """ResNet50's parameters are the paper's 96 MB in float32; each row is counted, not built by hand."""
    described = describe_model(CONFIGURATIONS[name])
    assert described.before.total == parameters
    assert described.frame.macs == frame_macs
    lstms = [layer for layer in described.layers if layer.name.startswith("lstm")]
    assert len(lstms) == (2 if name in ("paper", "vgg16") else 0)
    if name == "single_frame":
        assert parameters == 939_120 + (28_224 * 128 + 128) + (128 * 64 + 64) + (64 * 2 + 2)


def test_a_network_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn_lstm, "build_backbone", without_large_weights)
    config = tiny_plan().config(LEARNERS[0])
    file = tmp_path / "networks" / "paper.json"
    found = measure(config, file)
    assert found["total_parameters"] == found["parameters"]["total"] > 0
    assert found["forward_s"]["low"] <= found["forward_s"]["value"] <= found["forward_s"]["high"]
    # The profiler counts elementwise work too, but one step of each LSTM in place of all.
    recurrent = sum(layer["macs"] for layer in found["layers"] if layer["name"].startswith("lstm"))
    steps = config.sequence.frames
    assert found["profiler_flops"] >= found["flops_sequence"] - 2 * recurrent * (steps - 1) / steps
    monkeypatch.setattr(cnn_lstm, "build", lambda *_: pytest.fail("it was measured again"))
    assert measure(config, file) == found == json.loads(file.read_text())


def test_a_unit_without_its_files_is_said(tmp_path: Path) -> None:
    unit = Unit(LEARNERS[0], "group", 3)
    assert unit.name == "paper-group-3"
    assert not is_finished(unit, tmp_path)
    with pytest.raises(InputError, match=r"run\.json"):
        read_unit(unit, tmp_path)
