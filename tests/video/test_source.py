"""Frames of a source in order of time, chosen and limited by it; addresses; real clips."""

from __future__ import annotations

import csv
import itertools
import os
import random
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import pytest

import clips
from clips import message_of
from exerlitenet.video import source
from exerlitenet.video.sequence import sample
from exerlitenet.video.source import open_video


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 0.51, 1.2, 2.0]
    path = clips.write_clip(tmp_path / "vfr.mkv", clips.grey_ramp(6), 25, times_s=times)
    with open_video(path) as video:
        assert [f.time_s for f in video] == pytest.approx(times, abs=0.0015)


def test_time_counts_from_the_first_frame(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "late.mkv", clips.grey_ramp(4), 25, times_s=[3.0, 3.1, 3.2, 3.3])
    with open_video(path) as video:
        assert video.duration_s == pytest.approx(0.34, abs=0.005)
        assert [f.time_s for f in video] == pytest.approx([0, 0.1, 0.2, 0.3], abs=0.0015)
    assert video.fault is None, "starting late is no damage"


def test_without_time_stamps_the_frame_rate_counts(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "bare.h264", clips.grey_ramp(8), 25)
    with open_video(path) as video:
        assert video.duration_s is None
        times = [f.time_s for f in video]
    assert times == pytest.approx([k / video.fps for k in range(8)])
    assert video.duration_s == pytest.approx(8 / video.fps)


def test_times_always_rise_even_where_the_clock_restarts(tmp_path: Path) -> None:
    """Two transport streams in one file: the second starts its clock anew."""
    first = clips.write_clip(tmp_path / "a.ts", clips.grey_ramp(75), 25, codec="mpeg2video")
    second = clips.write_clip(tmp_path / "b.ts", clips.grey_ramp(50), 25, codec="mpeg2video")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with open_video(joined) as video:
        times = [f.time_s for f in video]
    assert all(b > a for a, b in itertools.pairwise(times))
    assert len(times) >= 120
    assert times[-1] < 6


@pytest.mark.parametrize(("fps", "rate"), [(30, 7.5), (24, 7.5), (5, 7.5), (29.97, 8), (50, 12.5), (10, 10)])
def test_choosing_while_reading_equals_choosing_later(tmp_path: Path, fps: float, rate: float) -> None:
    path = clips.write_clip(tmp_path / "clip.mkv", clips.grey_ramp(int(fps * 2)), fps)
    with open_video(path) as everything:
        later = [(f.time_s, int(f.rgb[0, 0, 0])) for f in sample(everything, rate)]
    with open_video(path, rate=rate) as chosen:
        frames = list(chosen)
    assert len({f.time_s for f in frames}) == len(frames), "each chosen frame comes once"
    assert [(f.time_s, int(f.rgb[0, 0, 0])) for f in sample(frames, rate)] == later
    assert chosen.duration_s == pytest.approx(everything.duration_s)


def test_limit_ends_the_video(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(60), 30)
    with open_video(path, limit_s=0.5) as video:
        assert video.duration_s == 0.5
        times = [f.time_s for f in video]
    assert times[-1] < 0.5
    assert len(times) == 15
    assert video.duration_s == pytest.approx(0.5)
    assert video.fault is None


def test_a_limit_within_the_last_picture_is_the_end_too(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(5), 5)
    with open_video(path, limit_s=0.9) as video:
        assert len(list(video)) == 5
    assert video.duration_s == pytest.approx(0.9)


def test_a_loop_continues_where_the_last_one_stopped(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(6), 30)
    with open_video(path) as video:
        first = next(iter(video))
        rest = list(video)
    assert first.time_s == 0
    assert len(rest) == 5
    assert list(video) == []


def test_a_closed_source_gives_nothing(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(6), 30)
    video = open_video(path)
    next(iter(video))
    video.close()
    video.close()
    assert list(video) == []


def test_addresses_that_do_not_answer_or_do_not_exist() -> None:
    assert "cannot be opened (connection refused)" in message_of("http://127.0.0.1:9/video.mp4")
    assert "unknown kind of address" in message_of("nonsense://there")


def test_a_video_is_read_from_an_address(tmp_path: Path) -> None:
    clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(12), 30)
    (tmp_path / "page.html").write_text("<html>not a video</html>")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            with open_video(f"{address}/clip.mp4") as video:
                assert len(list(video)) == 12
            assert video.fault is None
            assert "not a video" in message_of(f"{address}/page.html")
            assert "cannot be opened" in message_of(f"{address}/missing.mp4")
        finally:
            server.shutdown()
            thread.join()


def test_an_address_that_is_slow_counts_as_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def stall(*_: object, **__: object) -> None:
        raise av.error.ExitError(1414092869, "Immediate exit requested")

    monkeypatch.setattr(source.av, "open", stall)
    assert "no answer" in message_of("rtsp://somewhere/stream")


def test_real_clips_agree_with_their_manifest() -> None:
    folder = os.environ.get("EXERLITENET_CLIPS")
    if not folder:
        pytest.skip("EXERLITENET_CLIPS names no folder of real clips")
    with open(Path(folder) / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in random.Random(7).sample(rows, 10):
        with open_video(Path(folder) / row["file"], rate=7.5, short_side=128, limit_s=4) as video:
            frames = list(video)
        assert (video.width, video.height) == (int(row["width"]), int(row["height"])), row["file"]
        assert video.fault is None, row["file"]
        length = min(4.0, float(row["seconds"]))
        assert abs(len(frames) - length * 7.5) <= 2, row["file"]
        assert all(min(f.rgb.shape[:2]) == 128 for f in frames)


def test_a_title_that_is_not_utf_8_is_no_reason_to_refuse_a_video(tmp_path: Path) -> None:
    path = tmp_path / "titled.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "caf-latin-1"
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for picture in clips.grey_ramp(3):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p"))
            )
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert b"caf-latin-1" in data
    path.write_bytes(data.replace(b"caf-latin-1", "caf\xe9-latin-1".encode("latin-1")[:11]))
    with open_video(path) as video:
        assert len(list(video)) == 3
