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
from exerlitenet.recognition.eyes import Eyes, encode_apart
from exerlitenet.recognition.follow import LET_GO_S, LOST_TICKS, Follower
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.results import Frame
from exerlitenet.video.sequence import prepare, sample, to_unit_range
from exerlitenet.video.view import look, whole_view


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> OnnxEngine:
    return OnnxEngine(load_bundle(write_bundle(tmp_path_factory.mktemp("m") / "f", spec=FOLLOW_SPEC)))


class Told:
    """An engine that keeps what it is asked, and sees joints where it is told."""

    name, classes, spec, phase_delay = "told", CLASSES, FOLLOW_SPEC, 0
    probabilities = (0.0, 0.0, 1.0)

    def __init__(self, joints: list[np.ndarray]) -> None:
        self.pixels: list[Floats] = []
        self.views: list[Floats] = []
        self._joints = iter(joints)

    def encode(self, pixels: Floats) -> Floats:
        raise AssertionError("a model that follows is asked where it looks")

    def look(self, pixels: Floats, views: Floats) -> tuple[Floats, Floats]:
        self.pixels.append(pixels)
        self.views.append(views)
        return np.full((1, 4), len(self.views), np.float32), next(self._joints)[None]

    def judge(self, windows: Floats) -> tuple[Floats, Floats | None]:
        return np.array([self.probabilities], np.float32), None


def test_each_frame_is_seen_where_the_one_before_says() -> None:
    rng = np.random.default_rng(0)
    said = [rng.random((13, 6)).astype(np.float32) for _ in range(8)]
    engine, eyes, follower = Told(said), None, Follower()
    eyes = Eyes(engine)
    assert (eyes.view, eyes.joints) == (None, None)
    for number, frame in enumerate(noise(8, (64, 48)), 1):
        feature = eyes.encode(frame)
        view = follower.view(48, 64)
        follower.see(said[number - 1])
        assert eyes.view == view
        np.testing.assert_array_equal(eyes.joints, said[number - 1])
        np.testing.assert_array_equal(engine.views[-1], view.to_array()[None])
        np.testing.assert_array_equal(engine.pixels[-1], to_unit_range(look(frame, view, 32))[None])
        assert feature.tolist() == [number] * 4
    assert len({tuple(view[0]) for view in engine.views}) == 8


def test_light_is_followed_through_the_picture(following: OnnxEngine) -> None:
    eyes = Eyes(following)
    for tick in range(30):
        x = -0.5 + 0.03 * tick
        feature = eyes.encode(spot(x, 0.1, 96, 160, 0.24))
        view, joints = eyes.view, eyes.joints
        assert view is not None
        assert joints is not None
        np.testing.assert_allclose(feature[3:6], view.to_array(), atol=1e-6)
        middle = view.to_picture((joints[:, :2] - JOINTS).mean(axis=0))
        np.testing.assert_allclose(middle, (x, 0.1), atol=0.08)
    assert view.side < 0.6 * whole_view(96, 160).side
    for _ in range(LOST_TICKS + 1):
        eyes.encode(np.zeros((96, 160, 3), np.uint8))
    assert eyes.view == whole_view(96, 160)


def test_a_model_that_does_not_follow_has_no_view(tmp_path: Path) -> None:
    for aspect in ("squash", "pad"):
        spec = replace(SPEC, aspect=aspect)
        engine = OnnxEngine(load_bundle(write_bundle(tmp_path / aspect, spec=spec)))
        eyes = Eyes(engine)
        for frame in noise(3, (50, 40)):
            wanted = engine.encode(to_unit_range(prepare(frame, spec))[None])[0]
            np.testing.assert_array_equal(eyes.encode(frame), wanted)
        assert (eyes.view, eyes.joints) == (None, None)


def test_frames_apart_are_each_the_first_of_a_stream(following: OnnxEngine) -> None:
    frames = np.stack([spot(-0.3 + 0.05 * k, 0, 80, 80, 0.24) for k in range(6)])
    found = encode_apart(following, frames)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.stack([Eyes(following).encode(frame) for frame in frames]))
    # The same frame in the middle of a stream is not looked at alike.
    eyes = Eyes(following)
    followed = np.stack([eyes.encode(frame) for frame in frames])
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
    eyes, let_go_s, features = Eyes(following), 0.0, []
    for tick, rgb in enumerate(chosen):
        if tick / FOLLOW_SPEC.rate - let_go_s >= LET_GO_S - 1e-6:
            eyes.let_go()
            let_go_s = tick / FOLLOW_SPEC.rate
        features.append(eyes.encode(rgb))
    features = np.stack(features)
    wanted = [following.judge(features[end - 15 : end][None])[0][0] for end in range(15, 24)]
    np.testing.assert_allclose([[p.probabilities[c] for c in CLASSES] for p in alone], wanted, atol=1e-5)
    first, second = recognizer.state(), recognizer.state()
    together = []
    for mine, theirs in zip(frames, frames_of(others, 15), strict=True):
        together += first.push(mine)
        second.push(theirs)
    assert together == alone


def test_while_no_set_runs_the_whole_picture_is_seen_now_and_then() -> None:
    """Furniture that is taken for a person does not hold the view for ever; a set that runs is left in peace."""
    chair = np.zeros((13, 6), np.float32)
    chair[:, :2], chair[:, 2] = np.random.default_rng(0).uniform(0.4, 0.6, (13, 2)), 1
    engine = Told([chair] * 400)
    state = Recognizer(engine).state()
    period_s = 1 / FOLLOW_SPEC.rate
    whole = whole_view(48, 64).to_array()

    def seen_whole(ticks: range) -> list[bool]:
        first = len(engine.views)
        for tick in ticks:
            state.push(Frame(tick * period_s, np.zeros((48, 64, 3), np.uint8)))
        return [np.array_equal(view[0], whole) for view in engine.views[first:]]

    resting = seen_whole(range(100))
    assert sum(resting) == pytest.approx(100 * period_s / LET_GO_S, abs=2)
    engine.probabilities = (1.0, 0.0, 0.0)
    seen_whole(range(100, 150))  # a set begins
    assert not any(seen_whole(range(150, 200)))
    engine.probabilities = (0.0, 0.0, 1.0)
    seen_whole(range(200, 250))  # and ends
    assert any(seen_whole(range(250, 280)))
