"""Poses beside clips and batches of posed frames: what is read, at which rate, what is drawn, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from augmentations import NO_AUGMENTATION
from clips import spot
from exerlitenet.datasets.augment import Ranges, draw
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.datasets.landmarks import picture_points, posture_target
from exerlitenet.errors import InputError
from exerlitenet.training.posture import pose_data
from exerlitenet.training.posture.pose_data import (
    PosedClip,
    PostureBatches,
    drawn_crop,
    load_poses,
    posed_clips,
    unlabelled_videos,
)
from exerlitenet.video.crop import Crop
from tiny_posture import STILL, pose, posed

WHOLE = Crop(0, 0, 1)
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


def test_pixels_and_target_belong_to_the_same_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frame k is k / 10 bright, and its pose stands at 0.4 + 0.02 k."""
    clip = posed(0)
    frames = np.stack([np.full((40, 40, 3), 20 * k, np.uint8) for k in range(8)])
    monkeypatch.setattr(pose_data, "drawn_crop", lambda *_: WHOLE)
    found = PostureBatches([replace(clip, clip=replace(clip.clip, frames=frames))], NO_AUGMENTATION, 0)
    for pixels, target in zip(*found.batch(0, 20, 32), strict=True):
        row = round(float(pixels.mean()) * 255 / 20)
        np.testing.assert_allclose(target, posture_target(clip.poses[row], 1.0, STILL, WHOLE), atol=1e-6)


@pytest.mark.parametrize("shape", [(96, 96), (80, 140), (140, 80)])
def test_a_target_is_where_its_pixels_are(shape: tuple[int, int]) -> None:
    """Under chance of every kind: a spot at the nose of each frame, a view about the person, an augmentation."""
    height, width = shape
    rng = np.random.default_rng(1)
    places = rng.uniform(-0.25, 0.25, (12, 2)).astype(np.float32)
    frames = np.stack([spot(x, y, *shape) for x, y in places])
    poses = np.stack([pose(width / height / 2, 0.5) for _ in places])
    poses[:, 0, :2] = places * min(shape) / height + (width / height / 2, 0.5)
    ranges = Ranges(
        zoom=(0.8, 1.2),
        stretch=(0.85, 1.15),
        shift=0.1,
        rotate_degrees=15,
        blur_chance=0,
        motion_blur_chance=0,
    )
    clip = PosedClip(StoredClip(frames, width / height), poses, 1.0)
    pixels, targets = PostureBatches([clip], ranges, 0).batch(0, 40, 96)
    checked = 0
    for picture, target in zip(pixels, targets, strict=True):
        if not ((target[0, :2] > 0.3) & (target[0, :2] < 0.7)).all():
            continue  # the spot may be cut off
        # The border may be of any colour, so only what is much lighter than its surroundings counts.
        light = picture.min(axis=-1)
        light = np.where(light > light.max() / 2, light, 0)
        near = np.hypot(*(np.mgrid[:96, :96] - (target[0, 1::-1] * 96)[:, None, None])) < 24
        light = light * near
        grid = (np.arange(96) + 0.5) / 96
        middle = np.array([light.sum(0) @ grid, light.sum(1) @ grid]) / light.sum()
        np.testing.assert_allclose(middle, target[0, :2], atol=0.02)
        checked += 1
    assert checked >= 10


def test_a_view_holds_most_of_the_person() -> None:
    rng = np.random.default_rng(0)
    lively = Ranges(zoom=(0.8, 1.2), stretch=(0.9, 1.1), shift=0.1, rotate_degrees=10, flip_chance=0.5)
    held, sides = [], []
    for number in range(300):
        clip = posed(number % 4)
        row = int(rng.integers(8))
        augmentation = draw(rng, lively)
        view = drawn_crop(rng, clip, row, augmentation)
        assert np.isfinite(view.to_array()).all()
        assert 0 < view.side < 1.45 * 1.0 + 1e-6
        found = view.to_crop(augmentation.points(picture_points(clip.poses[row], 1.0)))
        inside = ((found >= 0) & (found <= 1)).all(axis=1)
        # A whole picture that the augmentation has moved may lack some of it.
        if view.side < 0.6:
            held.append(inside.mean())
            sides.append(view.side)
    assert len(held) > 200
    assert min(held) >= 0.6
    assert np.mean(held) > 0.97
    assert np.ptp(sides) > 0.1, "views differ in size"


