from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from augmentations import NO_AUGMENTATION
from exerlitenet.datasets.augment import Ranges
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.datasets.windows import PLAIN, FrameOrder, SequencePixels, cut_sequences
from exerlitenet.errors import InputError
from exerlitenet.training.cnn_lstm import features
from exerlitenet.training.cnn_lstm.features import FeatureCache
from exerlitenet.video.crop import crop_picture, whole_crop
from exerlitenet.video.sequence import SequenceSpec, prepare

SPEC = SequenceSpec(frames=3, size=32)


def stored(ticks: int, seed: int, aspect: float = 1.5) -> StoredClip:
    rng = np.random.default_rng(seed)
    return StoredClip(rng.integers(0, 256, (ticks, 40, 40, 3), dtype=np.uint8), aspect)


STORED = [stored(10, 1), stored(2, 2), stored(7, 3)]
CLIPS = [Clip(Path(f"{n}.mp4"), label, f"g{n}") for n, label in enumerate(("squat", "biceps_curl", "squat"))]
SEQUENCES = cut_sequences(CLIPS, STORED, SPEC.frames, 3)
ITEMS = [(i, copy) for copy in (PLAIN, 0, 1) for i in range(len(SEQUENCES))]


def make_pixels(
    spec: SequenceSpec = SPEC, ranges: Ranges | None = None, seed: int = 0, order: FrameOrder = "true"
) -> SequencePixels:
    return SequencePixels(SEQUENCES, STORED, spec, ranges or Ranges(speed=(0.8, 1.2)), seed, order)


class Means:
    """In place of a network: two tensors a frame, by NumPy, and a count of what was run."""

    def __init__(self, weight: float = 1.0, die_after: int | None = None) -> None:
        self.outputs = [SimpleNamespace(shape=(None, 3)), SimpleNamespace(shape=(None, 2, 2))]
        self.weight, self.die_after, self.calls = weight, die_after, 0

    def get_weights(self) -> list[Any]:
        return [np.array([self.weight], np.float32)]

    def predict_on_batch(self, frames: Any) -> list[Any]:
        if self.calls == self.die_after:
            raise KeyboardInterrupt
        self.calls += 1
        assert frames.dtype == np.float32
        assert frames.max() <= 1
        return [frames.mean((1, 2)) * self.weight, frames[:, :2, :2, 0] * self.weight]


def fill(folder: Path, fixed: Any, items: Any = ITEMS, done: Any = None) -> FeatureCache:
    return FeatureCache.open(folder, fixed, make_pixels(), items, SPEC.frames, done)


@pytest.fixture(autouse=True)
def _small_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "FRAMES_A_CALL", 12)  # 4 sequences
    monkeypatch.setattr(features, "CALLS_A_FLUSH", 2)


def test_clips_are_cut_as_windows_are() -> None:
    assert [(s.clip, s.start) for s in SEQUENCES] == [
        (0, 0),
        (0, 3),
        (0, 6),
        (0, 7),
        (1, 0),
        (2, 0),
        (2, 3),
        (2, 4),
    ]
    assert [s.label for s in SEQUENCES if s.clip == 1] == ["biceps_curl"]


def test_plain_pixels_are_those_of_evaluation() -> None:
    out = make_pixels().pixels((1, PLAIN))
    expected = np.stack([prepare(frame, SPEC) for frame in STORED[0].frames[3:6]])
    np.testing.assert_array_equal(out, expected)
    short = make_pixels().pixels((4, PLAIN))  # two ticks: the last frame is held
    np.testing.assert_array_equal(short[2], short[1])


