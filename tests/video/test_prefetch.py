"""Frames that a thread reads ahead are those that are read one by one, faults and ends included."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

import clips
from exerlitenet.errors import InputError
from exerlitenet.results import Frame
from exerlitenet.video import source
from exerlitenet.video.prefetch import prefetched
from exerlitenet.video.source import VideoSource, open_video

PICTURE = np.zeros((2, 2, 3), np.uint8)


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def numbered(count: int, read: list[int], fault: Exception | None = None) -> Generator[Frame, None, None]:
    """Notes in `read` what has been asked for; -1 when it is closed before its end."""
    try:
        for k in range(count):
            read.append(k)
            yield Frame(float(k), PICTURE)
        if fault is not None:
            raise fault
    except GeneratorExit:
        read.append(-1)
        raise


def wait_for(read: list[int], expected: list[int]) -> None:
    """Until so much has been read; then nothing more may follow."""
    deadline_s = time.monotonic() + 30
    while len(read) < len(expected) and time.monotonic() < deadline_s:
        time.sleep(0.001)
    time.sleep(0.05)
    assert read == expected


def facts(video: VideoSource) -> tuple[list[float], list[bytes], float | None, str | None]:
    with video:
        frames = list(video)
    return [f.time_s for f in frames], [f.rgb.tobytes() for f in frames], video.duration_s, video.fault


@pytest.mark.parametrize("prefetch", [1, 3, 100])
def test_the_same_frames_whole_damaged_and_limited(tmp_path: Path, prefetch: int) -> None:
    whole = clips.write_clip(tmp_path / "whole.mp4", clips.noise(60), 30)
    damaged = clips.garble(clips.write_clip(tmp_path / "bad.mkv", clips.noise(60), 30), 0.45, 0.55)
    short = clips.cut(clips.write_clip(tmp_path / "cut.mkv", clips.noise(60), 30), 0.6)
    folder = clips.write_images(tmp_path / "images", clips.noise(9))
    (folder / "frame4.png").write_bytes(b"no image")
    for path in (whole, damaged, short, folder):
        for rate, limit_s in ((None, None), (7.5, None), (None, 0.7)):
            wanted = facts(open_video(path, rate=rate, limit_s=limit_s))
            assert facts(open_video(path, rate=rate, limit_s=limit_s, prefetch=prefetch)) == wanted
            assert len(wanted[0]) > 2
    assert facts(open_video(damaged, prefetch=prefetch))[3] is not None
    assert readers() == []


def test_no_more_is_read_than_was_said() -> None:
    read: list[int] = []
    frames = prefetched(numbered(20, read), 3)
    assert read == [], "nothing is read before the first frame is asked for"
    for k in range(5):
        assert next(frames).time_s == k
        wait_for(read, list(range(k + 4)))
    frames.close()


def test_a_fault_comes_after_the_frames_before_it() -> None:
    frames = prefetched(numbered(3, [], InputError("no more")), 8)
    assert [next(frames).time_s for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="no more"):
        next(frames)
    assert readers() == []
    assert list(frames) == []


@pytest.mark.parametrize("taken", [1, 4])
def test_closing_early_ends_the_thread_and_what_it_reads(taken: int) -> None:
    read: list[int] = []
    frames = prefetched(numbered(100, read), 2)
    for _ in range(taken):
        next(frames)
    frames.close()
    assert readers() == []
    assert read[-1] == -1
    assert len(read) <= taken + 3
    assert list(frames) == []


def test_a_source_that_is_closed_early_lets_its_file_go(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.noise(60), 30)

    def look_at(video: VideoSource) -> None:
        with video:
            for frame in video:
                if frame.time_s > 0:
                    raise ValueError("seen enough")

    video = open_video(path, prefetch=4)
    with pytest.raises(ValueError, match="seen enough"):
        look_at(video)
    assert readers() == []
    assert list(video) == []
    video.close()


def test_a_loop_continues_where_the_last_one_stopped(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(6), 30)
    with open_video(path, prefetch=4) as video:
        first = next(iter(video))
        rest = list(video)
    assert first.time_s == 0
    assert len(rest) == 5


def test_what_is_live_is_never_read_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(6), 30)
    opened = source.open_path

    def as_live(*given: object) -> object:
        track = opened(*given)  # type: ignore[arg-type]
        track.live = True
        return track

    with open_video(path, prefetch=4) as video:
        next(iter(video))
        assert len(readers()) == 1
    monkeypatch.setattr(source, "open_path", as_live)
    with open_video(path, prefetch=4) as video:
        assert len(list(video)) == 6
        assert readers() == []


@pytest.mark.parametrize(("kind", "live"), [("file", False), ("address", True), ("camera", True)])
def test_cameras_and_addresses_are_live(tmp_path: Path, kind: str, live: bool) -> None:
    from exerlitenet.video.container import ContainerTrack
    from exerlitenet.video.picture import Fit

    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(6), 30)
    track = ContainerTrack(source.open_file(path, "clip"), "clip", kind=kind, fit=Fit())  # type: ignore[arg-type]
    assert track.live is live
    track.close()
