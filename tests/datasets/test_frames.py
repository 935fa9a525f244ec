from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clips import corners, grey_ramp, noise, write_clip
from exerlitenet.datasets.frames import STORE_SIDE, store_clip, store_clips, stored_clips
from exerlitenet.errors import InputError
from exerlitenet.video.sequence import SequenceSpec, sample
from exerlitenet.video.source import open_video
from tiny_posture import Quiet


def test_ticks_are_chosen_by_time(tmp_path: Path) -> None:
    levels = grey_ramp(30)
    clip = write_clip(tmp_path / "a.mp4", levels, fps=30)
    stored = store_clip(clip, tmp_path / "store", rate=10, side=32)
    assert stored.ticks == 10
    assert stored.frames.shape == (10, 32, 32, 3)
    assert stored.frames.dtype == np.uint8
    expected = [frames[0, 0, 0] for frames in levels[::3]]
    np.testing.assert_allclose(stored.frames.mean((1, 2, 3)), expected, atol=5)


def test_frames_are_squashed_and_the_aspect_is_kept(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [corners((96, 48))] * 4, fps=8)
    stored = store_clip(clip, tmp_path / "store", rate=8, side=32)
    assert stored.aspect == pytest.approx(2.0)
    red = stored.frames[0, 4:12, 4:12].mean((0, 1))
    white = stored.frames[0, 20:28, 20:28].mean((0, 1))
    assert red[0] > 180 > 80 > red[2]
    assert white.min() > 200


@pytest.mark.parametrize(
    ("size", "shape"), [((96, 48), (32, 64)), ((48, 96), (64, 32)), ((48, 48), (32, 32))]
)
def test_without_squashing_pictures_keep_their_aspect(
    tmp_path: Path, size: tuple[int, int], shape: tuple[int, int]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [corners(size)] * 4, fps=8)
    stored = store_clip(clip, tmp_path / "store", rate=8, side=32, squash=False)
    assert stored.frames.shape == (4, *shape, 3)
    assert stored.frames.dtype == np.uint8
    assert stored.aspect == pytest.approx(size[0] / size[1])
    high, wide = shape
    red = stored.frames[0, high // 8 : high // 4, wide // 8 : wide // 4].mean((0, 1))
    white = stored.frames[0, -high // 4 : -high // 8, -wide // 4 : -wide // 8].mean((0, 1))
    assert red[0] > 180 > 80 > red[2]
    assert white.min() > 200


def test_a_small_picture_is_not_made_larger(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [corners((64, 48))] * 2, fps=8)
    assert store_clip(clip, tmp_path / "s", rate=8, side=96, squash=False).frames.shape[1:3] == (48, 64)


def test_squashed_and_whole_pictures_are_stored_apart(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [corners((96, 48))] * 4, fps=8)
    folder = tmp_path / "store"
    shapes = [
        store_clip(clip, folder, rate=8, side=32, squash=squash).frames.shape[1:3]
        for squash in (True, False, True, False)
    ]
    assert shapes == [(32, 32), (32, 64)] * 2
    assert len(list(folder.glob("*.npy"))) == 2
    both = [
        store_clips([clip], folder, rate=8, side=32, squash=squash)[0].frames.shape[1:3]
        for squash in (True, False)
    ]
    assert both == [(32, 32), (32, 64)]
    assert len(list(folder.glob("*.npy"))) == 2


def test_what_is_stored_is_not_decoded_again(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", grey_ramp(8), fps=8)
    first = store_clip(clip, tmp_path / "store", rate=8, side=32)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").iterdir()}
    again = store_clip(clip, tmp_path / "store", rate=8, side=32)
    np.testing.assert_array_equal(first.frames, again.frames)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store").iterdir()} == files


def test_another_rate_or_side_or_content_is_stored_apart(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", grey_ramp(16), fps=8)
    slow = store_clip(clip, tmp_path / "store", rate=4, side=32)
    small = store_clip(clip, tmp_path / "store", rate=8, side=48)
    assert (slow.ticks, small.ticks) == (8, 16)
    assert small.frames.shape[1] == 48
    write_clip(clip, grey_ramp(24), fps=8)
    assert store_clip(clip, tmp_path / "store", rate=8, side=48).ticks == 24


def test_a_half_written_file_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", grey_ramp(8), fps=8)
    store = tmp_path / "store"
    whole = np.array(store_clip(clip, store, rate=8, side=32).frames)
    (file,) = store.glob("*.npy")
    file.rename(file.with_suffix(".1.tmp"))  # what a kill in the middle leaves
    np.testing.assert_array_equal(store_clip(clip, store, rate=8, side=32).frames, whole)


def test_many_clips_in_their_order_with_progress(tmp_path: Path) -> None:
    paths = [write_clip(tmp_path / f"{n}.mp4", grey_ramp(n), fps=8) for n in (6, 12)]
    reported: list[tuple[int, int]] = []
    stored = store_clips(
        paths,
        tmp_path / "store",
        rate=8,
        side=48,
        on_progress=lambda done, total: reported.append((done, total)),
    )
    assert [clip.ticks for clip in stored] == [6, 12]
    assert reported == [(1, 2), (2, 2)]


def test_nothing_and_unreadable_clips_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no clips"):
        store_clips([], tmp_path / "store", rate=8)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    with pytest.raises(InputError, match=r"broken\.mp4"):
        store_clip(broken, tmp_path / "store", rate=8, side=32)
    assert not list((tmp_path / "store").glob("*"))


def test_frames_are_those_that_a_model_meets_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path / "cache"))
    assert SequenceSpec().source_short_side == STORE_SIDE
    sizes = [(64, 48), (300, 560)]
    paths = [write_clip(tmp_path / f"{n}.mp4", noise(6, size), fps=15) for n, size in enumerate(sizes)]
    progress = Quiet()
    stored = stored_clips(paths, 7.5, progress)
    assert [clip.frames.shape[:3] for clip in stored] == [(3, 48, 64), (3, 478, 256)]
    assert [clip.aspect for clip in stored] == pytest.approx([64 / 48, 300 / 560])
    for clip, path in zip(stored, paths, strict=True):
        with open_video(path, rate=7.5, short_side=STORE_SIDE) as video:
            wanted = [frame.rgb for frame in sample(video, 7.5)]
        np.testing.assert_array_equal(clip.frames, wanted)
    assert progress.steps == ["decoding clips"]
    assert len(list((tmp_path / "cache" / "frames").glob("*.npy"))) == 2
    with pytest.raises(InputError, match="no clips"):
        stored_clips([], 7.5, progress)