def test_copies_differ_and_are_the_same_whenever_asked_for() -> None:
    pixels = make_pixels()
    first, again, other = pixels.pixels((0, 0)), pixels.pixels((0, 0)), pixels.pixels((0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (make_pixels(seed=1).pixels((0, 0)) != first).any()


def test_padding_restores_the_aspect() -> None:
    wide = make_pixels(SequenceSpec(frames=3, size=40, aspect="pad"), NO_AUGMENTATION)
    for item in ((0, PLAIN), (0, 0)):
        out = wide.pixels(item)
        lines = np.flatnonzero(out.any((0, 2, 3)))
        assert (lines[0], lines[-1]) == pytest.approx((6.5, 32.5), abs=1.5)  # 40 / 1.5 of 40 lines
        assert out[:, 20].any()
    frame = STORED[0].frames[0]
    restored = np.asarray(Image.fromarray(frame).resize((40, 27), Image.Resampling.BILINEAR))
    expected = crop_picture(restored, whole_crop(27, 40), 40)
    np.testing.assert_array_equal(wide.pixels((0, PLAIN))[0], expected)


def test_the_cache_gives_what_the_network_gives(tmp_path: Path) -> None:
    reported: list[int] = []
    found = fill(tmp_path / "cache", Means(), done=lambda done, total: reported.append(done))
    assert reported[-1] == len(ITEMS)
    pixels = make_pixels()
    for items in ([ITEMS[0]], [ITEMS[23], ITEMS[5]]):
        means, corners = found.inputs(items)
        frames = pixels.inputs(items)[0]
        assert means.dtype == np.float32
        np.testing.assert_allclose(means, frames.mean((2, 3)), rtol=1e-6)
        np.testing.assert_array_equal(corners, frames[:, :, :2, :2, 0])


def test_a_whole_cache_is_not_filled_again(tmp_path: Path) -> None:
    first = fill(tmp_path / "cache", Means())
    fixed = Means()
    again = fill(tmp_path / "cache", fixed)
    assert fixed.calls == 0
    np.testing.assert_array_equal(first.inputs(ITEMS)[0], again.inputs(ITEMS)[0])


def test_a_fill_that_was_killed_continues(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "cache", Means(die_after=5))
    fixed = Means()
    resumed = fill(tmp_path / "cache", fixed)
    assert fixed.calls == 2  # six calls in all; four were marked as done
    whole = fill(tmp_path / "other", Means())
    for mine, theirs in zip(resumed.inputs(ITEMS), whole.inputs(ITEMS), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_other_weights_or_items_make_another_cache(tmp_path: Path) -> None:
    fill(tmp_path / "cache", Means())
    doubled = fill(tmp_path / "cache", Means(weight=2.0))
    np.testing.assert_allclose(
        doubled.inputs(ITEMS)[0], 2 * fill(tmp_path / "other", Means()).inputs(ITEMS)[0]
    )
    fixed = Means(weight=2.0)
    fewer = fill(tmp_path / "cache", fixed, ITEMS[3:7])
    assert fixed.calls == 1
    np.testing.assert_array_equal(fewer.inputs(ITEMS[4:6])[0], doubled.inputs(ITEMS[4:6])[0])


def test_runs_share_what_the_frozen_layers_give(tmp_path: Path) -> None:
    first = FeatureCache.shared(tmp_path, Means(), make_pixels(), 2, SPEC.frames)
    untouched = Means()
    shuffled = make_pixels(order="shuffled")
    second = FeatureCache.shared(tmp_path, untouched, shuffled, 2, SPEC.frames)
    assert untouched.calls == 0
    np.testing.assert_allclose(second.inputs(ITEMS)[0], shuffled.inputs(ITEMS)[0].mean((2, 3)), rtol=1e-6)
    assert (first.inputs(ITEMS)[0] != second.inputs(ITEMS)[0]).any()
    np.testing.assert_array_equal(first.shuffled().inputs(ITEMS)[0], second.inputs(ITEMS)[0])
    np.testing.assert_array_equal(make_pixels().shuffled().inputs(ITEMS)[0], shuffled.inputs(ITEMS)[0])
    # Another network or other copies lie beside it and leave it whole.
    for fixed, pixels in ((Means(weight=2.0), make_pixels()), (Means(), make_pixels(seed=1))):
        FeatureCache.shared(tmp_path, fixed, pixels, 2, SPEC.frames)
        assert fixed.calls > 0
    assert len(list(tmp_path.iterdir())) == 3
    again = FeatureCache.shared(tmp_path, untouched, make_pixels(), 2, SPEC.frames)
    assert untouched.calls == 0
    np.testing.assert_array_equal(again.inputs(ITEMS)[1], first.inputs(ITEMS)[1])


def test_too_little_room_is_said_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    fixed = Means()
    with pytest.raises(InputError, match="make room"):
        fill(tmp_path / "cache", fixed)
    assert fixed.calls == 0
