"""Copies of clips as the frame network sees them, and windows drawn from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.recognition.repetitions import ideal_phase
from exerlitenet.training import head_data
from exerlitenet.training.augment import Ranges
from exerlitenet.training.clips import Clip
from exerlitenet.training.frames import StoredClip
from exerlitenet.training.head_data import Copy, HeadWindows, encode_copies
from tiny_posture import CLASSES, posed

RATE = 7.5
RANGES = Ranges(speed=(0.75, 1.35), zoom=(0.9, 1.1), noise_chance=0.5)


class Brightness:
    """In place of the frame network: joints are a frame's mean colours, context counts the calls' frames."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def predict_on_batch(self, pixels: Any) -> dict[str, Any]:
        self.calls.append(len(pixels))
        colours = pixels.mean((1, 2))
        joints = np.tile(np.concatenate([colours, colours], 1)[:, None], (1, 13, 1))
        return {"joints": joints, "context": np.tile(pixels.mean((1, 2, 3))[:, None], (1, 128))}


def clips() -> tuple[list[StoredClip], list[Clip]]:
    stored = [posed(number, ticks).clip for number, ticks in enumerate((30, 7, 1, 50, 22))]
    labels = [
        Clip(Path(f"{n}.mp4"), CLASSES[n % 3], f"g{n}", extremes_s=(0.5, 1.5, 2.5))
        for n in range(len(stored))
    ]
    return stored, labels


def encode(folder: Path, network: Any = None, ranges: Ranges = RANGES, **options: Any) -> list[list[Copy]]:
    stored, labels = clips()
    options = {"copies": 2, "size": 32, "rate": RATE, "seed": 4} | options
    return encode_copies(network or Brightness(), stored, labels, ranges, folder, **options)


def same(mine: list[list[Copy]], theirs: list[list[Copy]]) -> None:
    for row, other in zip(mine, theirs, strict=True):
        for copy, wanted in zip(row, other, strict=True):
            for name in ("joints", "context", "phase", "known"):
                np.testing.assert_array_equal(getattr(copy, name), getattr(wanted, name))


