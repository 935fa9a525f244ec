"""Live frames are timed as the recogniser runs them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bundles import FOLLOW_SPEC, SPEC, CountingEngine, still, write_bundle
from exerlitenet.benchmark import live
from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.benchmark.size import int8_bundle
from exerlitenet.benchmark.stopwatch import PARTS, LiveFrames, Stopwatch
from exerlitenet.recognition.bundle import Bundle, load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.video.sequence import SequenceSpec


@pytest.fixture(scope="module", params=[SPEC, FOLLOW_SPEC], ids=["squash", "follow"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    spec: SequenceSpec = request.param
    return load_bundle(write_bundle(tmp_path_factory.mktemp("live") / "model", spec=spec))


def test_every_frame_is_encoded_once_and_classified(bundle: Bundle) -> None:
    engine = CountingEngine(OnnxEngine(bundle))
    frames = LiveFrames(engine, [still((20, 200, 0)), still((200, 20, 0))])
    assert engine.encoded == SPEC.frames
    before = len(frames.whole)
    for _ in range(4):
        frames()
    assert engine.encoded == SPEC.frames + 4
    assert len(frames.whole) == before + 4
    for k, whole in enumerate(frames.whole):
        parts = [frames.parts[part][k] for part in PARTS]
        assert min(parts) > 0
        assert sum(parts) <= whole


def test_recomputing_encodes_the_frames_of_the_window_in_one_call(bundle: Bundle) -> None:
    calls: list[int] = []

    class Noting(CountingEngine):
        def encode_crops(self, pixels: np.ndarray, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            calls.append(len(pixels))
            return super().encode_crops(pixels, views)

        def encode(self, pixels: np.ndarray) -> np.ndarray:
            calls.append(len(pixels))
            return super().encode(pixels)

    frames = LiveFrames(Noting(OnnxEngine(bundle)), [still((20, 200, k)) for k in range(SPEC.frames)])
    calls.clear()
    frames.recompute_window()
    frames.recompute_window(3)
    assert calls == [SPEC.frames, 3]
    pixels, views = frames.stopwatch.prepared(SPEC.frames)
    assert pixels.shape == (SPEC.frames, SPEC.size, SPEC.size, 3)
    assert (views is not None) == (bundle.spec.aspect == "follow")
    # The same frames as were pushed: blue rises.
    blue = pixels[..., 2].max(axis=(1, 2))
    assert (np.diff(blue) > 0).all()
    # As many as asked for, though only a window is kept.
    assert len(frames.stopwatch.prepared(32)[0]) == 32


def test_windows_that_go_on_are_timed_too(bundle: Bundle) -> None:
    feature = np.ones(8, np.float32)

    class Windows:
        def push(self, feature: np.ndarray) -> tuple[np.ndarray, None]:
            return 2 * feature, None

    class GoingOn(CountingEngine):
        def streaming_head(self, first: np.ndarray) -> Windows | None:
            return Windows() if first.any() else None

    watch = Stopwatch(GoingOn(OnnxEngine(bundle)))
    assert watch.streaming_head(0 * feature) is None
    windows = watch.streaming_head(feature)
    assert windows is not None
    before_s = time.perf_counter()
    found, phase = windows.push(feature)
    assert (found == 2).all()
    assert phase is None
    assert before_s <= watch.classified_s[0] <= watch.classified_s[1] <= time.perf_counter()
    assert watch.classified_s != (0.0, 0.0)
    assert Stopwatch(CountingEngine(OnnxEngine(bundle))).streaming_head(feature) is None


def test_measures_of_a_live_frame_hang_together(bundle: Bundle) -> None:
    found = {measure.name: measure for measure in live.measure_live_frame(bundle, quick=True)}
    whole, window = found["live frame"], found["window of 15 recomputed"]
    parts = [found[f"live frame: {part}"] for part in PARTS]
    assert {measure.repetitions for measure in (whole, *parts)} == {live.FRAMES_A_ROUND * window.repetitions}
    assert whole.low is not None
    assert whole.low >= max(part.low or 0 for part in parts)
    assert found["live frame / window recomputed"].repetitions == window.repetitions


def test_a_window_as_long_as_the_papers_is_recomputed_too(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAPER_WINDOW", 5)
    found = {measure.name: measure for measure in live.measure_live_frame(bundle, quick=True)}
    assert {"window of 15 recomputed", "window of 5 recomputed"} <= set(found)
    ratio = found["live frame / window of 5 recomputed"]
    assert ratio.repetitions == found["live frame / window recomputed"].repetitions


def test_decoding_has_a_row_of_its_own(bundle: Bundle) -> None:
    [decoded] = live.measure_decoding(bundle, quick=True)
    assert decoded.name == "decode a JPEG of 84 x 48, apart"


def test_int8_is_the_same_model_in_another_folder(bundle: Bundle, tmp_path: Path) -> None:
    small = int8_bundle(bundle, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder.onnx", "head.onnx"]
    assert replace(small, folder=bundle.folder, encoder=bundle.encoder, head=bundle.head) == replace(
        bundle, sample=None
    )
    pixels = np.full((1, SPEC.size, SPEC.size, 3), 0.5, np.float32)
    engines = [OnnxEngine(one, check=False) for one in (bundle, small)]
    first, second = (engine.encode(pixels) for engine in engines)
    assert np.allclose(first, second, atol=0.02)
    assert len(live.measure_int8(bundle, quick=True)) == 2


def test_without_onnx_int8_is_reported_to_be_missing(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exerlitenet.benchmark.size.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"int8: needs onnx.*pip install"):
        int8_bundle(bundle, tmp_path)
