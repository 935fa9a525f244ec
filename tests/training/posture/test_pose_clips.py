"""Poses beside clips, and unlabelled videos: what is read, at which rate, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exerlitenet.datasets.clips import Clip
from exerlitenet.errors import InputError
from exerlitenet.training.posture.pose_clips import load_poses, posed_clips, unlabelled_videos
from tiny_posture import pose, posed


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
    assert found == [
        (folder / "a.mp4", poses / "a.npy", "one"),
        (folder / "d.mp4", poses / "d.npy", "three"),
    ]


def test_unlabelled_videos_that_cannot_be_used_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"manifest\.csv with the columns file and source"):
        unlabelled_videos(tmp_path, tmp_path, frozenset())
    (tmp_path / "manifest.csv").write_text("file,origin\na.mp4,x\n")
    with pytest.raises(InputError, match="is no folder"):
        unlabelled_videos(tmp_path, tmp_path / "none", frozenset())
    with pytest.raises(InputError, match="got file, origin"):
        unlabelled_videos(tmp_path, tmp_path, frozenset())