def test_a_view_is_the_whole_by_its_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    clip = posed(0)  # of which a fifth of the picture is the person, so views about them are small

    def whole() -> float:
        return float(np.mean([drawn_crop(rng, clip, 3, STILL).side > 0.75 for _ in range(400)]))

    assert whole() == pytest.approx(pose_data.WHOLE_CHANCE, abs=0.06)
    monkeypatch.setattr(pose_data, "WHOLE_CHANCE", 1.0)
    assert whole() == 1
    monkeypatch.setattr(pose_data, "WHOLE_CHANCE", 0.0)
    assert whole() == 0


@pytest.mark.parametrize("shape", [(40, 80), (80, 40)])
def test_a_view_of_the_whole_holds_nearly_all_of_a_picture(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pose_data, "WHOLE_CHANCE", 1.0)
    rng = np.random.default_rng(0)
    clip = posed(0)
    clip = replace(clip, clip=StoredClip(np.zeros((8, *shape, 3), np.uint8), shape[1] / shape[0]))
    for _ in range(100):
        view = drawn_crop(rng, clip, 0, STILL)
        assert 0.8 * 2 < view.side <= 1.15 * 2
        assert max(abs(view.x), abs(view.y)) <= pose_data.OFFSET * view.side / 2


def test_joints_of_neighbouring_frames_widen_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at work, where the view shrinks slowly after a limb was stretched."""
    monkeypatch.setattr(pose_data, "WHOLE_CHANCE", 0.0)
    monkeypatch.setattr(pose_data, "OFFSET", 0.0)
    monkeypatch.setattr(pose_data, "SIDE_FACTOR", (1.0, 1.0))
    clip = posed(0)
    poses = np.stack([pose(0.5)] * 8)
    poses[4, 16, 0] = 1.0
    clip = replace(clip, poses=poses)
    rng = np.random.default_rng(0)
    sides = {round(drawn_crop(rng, clip, 0, STILL).side, 3) for _ in range(100)}
    assert len(sides) == 2
    alone = {round(drawn_crop(rng, clip, 4, STILL).side, 3) for _ in range(20)}
    assert alone == {max(sides)}


@pytest.mark.parametrize("hide", [np.nan, 0.0])
def test_who_is_not_seen_is_searched_in_the_whole(hide: float) -> None:
    clip = posed(0)
    poses = clip.poses.copy()
    poses[..., 3] = hide
    rng = np.random.default_rng(0)
    found = [drawn_crop(rng, replace(clip, poses=poses), 2, STILL).side for _ in range(50)]
    assert min(found) > 0.8


def test_frames_without_a_pose_are_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose_data, "drawn_crop", lambda *_: WHOLE)
    clip = posed(0)
    poses = clip.poses.copy()
    poses[[0, 1, 2, 4, 5, 6, 7]] = np.nan
    targets = PostureBatches([replace(clip, poses=poses)], NO_AUGMENTATION, 0).batch(0, 16, 32)[1]
    np.testing.assert_allclose(targets[:, 0, 0], targets[0, 0, 0])
    assert (targets[:, :, 7] == 1).all()


def test_poses_beyond_the_clips_end_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose_data, "drawn_crop", lambda *_: WHOLE)
    clip = posed(0, ticks=3)
    longer = replace(clip, poses=np.concatenate([clip.poses, posed(1).poses]))
    targets = PostureBatches([longer], NO_AUGMENTATION, 0).batch(0, 30, 32)[1]
    assert len(np.unique(targets[:, 0, 0].round(4))) == 3


def test_clips_are_drawn_by_their_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose_data, "drawn_crop", lambda *_: WHOLE)
    light, heavy = posed(0, weight=1.0), posed(30, weight=3.0)
    targets = PostureBatches([light, heavy], NO_AUGMENTATION, 0).batch(0, 400, 32)[1]
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


def rows(count: int) -> np.ndarray:
    out = np.stack([pose() for _ in range(count)])
    out[:, 0, 0] = np.arange(count)
    return out.astype(np.float16)


def saved(path: Path, poses: np.ndarray) -> Path:
    np.save(path, poses)
    return path


def test_rows_belong_to_ticks_at_any_rate(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", rows(9))
    found = load_poses(path, 8, 7.5)
    assert (found.shape, found.dtype) == ((8, 33, 7), np.float32)
    np.testing.assert_array_equal(found[:, 0, 0], np.arange(8))
    np.testing.assert_array_equal(load_poses(path, 5, 3.75)[:, 0, 0], [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(load_poses(path, 4, 15.0)[:, 0, 0], [0, 0, 1, 2])


def test_ticks_beyond_the_file_have_no_pose(tmp_path: Path) -> None:
    found = load_poses(saved(tmp_path / "a.npy", rows(3)), 5, 7.5)
    assert np.isfinite(found[:3]).all()
    assert np.isnan(found[3:]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((4, 33, 3), np.float16), r"got float16 \[4, 33, 3\]"),
        (np.zeros((33, 7), np.float32), r"got float32 \[33, 7\]"),
        (np.zeros((4, 33, 7), np.int32), "got int32"),
        (b"", "cannot be read"),
        (b"\x93NUMPY but no array", "cannot be read"),
        (b"PK\x03\x04 no archive", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_holds_no_poses_is_named(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "bad.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, np.ndarray):
        np.save(path, content)
    with pytest.raises(InputError, match=message) as raised:
        load_poses(path, 4, 7.5)
    assert str(path) in str(raised.value)


def test_an_archive_of_arrays_is_no_pose_file(tmp_path: Path) -> None:
    with (tmp_path / "bad.npy").open("wb") as file:
        np.savez(file, a=rows(2))
    with pytest.raises(InputError, match="as one array"):
        load_poses(tmp_path / "bad.npy", 4, 7.5)


def test_weights_add_up_to_the_share_and_a_group_counts_with_its_root(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", rows(8))
    clips = [Clip(Path(f"{k}.mp4"), "squat", "large", poses=path) for k in range(4)]
    clips += [Clip(Path("4.mp4"), "squat", "small", poses=path), Clip(Path("5.mp4"), "squat", "small")]
    clips[5:] = [Clip(Path("5.mp4"), "squat", "other")]  # without poses, so it teaches nothing
    found = posed_clips(clips, [posed(k).clip for k in range(6)], 7.5, 0.8)
    weights = [clip.weight for clip in found]
    assert len(found) == 5
    assert sum(weights) == pytest.approx(0.8)
    assert sum(weights[:4]) == pytest.approx(2 * weights[4])  # four clips of one group: the root of 4
    assert posed_clips(clips[5:], [posed(0).clip], 7.5, 1.0) == []


def test_unlabelled_videos_of_barred_sources_stay_out(tmp_path: Path) -> None:
    folder, poses = tmp_path / "videos", tmp_path / "poses"
    folder.mkdir()
    poses.mkdir()
    lines = ["file,source", "a.mp4,one", "b.mp4,two", "c.mp4,one", "d.mp4,three"]
    (folder / "manifest.csv").write_text("\n".join(lines))
    for name in "abd":
        saved(poses / f"{name}.npy", rows(2))
    found = unlabelled_videos(folder, poses, frozenset({"two"}))
    assert [(clip.path, clip.poses) for clip in found] == [
        (folder / "a.mp4", poses / "a.npy"),
        (folder / "d.mp4", poses / "d.npy"),
    ]
    assert found[0].group != found[1].group


def test_unlabelled_videos_that_cannot_be_used_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.csv with the columns file and source"):
        unlabelled_videos(tmp_path, tmp_path, frozenset())
    (tmp_path / "manifest.csv").write_text("file,origin\na.mp4,x\n")
    with pytest.raises(InputError, match="is no folder"):
        unlabelled_videos(tmp_path, tmp_path / "none", frozenset())
    with pytest.raises(InputError, match="got file, origin"):
        unlabelled_videos(tmp_path, tmp_path, frozenset())
