"""All windows of a clip in one call say what the recogniser says of the stream, tick for tick."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from exerlitenet.recognition.predictor import Predictor
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.results import Frame
from exerlitenet.training.posture.clip_features import predict_clip
from exerlitenet.training.posture.head import Head, HeadConfig, build_head, sequence_head
from exerlitenet.training.posture.head_data import Copy
from exerlitenet.training.posture.network import joint_features
from exerlitenet.video.sequence import SequenceSpec
from tiny_posture import CLASSES

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FRAMES, RATE = 6, 7.5
WHOLE = SequenceSpec(frames=FRAMES, rate=RATE, size=32)


@pytest.fixture(params=[0, 1, 3, 4], ids=lambda least: f"from {least or FRAMES} frames on")
def spec(request: pytest.FixtureRequest) -> SequenceSpec:
    return SequenceSpec(frames=FRAMES, rate=RATE, size=32, least_frames=request.param)


@pytest.fixture(scope="module", params=[0, 2], ids=["phase at once", "phase later"])
def head(request: pytest.FixtureRequest) -> Head:
    keras.utils.set_random_seed(5)
    head = build_head(HeadConfig(lstm=(8, 6), dense=5, phase_delay=request.param), FRAMES, 3)
    rng = np.random.default_rng(0)
    for weight in head.network.weights:  # so that windows differ clearly
        weight.assign(rng.normal(0, 0.8, weight.shape))
    return head


def copy_of(ticks: int) -> Copy:
    rng = np.random.default_rng(ticks)
    return Copy(
        rng.normal(0, 0.3, (ticks, 13, 6)).astype(np.float16),
        rng.normal(0, 1, (ticks, 128)).astype(np.float16),
        np.zeros(ticks, np.float32),
        np.zeros(ticks, np.bool_),
    )


class Engine:
    """The head's own streaming parts; picture number k stands for what was seen at tick k."""

    name, classes = "tiny", CLASSES

    def __init__(self, head: Head, copy: Copy, spec: SequenceSpec) -> None:
        from exerlitenet.training.networks.layers import InputProjection

        self.spec = spec
        self.phase_delay = head.config.phase_delay
        self._head = sequence_head(head)
        joints, context = keras.Input((13, 6)), keras.Input((128,))
        features = keras.ops.concatenate([joint_features(joints), context], axis=-1)
        project = InputProjection(head.network.get_layer("lstm"))
        self._encoder = keras.Model([joints, context], project(features))
        self._copy = copy

    def encode(self, pixels: Any) -> Any:
        [tick] = np.round(pixels[:, 0, 0, 0] * 255).astype(int)
        inputs = [self._copy.joints[[tick]], self._copy.context[[tick]]]
        return np.asarray(self._encoder.predict_on_batch([v.astype(np.float32) for v in inputs]))

    def encode_crops(self, pixels: Any, views: Any) -> Any:
        raise AssertionError("the spec does not follow")

    def classify(self, windows: Any) -> tuple[Any, Any]:
        out: Any = self._head.predict_on_batch(windows)
        return np.asarray(out["probabilities"]), np.asarray(out["phase"])


def streamed(head: Head, copy: Copy, spec: SequenceSpec) -> ClipPredictions:
    """The same clip frame by frame through the recogniser."""
    recognizer = Recognizer(Engine(head, copy, spec))
    state = Predictor(recognizer.engine)
    predictions, phases = [], []
    for k in range(len(copy.joints)):
        predictions += state.push(Frame(k / RATE, np.full((32, 32, 3), k, np.uint8)))
        phases += state.take_phases()
    predictions += state.finish()
    phases += state.take_phases()
    return ClipPredictions(predictions, phases, len(copy.joints) / RATE)


@pytest.mark.parametrize("ticks", [1, 2, FRAMES - 1, FRAMES, FRAMES + 1, 15])
def test_a_clip_predicted_whole_is_the_clip_as_a_stream(head: Head, spec: SequenceSpec, ticks: int) -> None:
    copy = copy_of(ticks)
    found, wanted = predict_clip(head, copy, CLASSES, spec), streamed(head, copy, spec)
    assert len(found.predictions) == len(wanted.predictions) == max(1, ticks - spec.first_window + 1)
    for mine, theirs in zip(found.predictions, wanted.predictions, strict=True):
        assert mine.time_s == pytest.approx(theirs.time_s, abs=1e-9)
        assert list(mine.probabilities) == list(CLASSES)
        assert mine.probabilities == pytest.approx(theirs.probabilities, abs=1e-5)
        assert mine.exercise == theirs.exercise
    assert [time_s for time_s, _ in found.phases] == pytest.approx([t for t, _ in wanted.phases], abs=1e-9)
    assert [time_s for time_s, _ in found.phases] == pytest.approx([k / RATE for k in range(ticks)])
    assert [phase for _, phase in found.phases] == pytest.approx([p for _, p in wanted.phases], abs=1e-5)
    assert found.end_s == pytest.approx(wanted.end_s)


def test_windows_and_phases_of_the_test_differ(head: Head) -> None:
    """Else the test above could not fail."""
    found = predict_clip(head, copy_of(25), CLASSES, WHOLE)
    assert np.ptp([p.probabilities["squat"] for p in found.predictions]) > 0.05
    assert np.ptp([phase for _, phase in found.phases]) > 0.05


def test_what_comes_later_changes_nothing_before(head: Head) -> None:
    copy = copy_of(20)
    shorter = replace(copy, joints=copy.joints[:15], context=copy.context[:15])
    long, short = (predict_clip(head, c, CLASSES, WHOLE) for c in (copy, shorter))
    for mine, theirs in zip(short.predictions, long.predictions, strict=False):
        assert mine.probabilities == pytest.approx(theirs.probabilities, abs=1e-5)
    sure = 15 - head.config.phase_delay
    assert [p for _, p in short.phases[:sure]] == pytest.approx([p for _, p in long.phases[:sure]], abs=1e-5)
