from __future__ import annotations

import csv
from pathlib import Path

import av
import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.synthetic.clip import render_clip
from exerlitenet.synthetic.dataset import COLUMNS, pose_rows, write_dataset, write_video

FIRST = 1_000_200


def test_a_data_set_reads_back_as_rendered(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    seeds = [FIRST, FIRST + 1, FIRST + 2]
    manifest = write_dataset(
        tmp_path / "set",
        seeds,
        seconds=1.0,
        labels=["squat", "biceps_curl", "none"],
        on_progress=lambda done, of: seen.append((done, of)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with manifest.open(encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        assert tuple(reader.fieldnames or ()) == COLUMNS
        rows = list(reader)
    assert [row["label"] for row in rows] == ["squat", "biceps_curl", "none"]
    assert len({row["group"] for row in rows}) == 3
    for seed, row in zip(seeds, rows, strict=True):
        clip = render_clip(seed, row["label"], seconds=1.0)
        assert row["repetitions"] == str(clip.repetitions)
        assert len([t for t in row["extremes_s"].split(";") if t]) == clip.repetitions
        with av.open(str(manifest.parent / row["file"])) as container:
            frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
            assert float(container.streams.video[0].average_rate or 0) == 15.0
        assert len(frames) == len(clip.frames) == 15
        assert frames[0].shape == (int(row["height"]), int(row["width"]), 3)
        assert np.abs(frames[0].astype(int) - clip.frames[0].astype(int)).mean() < 10
        poses = np.load(manifest.parent / "poses" / row["file"].replace(".mp4", ".npy"))
        assert poses.dtype == np.float16
        assert poses.shape == (8, 33, 7)
        np.testing.assert_array_equal(poses, clip.joints[::2].astype(np.float16))


@pytest.mark.parametrize("fps", [10.0, 15.0, 24.0])
def test_pose_rows_are_the_first_frames_at_or_after_each_tick(fps: float) -> None:
    clip = render_clip(FIRST, "squat", seconds=2.0, fps=fps, width=32, height=32)
    rows = pose_rows(clip)
    times = np.arange(len(clip.frames)) / fps
    for k, row in enumerate(rows):
        first = int(np.flatnonzero(times >= k / 7.5 - 1e-9)[0])
        np.testing.assert_array_equal(row, clip.joints[first].astype(np.float16))
    assert len(rows) == int(times[-1] * 7.5 + 1e-6) + 1


def test_a_video_of_odd_size_is_cut_to_even(tmp_path: Path) -> None:
    frames = np.zeros((3, 35, 51, 3), np.uint8)
    with av.open(str(write_video(frames, 15.0, tmp_path / "odd.mp4"))) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (50, 34)


def test_wrong_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="uint8"):
        write_video(np.zeros((3, 32, 32, 3), np.float32), 15.0, tmp_path / "a.mp4")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="twice"):
        write_dataset(tmp_path, [1, 1])
    with pytest.raises(InputError, match="one per seed"):
        write_dataset(tmp_path, [1, 2], labels=["squat"])
