"""Batches of posed frames: drawn by step, by weight, and only where there is a pose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.training.augment import Ranges
from exerlitenet.training.landmarks import posture_target
from exerlitenet.training.posture_data import PosedClip, PostureBatches
from tiny_posture import STILL, posed

LIVELY = Ranges(zoom=(0.8, 1.2), shift=0.1, rotate_degrees=10, noise_chance=0.5, cut_out_chance=0.3)


def batches(ranges: Ranges = LIVELY, seed: int = 3) -> PostureBatches:
    return PostureBatches([posed(k) for k in range(3)], ranges, seed)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    ours, theirs = batches(), batches()
    for step in (5, 0, 5):  # in any order, as often as asked for
        for mine, other in zip(ours.batch(step, 4, 32), theirs.batch(step, 4, 32), strict=True):
            np.testing.assert_array_equal(mine, other)
    pixels = ours.batch(5, 4, 32)[0]
    assert (pixels.dtype, pixels.shape) == (np.float32, (4, 32, 32, 3))
    assert 0 <= pixels.min() < pixels.max() <= 1
    assert not np.array_equal(pixels, ours.batch(6, 4, 32)[0])
    assert not np.array_equal(pixels, batches(seed=4).batch(5, 4, 32)[0])


def test_a_stream_is_the_batches_in_order() -> None:
    ours = batches()
    streamed = list(ours.stream(2, 9, 2, 32, workers=3))
    assert len(streamed) == 7
    for step, (pixels, targets) in enumerate(streamed, 2):
        wanted = ours.batch(step, 2, 32)
        np.testing.assert_array_equal(pixels, wanted[0])
        np.testing.assert_array_equal(targets, wanted[1])
    assert list(ours.stream(4, 4, 2, 32)) == []


def test_pixels_and_target_belong_to_the_same_frame() -> None:
    """Frame k is k / 10 bright, and its pose stands at 0.4 + 0.02 k."""
    clip = posed(0)
    frames = np.stack([np.full((40, 40, 3), 20 * k, np.uint8) for k in range(8)])
    found = PostureBatches([replace(clip, clip=replace(clip.clip, frames=frames))], Ranges.none(), 0)
    for pixels, target in zip(*found.batch(0, 20, 32), strict=True):
        row = round(float(pixels.mean()) * 255 / 20)
        np.testing.assert_allclose(target, posture_target(clip.poses[row], 1.0, STILL), atol=1e-6)


def test_frames_without_a_pose_are_never_drawn() -> None:
    clip = posed(0)
    poses = clip.poses.copy()
    poses[[0, 1, 2, 4, 5, 6, 7]] = np.nan
    targets = PostureBatches([replace(clip, poses=poses)], Ranges.none(), 0).batch(0, 16, 32)[1]
    np.testing.assert_allclose(targets[:, 0, 0], targets[0, 0, 0])
    assert (targets[:, :, 7] == 1).all()


def test_poses_beyond_the_clips_end_are_not_drawn() -> None:
    clip = posed(0, ticks=3)
    longer = replace(clip, poses=np.concatenate([clip.poses, posed(1).poses]))
    targets = PostureBatches([longer], Ranges.none(), 0).batch(0, 30, 32)[1]
    assert len(np.unique(targets[:, 0, 0].round(4))) == 3


def test_clips_are_drawn_by_their_weight() -> None:
    light, heavy = posed(0, weight=1.0), posed(30, weight=3.0)
    targets = PostureBatches([light, heavy], Ranges.none(), 0).batch(0, 400, 32)[1]
    share = (targets[:, 0, 0] > 0.55).mean()  # clip 30 stands further right
    assert share == pytest.approx(0.75, abs=0.08)


def test_nothing_to_learn_from_is_said() -> None:
    blind = posed(0)
    blind = PosedClip(blind.clip, np.full_like(blind.poses, np.nan), 1.0)
    for clips in ([], [blind]):
        with pytest.raises(InputError, match="no clip has poses"):
            PostureBatches(clips, LIVELY, 0)
    with pytest.raises(InputError, match="weight above 0"):
        PostureBatches([posed(0, weight=0.0)], LIVELY, 0)
