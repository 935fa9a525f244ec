"""How a stream is looked at: prepared as the model wants it, and for one that follows, where it saw a person last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bundles import CLASSES, FOLLOW_SPEC, JOINTS, SPEC, CountingEngine, frames_of, write_bundle
from clips import noise, spot
from exerlitenet.recognition.bundle import load_bundle
from exerlitenet.recognition.engine import Floats
from exerlitenet.recognition.follower import LOST_TICKS, Follower
from exerlitenet.recognition.frame_encoder import FrameEncoder, encode_whole
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.predictor import RESET_S
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.results import Frame
from exerlitenet.video.crop import crop_picture, whole_crop
from exerlitenet.video.sequence import prepare, sample, to_unit_range


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> OnnxEngine:
    return OnnxEngine(load_bundle(write_bundle(tmp_path_factory.mktemp("m") / "f", spec=FOLLOW_SPEC)))


class Scripted:
    """An engine that keeps what it is asked, and finds joints where the test puts them."""

    name, classes, spec, phase_delay = "scripted", CLASSES, FOLLOW_SPEC, 0
    probabilities = (0.0, 0.0, 1.0)

    def __init__(self, joints: list[np.ndarray]) -> None:
        self.pixels: list[Floats] = []
        self.views: list[Floats] = []
        self._joints = iter(joints)

    def encode(self, pixels: Floats) -> Floats:
        raise AssertionError("a model that follows is asked where it looks")

    def encode_crops(self, pixels: Floats, views: Floats) -> tuple[Floats, Floats]:
        self.pixels.append(pixels)
        self.views.append(views)
        return np.full((1, 4), len(self.views), np.float32), next(self._joints)[None]

    def classify(self, windows: Floats) -> tuple[Floats, Floats | None]:
        return np.array([self.probabilities], np.float32), None


def test_each_frame_is_seen_where_the_one_before_says() -> None:
    rng = np.random.default_rng(0)
    said = [rng.random((13, 6)).astype(np.float32) for _ in range(8)]
    engine, follower = Scripted(said), Follower()
    encoder = FrameEncoder(engine)
    assert (encoder.crop, encoder.joints) == (None, None)
    for number, frame in enumerate(noise(8, (64, 48)), 1):
        feature = encoder.encode(frame)
        view = follower.crop(48, 64)
        follower.update(said[number - 1])
        assert encoder.crop == view
        np.testing.assert_array_equal(encoder.joints, said[number - 1])
        np.testing.assert_array_equal(engine.views[-1], view.to_array()[None])
        np.testing.assert_array_equal(engine.pixels[-1], to_unit_range(crop_picture(frame, view, 32))[None])
        assert feature.tolist() == [number] * 4
    assert len({tuple(view[0]) for view in engine.views}) == 8


def test_light_is_followed_through_the_picture(following: OnnxEngine) -> None:
    encoder = FrameEncoder(following)
    for tick in range(30):
        x = -0.5 + 0.03 * tick
        feature = encoder.encode(spot(x, 0.1, 96, 160, 0.24))
        view, joints = encoder.crop, encoder.joints
        assert view is not None
        assert joints is not None
        np.testing.assert_allclose(feature[3:6], view.to_array(), atol=1e-6)
        middle = view.to_picture((joints[:, :2] - JOINTS).mean(axis=0))
        np.testing.assert_allclose(middle, (x, 0.1), atol=0.08)
    assert view.side < 0.6 * whole_crop(96, 160).side
    for _ in range(LOST_TICKS + 1):
        encoder.encode(np.zeros((96, 160, 3), np.uint8))
    assert encoder.crop == whole_crop(96, 160)


def test_a_model_that_does_not_follow_has_no_view(tmp_path: Path) -> None:
    for aspect in ("squash", "pad"):
        spec = replace(SPEC, aspect=aspect)
        engine = OnnxEngine(load_bundle(write_bundle(tmp_path / aspect, spec=spec)))
        encoder = FrameEncoder(engine)
        for frame in noise(3, (50, 40)):
            wanted = engine.encode(to_unit_range(prepare(frame, spec))[None])[0]
            np.testing.assert_array_equal(encoder.encode(frame), wanted)
        assert (encoder.crop, encoder.joints) == (None, None)


def test_frames_apart_are_each_the_first_of_a_stream(following: OnnxEngine) -> None:
    frames = np.stack([spot(-0.3 + 0.05 * k, 0, 80, 80, 0.24) for k in range(6)])
    found = encode_whole(following, frames)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(
        found, np.stack([FrameEncoder(following).encode(frame) for frame in frames])
    )
    # The same frame in the middle of a stream is not looked at alike.
    encoder = FrameEncoder(following)
    followed = np.stack([encoder.encode(frame) for frame in frames])
    np.testing.assert_array_equal(followed[0], found[0])
    assert not np.allclose(followed[3], found[3])


def test_a_recogniser_looks_at_every_chosen_frame_once_and_streams_do_not_meet(following: OnnxEngine) -> None:
    pictures = [spot(0.4 * np.sin(k / 9), 0, 60, 80, 0.24) for k in range(45)]
    others = [spot(0.4 * np.cos(k / 5), 0.2, 60, 80, 0.24) for k in range(45)]
    engine = CountingEngine(following)
    recognizer = Recognizer(engine)
    frames = frames_of(pictures, 15)
    alone = list(recognizer.stream(frames))
    chosen = [frame.rgb for frame in sample(frames, FOLLOW_SPEC.rate)]
    assert engine.encoded == len(chosen) == 23
    encoder, reset_s, features = FrameEncoder(following), 0.0, []
    for tick, rgb in enumerate(chosen):
        if tick / FOLLOW_SPEC.rate - reset_s >= RESET_S - 1e-6:
            encoder.reset()
            reset_s = tick / FOLLOW_SPEC.rate
        features.append(encoder.encode(rgb))
    features = np.stack(features)
    wanted = [following.classify(features[end - 15 : end][None])[0][0] for end in range(15, 24)]
    np.testing.assert_allclose([[p.probabilities[c] for c in CLASSES] for p in alone], wanted, atol=1e-5)
    first, second = recognizer.tracker(), recognizer.tracker()
    together = []
    for mine, theirs in zip(frames, frames_of(others, 15), strict=True):
        together += first.push(mine).predictions
        second.push(theirs)
    assert together == alone


def test_while_no_set_runs_the_whole_picture_is_seen_now_and_then() -> None:
    """Furniture that is taken for a person does not hold the view for ever; a set that runs is left in peace."""
    chair = np.zeros((13, 6), np.float32)
    chair[:, :2], chair[:, 2] = np.random.default_rng(0).uniform(0.4, 0.6, (13, 2)), 1
    engine = Scripted([chair] * 400)
    tracker = Recognizer(engine).tracker()
    period_s = 1 / FOLLOW_SPEC.rate
    whole = whole_crop(48, 64).to_array()

    def seen_whole(ticks: range) -> list[bool]:
        first = len(engine.views)
        for tick in ticks:
            tracker.push(Frame(tick * period_s, np.zeros((48, 64, 3), np.uint8)))
        return [np.array_equal(view[0], whole) for view in engine.views[first:]]

    resting = seen_whole(range(100))
    assert sum(resting) == pytest.approx(100 * period_s / RESET_S, abs=2)
    engine.probabilities = (1.0, 0.0, 0.0)
    seen_whole(range(100, 150))  # a set begins
    assert not any(seen_whole(range(150, 200)))
    engine.probabilities = (0.0, 0.0, 1.0)
    seen_whole(range(200, 250))  # and ends
    assert any(seen_whole(range(250, 280)))
