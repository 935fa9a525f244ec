"""Copies of clips as the frame network sees them, and windows drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augmentations import NO_AUGMENTATION
from exerlitenet.datasets.augment import Ranges, draw
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.recognition.follower import Follower
from exerlitenet.recognition.frame_encoder import FrameEncoder
from exerlitenet.recognition.repetitions import ideal_phase
from exerlitenet.training.posture.head_data import Copy, HeadWindows, encode_copies, load_copy
from exerlitenet.video.sequence import SequenceSpec, to_unit_range
from tiny_posture import CLASSES, posed

RATE = 7.5
RANGES = Ranges(speed=(0.75, 1.35), zoom=(0.9, 1.1), noise_chance=0.5)


class Light:
    """In place of the frame network: the person is where it is light. Context is a frame's mean colours.

    On noise that is near the middle, but nowhere the same, so the view moves with every frame.
    """

    size = 32

    def __init__(self, delay: int | None = None) -> None:
        self.calls = 0
        self._stop = delay

    def see(self, pixels: Any) -> tuple[Any, Any]:
        assert pixels.dtype == np.float32
        assert pixels.shape == (1, 32, 32, 3)
        self.calls += 1
        if self._stop is not None and self.calls > self._stop:
            raise KeyboardInterrupt
        light = pixels[0].mean(-1) ** 4
        grid = (np.arange(32) + 0.5) / 32
        x, y = (light.sum(0) @ grid / light.sum(), light.sum(1) @ grid / light.sum())
        joints = np.zeros((1, 13, 6), np.float32)
        joints[0, :, 0] = x + np.linspace(-0.2, 0.2, 13)
        joints[0, :, 1] = y + np.linspace(0.3, -0.3, 13)
        joints[0, :, 2] = 1
        joints[0, :, 3:] = pixels.mean((1, 2))
        return joints, np.tile(pixels.mean((1, 2)), (1, 43))[:, :128].astype(np.float32)


def clips() -> tuple[list[StoredClip], list[Clip]]:
    stored = [posed(number, ticks).clip for number, ticks in enumerate((30, 7, 1, 50, 22))]
    stored[1] = StoredClip(np.repeat(stored[1].frames, 2, axis=2), 2.0)  # one that is not square
    labels = [
        Clip(Path(f"{n}.mp4"), CLASSES[n % 3], f"g{n}", extremes_s=(0.5, 1.5, 2.5))
        for n in range(len(stored))
    ]
    return stored, labels


def encode(
    folder: Path,
    network: Any = None,
    ranges: Ranges | None = RANGES,
    *,
    copies: int = 2,
    chosen: Sequence[int] = range(5),
    seed: int = 4,
    **options: Any,
) -> list[list[Copy]]:
    stored, labels = clips()
    return encode_copies(
        network or Light(),
        [stored[n] for n in chosen],
        [labels[n] for n in chosen],
        ranges,
        [[folder / f"{n}-{k}.npz" for k in range(copies)] for n in chosen],
        rate=RATE,
        seeds=[[seed, n] for n in chosen],
        **options,
    )


def same(mine: list[list[Copy]], theirs: list[list[Copy]]) -> None:
    for row, other in zip(mine, theirs, strict=True):
        for copy, wanted in zip(row, other, strict=True):
            for name in ("joints", "context", "phase", "known"):
                np.testing.assert_array_equal(getattr(copy, name), getattr(wanted, name))


def test_every_clip_has_its_copies_at_their_own_speeds(tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    network = Light()
    found = encode(tmp_path / "a" / "b", network, on_progress=lambda n, total: done.append((n, total)))
    assert [len(row) for row in found] == [2] * 5
    assert done == [(n, 10) for n in range(1, 11)]
    assert network.calls == sum(len(copy.joints) for row in found for copy in row), "each frame once"
    lengths = [len(copy.joints) for copy in found[3]]
    assert lengths[0] != lengths[1]
    assert all(50 / 1.35 - 1 <= n <= 50 / 0.75 + 1 for n in lengths)
    copy = found[0][0]
    assert (copy.joints.dtype, copy.joints.shape[1:]) == (np.float16, (13, 6))
    assert (copy.context.dtype, copy.context.shape[1:]) == (np.float16, (128,))
    assert len(copy.joints) == len(copy.context) == len(copy.phase) == len(copy.known)
    assert len(found[2][0].joints) == 1


class Engine:
    """`Light` as the recogniser asks for it."""

    name, classes, phase_delay = "light", CLASSES, 0
    spec = SequenceSpec(size=32, aspect="follow")

    def __init__(self) -> None:
        self._light = Light()

    def encode(self, pixels: Any) -> Any:
        raise AssertionError("a model that follows is asked where it looks")

    def encode_crops(self, pixels: Any, views: Any) -> tuple[Any, Any]:
        joints, context = self._light.see(pixels)
        return context, joints

    def classify(self, windows: Any) -> Any:
        raise AssertionError("nothing is evaluated here")


def test_a_clip_as_it_is_is_what_the_recogniser_sees(tmp_path: Path) -> None:
    found = encode(tmp_path, ranges=None, copies=1)
    stored, labels = clips()
    sides = set()
    for [copy], clip, label in zip(found, stored, labels, strict=True):
        encoder = FrameEncoder(Engine())
        assert len(copy.joints) == clip.ticks
        for tick in range(clip.ticks):
            feature = encoder.encode(np.asarray(clip.frames[tick]))
            assert encoder.crop is not None
            assert encoder.joints is not None
            sides.add(encoder.crop.side)
            np.testing.assert_array_equal(copy.context[tick], feature.astype(np.float16))
            placed = encoder.crop.to_picture(encoder.joints[:, :2])
            np.testing.assert_array_equal(copy.joints[tick, :, :2], placed.astype(np.float16))
            np.testing.assert_array_equal(copy.joints[tick, :, 2:], encoder.joints[:, 2:].astype(np.float16))
        phase, known = ideal_phase(np.arange(clip.ticks) / RATE, label.extremes_s, clip.ticks / RATE)
        np.testing.assert_array_equal(copy.phase, phase)
        np.testing.assert_array_equal(copy.known, known)
    assert len(sides) > 10, "the view moves"


def test_a_copy_is_the_augmented_clip_followed(tmp_path: Path) -> None:
    """Frame after frame under one draw, where the person was seen in the augmented picture before."""
    [[first, second]] = encode(tmp_path, chosen=[1], ranges=RANGES)
    clip = clips()[0][1]
    for number, copy in enumerate((first, second)):
        augmentation = draw(np.random.default_rng([4, 1, number]), RANGES)
        count = int((clip.ticks - 1) / augmentation.speed) + 1
        ticks = augmentation.ticks(0, count, clip.ticks)
        assert len(copy.joints) == count
        follower, network = Follower(), Light()
        for k, tick in enumerate(ticks):
            view = follower.crop(*clip.frames.shape[1:3])
            seen, said = network.see(
                to_unit_range(augmentation.picture(np.asarray(clip.frames[tick]), 32, view, k))[None]
            )
            follower.update(seen[0])
            np.testing.assert_array_equal(
                copy.joints[k, :, :2], view.to_picture(seen[0, :, :2]).astype(np.float16)
            )
            np.testing.assert_array_equal(copy.context[k], said[0].astype(np.float16))
        wanted, _ = ideal_phase(ticks / RATE, (0.5, 1.5, 2.5), clip.ticks / RATE)
        np.testing.assert_array_equal(copy.phase, wanted)


def test_the_phase_runs_at_the_copys_speed(tmp_path: Path) -> None:
    fast = encode(tmp_path, ranges=replace(NO_AUGMENTATION, speed=(2.0, 2.0)), copies=1)
    slow = encode(tmp_path / "slow", ranges=None, copies=1)
    np.testing.assert_array_equal(fast[3][0].phase, slow[3][0].phase[::2])


def test_a_copys_chance_is_its_own_whoever_is_beside_it(tmp_path: Path) -> None:
    """So heads of a cross-validation may ask for other clips, and share what was made."""
    everyone = encode(tmp_path / "a")
    same(encode(tmp_path / "b", chosen=[3, 1]), [everyone[3], everyone[1]])
    other = encode(tmp_path / "c", seed=5)
    assert any(len(a.joints) != len(b.joints) for [a, _], [b, _] in zip(everyone, other, strict=True))


def test_a_killed_encoding_continues(tmp_path: Path) -> None:
    wanted = encode(tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 10
    missing = wanted[1][1], wanted[3][0]
    for gone in (files[3], files[6]):
        gone.unlink()
    network = Light()
    done: list[int] = []
    same(encode(tmp_path, network, on_progress=lambda n, total: done.append(n)), wanted)
    assert done == [9, 10]
    assert network.calls == sum(len(copy.joints) for copy in missing)
    again = Light()
    same(encode(tmp_path, again), wanted)
    assert again.calls == 0


def test_what_stops_an_encoding_leaves_no_half_copy(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        encode(tmp_path, Light(delay=40))
    for path in tmp_path.iterdir():
        load_copy(path)
    same(encode(tmp_path), encode(tmp_path / "whole"))


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


def test_early_windows_hold_the_first_frame_in_front_and_ask_for_no_phase_before_it() -> None:
    """Windows end anywhere from the least number of frames on, as those of a stream do."""
    labels = [Clip(Path("a"), "squat", "a")]
    known = replace(copy(0), known=np.ones(12, np.bool_))
    batch = windows(labels, [[known]], least_frames=3).batch(np.random.default_rng(0), 400)
    ticks = batch.joints[:, :, 0, 0]
    ends = ticks[:, -1]
    assert set(ends) == set(range(2, 12))
    places = ends[:, None] - 5 + np.arange(6)
    np.testing.assert_array_equal(ticks, np.maximum(places, 0))
    np.testing.assert_allclose(batch.phase[:, 2:], ticks[:, :-2] / 100, atol=1e-6)
    # Asked for: what lies in the clip and, by two frames of delay, in the window.
    asked = (places - 2 >= 0) & (np.arange(6) >= 2)
    np.testing.assert_array_equal(batch.phase_weight, asked)


@pytest.mark.parametrize("ticks", [1, 2])
def test_a_clip_of_fewer_frames_than_the_least_holds_both_its_ends(ticks: int) -> None:
    labels = [Clip(Path("a"), "squat", "a")]
    found = windows(labels, [[copy(0, ticks=ticks)]], least_frames=4).batch(np.random.default_rng(0), 2)
    np.testing.assert_array_equal(found.joints[0, :, 0, 0], np.clip([-2, -1, 0, 1, 2, 3], 0, ticks - 1))


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