def test_every_clip_has_its_copies_at_their_own_speeds(tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    network = Brightness()
    found = encode(tmp_path, network, progress=lambda n, total: done.append((n, total)))
    assert [len(row) for row in found] == [2] * 5
    assert done == [(n, 10) for n in range(1, 11)]
    assert set(network.calls) == {head_data.ENCODE_BATCH}, "one fixed size is what runs fast"
    lengths = [len(copy.joints) for copy in found[3]]
    assert lengths[0] != lengths[1]
    assert all(50 / 1.35 - 1 <= n <= 50 / 0.75 + 1 for n in lengths)
    copy = found[0][0]
    assert (copy.joints.dtype, copy.joints.shape[1:]) == (np.float16, (13, 6))
    assert (copy.context.dtype, copy.context.shape[1:]) == (np.float16, (128,))
    assert len(copy.joints) == len(copy.context) == len(copy.phase) == len(copy.known)
    assert len(found[2][0].joints) == 1


def test_without_augmentation_a_copy_is_the_clip(tmp_path: Path) -> None:
    found = encode(tmp_path, ranges=Ranges.none(), copies=1, size=40)
    stored, labels = clips()
    for [copy], clip, label in zip(found, stored, labels, strict=True):
        wanted = clip.frames.mean((1, 2)) / 255
        np.testing.assert_allclose(copy.joints[:, 0, :3], wanted, atol=1e-3)
        phase, known = ideal_phase(np.arange(clip.ticks) / RATE, label.extremes_s, clip.ticks / RATE)
        np.testing.assert_array_equal(copy.phase, phase)
        np.testing.assert_array_equal(copy.known, known)


def test_the_phase_runs_at_the_copys_speed(tmp_path: Path) -> None:
    fast = encode(tmp_path, ranges=replace(Ranges.none(), speed=(2.0, 2.0)), copies=1)
    slow = encode(tmp_path / "slow", ranges=Ranges.none(), copies=1)
    np.testing.assert_array_equal(fast[3][0].phase, slow[3][0].phase[::2])


def test_how_frames_share_calls_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = encode(tmp_path / "a")
    monkeypatch.setattr(head_data, "ENCODE_BATCH", 7)
    same(encode(tmp_path / "b"), wanted)


def test_a_killed_encoding_goes_on(tmp_path: Path) -> None:
    wanted = encode(tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 10
    for gone in (files[3], files[6]):
        gone.unlink()
    network = Brightness()
    done: list[int] = []
    same(encode(tmp_path, network, progress=lambda n, total: done.append(n)), wanted)
    assert done == [9, 10]
    assert sum(network.calls) < 200
    again = Brightness()
    same(encode(tmp_path, again), wanted)
    assert again.calls == []


def copy(value: float, ticks: int = 12) -> Copy:
    """Tick k of the copy has joints k, context `value`, phase k / 100."""
    ramp = np.arange(ticks)
    return Copy(
        np.tile(ramp[:, None, None], (1, 13, 6)).astype(np.float16),
        np.full((ticks, 128), value, np.float16),
        (ramp / 100).astype(np.float32),
        ramp >= 2,
    )


def windows(labels: list[Clip], copies: list[list[Copy]], **options: Any) -> HeadWindows:
    return HeadWindows(copies, labels, CLASSES, **({"frames": 6, "phase_delay": 2} | options))


def test_classes_are_drawn_alike_and_groups_by_the_root_of_their_clips() -> None:
    labels = [Clip(Path(f"{n}"), "squat", "large") for n in range(16)]
    labels += [
        Clip(Path("a"), "squat", "small"),
        Clip(Path("b"), "biceps_curl", "c"),
        Clip(Path("d"), "none", "d"),
    ]
    found = windows(labels, [[copy(n)] for n in range(len(labels))]).batch(np.random.default_rng(0), 6000)
    np.testing.assert_allclose(found.classes.mean(0), 1 / 3, atol=0.02)
    drawn = found.context[:, 0, 0]
    of_squats = found.classes[:, 0] == 1
    assert (drawn[of_squats] == 16).mean() == pytest.approx(1 / 5, abs=0.03)  # 4 = root of 16, against 1


def test_weights_count_within_a_class_alone() -> None:
    labels = [Clip(Path("a"), "squat", "a"), Clip(Path("b"), "squat", "b"), Clip(Path("c"), "none", "c")]
    found = windows(labels, [[copy(n)] for n in range(3)], weights=[1.0, 0.25, 0.1])
    batch = found.batch(np.random.default_rng(0), 6000)
    drawn = batch.context[:, 0, 0]
    assert (drawn == 2).mean() == pytest.approx(1 / 2, abs=0.03)
    assert (drawn == 1).sum() / (drawn < 2).sum() == pytest.approx(0.2, abs=0.03)


def test_windows_are_runs_of_a_copy_with_the_phase_of_some_frames_before() -> None:
    labels = [Clip(Path("a"), "squat", "a"), Clip(Path("b"), "none", "b")]
    batch = windows(labels, [[copy(0), copy(1)], [copy(2)]]).batch(np.random.default_rng(0), 300)
    assert batch.joints.shape == (300, 6, 13, 6)
    assert batch.context.shape == (300, 6, 128)
    starts = batch.joints[:, 0, 0, 0]
    assert set(starts) == set(range(7)), "every start at which the window fits"
    np.testing.assert_array_equal(batch.joints[:, :, 0, 0], starts[:, None] + np.arange(6))
    np.testing.assert_allclose(batch.phase[:, 2:], batch.joints[:, :-2, 0, 0] / 100, atol=1e-6)
    exercise = batch.classes[:, 0] == 1
    assert {float(v) for v in batch.context[exercise, 0, 0]} == {0, 1}, "all copies serve"
    assert not batch.phase_weight[~exercise].any(), "none has no phase"
    weight, ticks = batch.phase_weight[exercise], batch.joints[exercise][:, :, 0, 0]
    assert not weight[:, :2].any(), "what lies before the window is not asked for"
    np.testing.assert_array_equal(weight[:, 2:], ticks[:, :-2] >= 2)  # known from tick 2


def test_a_short_clip_holds_its_last_frame_and_that_frames_phase() -> None:
    labels = [Clip(Path("a"), "squat", "a")]
    batch = windows(labels, [[copy(0, ticks=3)]]).batch(np.random.default_rng(0), 2)
    np.testing.assert_array_equal(batch.joints[0, :, 0, 0], [0, 1, 2, 2, 2, 2])
    # Two frames later: the phase of the frame that stood there, held like it.
    np.testing.assert_allclose(batch.phase[0, 2:], [0.00, 0.01, 0.02, 0.02], atol=1e-6)
    np.testing.assert_array_equal(batch.phase_weight[0], [0, 0, 0, 0, 1, 1])


def test_a_batch_depends_on_its_generator_alone() -> None:
    labels = [Clip(Path("a"), "squat", "a"), Clip(Path("b"), "none", "b")]
    ours = windows(labels, [[copy(0)], [copy(1)]])
    first, again = (ours.batch(np.random.default_rng(7), 9) for _ in range(2))
    for name in vars(first):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_none_may_have_a_share_of_its_own() -> None:
    labels = [Clip(Path(f"{label}.mp4"), label, "g") for label in CLASSES]
    drawn = windows(labels, [[copy(1)] for _ in labels], none_share=0.7).batch(np.random.default_rng(0), 2000)
    shares = drawn.classes.mean(axis=0)
    assert shares[CLASSES.index("none")] == pytest.approx(0.7, abs=0.05)
    others = [share for name, share in zip(CLASSES, shares, strict=True) if name != "none"]
    assert others == pytest.approx([0.3 / len(others)] * len(others), abs=0.05)
