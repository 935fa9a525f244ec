"""Videos of every kind, made here with PyAV, opened and read back."""

from __future__ import annotations

import csv
import itertools
import os
import random
import threading
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import clips
from exerlitenet.errors import InputError
from exerlitenet.video import camera, source
from exerlitenet.video.camera import capture_arguments, dshow_name
from exerlitenet.video.picture import Fit
from exerlitenet.video.sequence import sample
from exerlitenet.video.source import open_video

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def seen_corners(rgb: np.ndarray) -> tuple[str, ...]:
    """Colours of the four corners: top left, top right, bottom left, bottom right."""
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    h, w = rgb.shape[:2]
    points = [(h // 5, w // 5), (h // 5, -w // 5), (-h // 5, w // 5), (-h // 5, -w // 5)]
    return tuple(min(names, key=lambda name: np.abs(rgb[p].astype(int) - names[name]).sum()) for p in points)


def message_of(name: str | Path) -> str:
    with pytest.raises(InputError) as caught:
        open_video(name)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(str(name))
    return text


# Formats


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt"),
    [
        (".mp4", "libx264", "yuv420p"),
        (".mkv", "libx264", "yuv420p10le"),
        (".mkv", "ffv1", "gray"),
        (".mkv", "ffv1", "gray16le"),
        (".mp4", "libx264", "gray"),
        (".mp4", "libx264", "yuvj420p"),
        (".mkv", "libx264", "yuv444p"),
        (".mov", "qtrle", "rgb24"),
        (".mov", "prores_ks", "yuv422p10le"),
        (".avi", "mpeg4", "yuv420p"),
        (".webm", "libvpx-vp9", "yuv420p"),
        (".ts", "mpeg2video", "yuv420p"),
        (".gif", "gif", "rgb8"),
        (".avi", "mjpeg", "yuvj420p"),
    ],
)
def test_reads_usual_formats_with_their_brightness(
    tmp_path: Path, suffix: str, codec: str, pix_fmt: str
) -> None:
    ramp = clips.grey_ramp(10)
    path = clips.write_clip(tmp_path / f"clip{suffix}", ramp, 25, codec=codec, pix_fmt=pix_fmt)
    with open_video(path) as video:
        frames = list(video)
    assert len(frames) == 10
    assert (video.width, video.height, video.fault) == (64, 48, None)
    for k, frame in enumerate(frames):
        assert frame.rgb.dtype == np.uint8
        assert frame.rgb.shape == (48, 64, 3)
        assert frame.rgb.flags.c_contiguous
        assert abs(float(frame.rgb.mean()) - float(ramp[k].mean())) < (20 if codec == "gif" else 5)
        assert frame.time_s == pytest.approx(k / 25, abs=0.002)
    assert video.duration_s == pytest.approx(0.4, abs=0.005)


@pytest.mark.parametrize(
    ("codec", "suffix", "pix_fmt"),
    [
        ("png", ".mov", "rgba"),
        ("qtrle", ".mov", "argb"),
        ("ffv1", ".mkv", "yuva420p"),
        ("libvpx-vp9", ".webm", "yuva420p"),
    ],
)
def test_transparency_lies_over_black(tmp_path: Path, codec: str, suffix: str, pix_fmt: str) -> None:
    picture = np.full((48, 64, 4), 255, np.uint8)
    picture[:, :32, 3] = 0
    path = clips.write_clip(tmp_path / f"alpha{suffix}", [picture] * 3, 10, codec=codec, pix_fmt=pix_fmt)
    with open_video(path) as video:
        rgb = next(iter(video)).rgb
    assert rgb[:, 5].max() < 10
    assert rgb[:, -5].min() > 245


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "size"),
    [("ffv1", "yuv420p", (63, 47)), ("ffv1", "bgr0", (37, 51)), ("libx264", "yuv444p", (45, 33))],
)
def test_odd_sizes_stay(tmp_path: Path, codec: str, pix_fmt: str, size: tuple[int, int]) -> None:
    path = clips.write_clip(tmp_path / "odd.mkv", [clips.corners(size)] * 3, codec=codec, pix_fmt=pix_fmt)
    with open_video(path) as video:
        frame = next(iter(video))
    assert (video.width, video.height) == size
    assert frame.rgb.shape == (size[1], size[0], 3)
    assert seen_corners(frame.rgb) == ("red", "green", "blue", "white")


UPRIGHT = {
    (0, False): ("red", "green", "blue", "white"),
    (90, False): ("green", "white", "red", "blue"),
    (180, False): ("white", "blue", "green", "red"),
    (270, False): ("blue", "red", "white", "green"),
    (-90, False): ("blue", "red", "white", "green"),
    (0, True): ("green", "red", "white", "blue"),
}


@pytest.mark.parametrize(("rotation", "hflip"), UPRIGHT)
def test_rotation_is_honoured(tmp_path: Path, rotation: int, hflip: bool) -> None:
    path = clips.write_clip(
        tmp_path / "turned.mp4",
        [clips.corners((64, 32))] * 4,
        pix_fmt="yuv444p",
        rotation=rotation,
        hflip=hflip,
    )
    with open_video(path, short_side=20) as video:
        rgb = next(iter(video)).rgb
    assert seen_corners(rgb) == UPRIGHT[rotation, hflip]
    turned = rotation % 180 == 90
    assert (video.width, video.height) == ((32, 64) if turned else (64, 32))
    assert rgb.shape == ((40, 20, 3) if turned else (20, 40, 3))
    assert rgb.flags.c_contiguous


def test_pixels_that_are_not_square_are_widened(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "wide.mkv", clips.grey_ramp(3), sample_aspect=Fraction(4, 3))
    with open_video(path) as video:
        assert (video.width, video.height) == (85, 48)
        assert next(iter(video)).rgb.shape == (48, 85, 3)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    song = clips.write_sound(tmp_path / "song.mp3", cover=clips.corners())
    with av.open(str(song)) as container:
        assert container.streams.video, "the clip of this test lost its cover"
    assert "no video stream, only sound" in message_of(song)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_sound_that_is_longer_does_not_matter(tmp_path: Path, suffix: str) -> None:
    path = clips.write_clip(tmp_path / f"both{suffix}", clips.grey_ramp(6), 30, audio=True)
    with open_video(path) as video:
        assert video.duration_s == pytest.approx(0.2)
        assert len(list(video)) == 6
    assert video.fault is None
    assert video.duration_s == pytest.approx(0.2, abs=0.001)


def test_a_part_cut_out_by_an_edit_list(tmp_path: Path) -> None:
    """Phones trim without encoding anew: what comes before the cut stays in the file but is not shown."""
    whole = clips.write_clip(tmp_path / "whole.mp4", clips.grey_ramp(60), 30, gop=60)
    path = tmp_path / "trimmed.mp4"
    options = {"avoid_negative_ts": "disabled", "use_editlist": "1"}
    with av.open(str(whole)) as reading, av.open(str(path), "w", options=options) as writing:
        stream = reading.streams.video[0]
        copy = writing.add_stream_from_template(stream)
        for packet in reading.demux(stream):
            if packet.dts is not None:
                packet.pts -= round(0.5 / stream.time_base)
                packet.dts -= round(0.5 / stream.time_base)
                packet.stream = copy
                writing.mux(packet)
    with open_video(path) as video:
        frames = list(video)
    assert video.fault is None
    assert len(frames) == 45
    assert abs(int(frames[0].rgb[0, 0, 0]) - (20 + 200 * 15 // 60)) < 5
    assert video.duration_s == pytest.approx(1.5, abs=0.01)


def test_of_several_video_streams_the_best_is_read(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = []
        for size in ((32, 24), (96, 64)):
            stream = container.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            streams.append(stream)
        for k in range(4):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(
                    np.full((stream.height, stream.width, 3), 90, np.uint8), format="rgb24"
                ).reformat(format="yuv420p")
                frame.pts = k
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    with open_video(path) as video:
        assert len(list(video)) == 4
    assert (video.width, video.height) == (96, 64)


# Time


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


def test_a_loop_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
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


# Size


@pytest.mark.parametrize("short_side", [16, 20, 31])
def test_short_side_is_a_limit_and_the_aspect_stays(tmp_path: Path, short_side: int) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", [clips.corners((128, 64))] * 2)
    with open_video(path, short_side=short_side) as video:
        rgb = next(iter(video)).rgb
    assert (video.width, video.height) == (128, 64)
    even = short_side - short_side % 2
    assert rgb.shape[0] == even
    assert abs(rgb.shape[1] - 2 * even) <= 2
    assert seen_corners(rgb) == ("red", "green", "blue", "white")


def test_nothing_is_enlarged(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(2))
    with open_video(path, short_side=480, long_side=999) as video:
        assert next(iter(video)).rgb.shape == (48, 64, 3)


def test_fit_limits_both_sides() -> None:
    assert Fit(256, 400).size(1280, 720) == (400, 224)
    assert Fit(long_side=1280).size(1080, 1920) == (720, 1280)
    assert Fit(256).size(4000, 10) == (4000, 10)
    assert Fit(6).size(4000, 10) == (2400, 6)
    assert Fit(long_side=100).size(4001, 1) == (100, 2)


# Damage


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "libx264"), (".mkv", "libx264"), (".webm", "libvpx-vp9"), (".avi", "mpeg4")],
)
def test_a_file_cut_off_in_the_middle_is_read_up_to_there(tmp_path: Path, suffix: str, codec: str) -> None:
    path = clips.write_clip(
        tmp_path / f"cut{suffix}",
        clips.noise(60),
        30,
        codec=codec,
        container_options={"movflags": "faststart"} if suffix == ".mp4" else None,
    )
    with open_video(path) as video:
        whole = list(video)
    assert video.fault is None
    clips.cut(path, 0.6)
    with open_video(path) as video:
        frames = list(video)
    assert 20 < len(frames) < 45
    assert video.fault is not None
    assert video.fault.startswith("damaged at ")
    assert "\n" not in video.fault
    assert video.duration_s == pytest.approx(frames[-1].time_s + 1 / 30, abs=0.002)
    for before, after in zip(whole, frames[:-2], strict=False):
        np.testing.assert_array_equal(before.rgb, after.rgb)


def test_a_transport_stream_cut_off_is_a_shorter_one(tmp_path: Path) -> None:
    path = clips.cut(clips.write_clip(tmp_path / "cut.ts", clips.noise(60), 30), 0.6)
    with open_video(path) as video:
        assert 20 < len(list(video)) < 45


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_damage_in_the_middle_is_named_and_left_out(tmp_path: Path, suffix: str) -> None:
    path = clips.write_clip(tmp_path / f"bad{suffix}", clips.noise(60), 30)
    with open_video(path) as video:
        whole = {round(f.time_s, 3): f.rgb for f in video}
    clips.garble(path, 0.45, 0.55)
    with open_video(path) as video:
        frames = list(video)
    assert video.fault is not None
    time_s = float(video.fault.removeprefix("damaged at ").split(" s:")[0])
    assert 0.5 < time_s < 1.4
    assert 20 < len(frames) < 60
    assert frames[-1].time_s > 1.5, "what follows the damage is read again from the next key frame on"
    wrong = sum(not np.array_equal(whole[round(f.time_s, 3)], f.rgb) for f in frames)
    assert wrong <= 3


def test_damage_at_the_start_is_named(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "bad.mp4", clips.noise(60), 30)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start : start + len(data) // 4] = bytes(len(data) // 4)
    path.write_bytes(bytes(data))
    with open_video(path) as video:
        frames = list(video)
    assert frames[0].time_s == 0
    assert 20 < len(frames) < 50
    assert video.fault == "damaged at 0.0 s: the first pictures cannot be decoded and were left out"


def test_a_file_without_its_index_cannot_be_read(tmp_path: Path) -> None:
    path = clips.cut(clips.write_clip(tmp_path / "cut.mp4", clips.noise(30)), 0.5)
    assert "damaged from its start" in message_of(path)


def test_pictures_that_all_fail_to_decode_are_an_input_error(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "bad.mp4", clips.noise(30))
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    path.write_bytes(bytes(data))
    assert "no picture can be decoded" in message_of(path)


def test_ffmpeg_itself_stays_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = clips.garble(clips.write_clip(tmp_path / "bad.mp4", clips.noise(60)), 0.3, 0.5)
    capfd.readouterr()
    with open_video(path) as video:
        assert list(video)
    assert video.fault
    message_of(tmp_path / "missing.mp4")
    assert capfd.readouterr() == ("", "")


# What is no video


def test_missing_empty_and_wrong_files_have_their_own_lines(tmp_path: Path) -> None:
    assert "no such file" in message_of(tmp_path / "missing.mp4")
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "empty file" in message_of(empty)
    for name in ("notes.txt", "notes.mp4", "notes.md"):
        text = tmp_path / name
        text.write_text("not a video\n" * 200)
        assert "not a video" in message_of(text)
    assert "only sound" in message_of(clips.write_sound(tmp_path / "sound.m4a"))
    assert "no such file" in message_of(tmp_path / "missing.mp4" / "under")


def test_a_subtitle_file_has_no_video_stream(tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n\n" * 3)
    assert "no video stream" in message_of(path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(2))
    if os.geteuid() == 0:

        def refuse(*_: object, **__: object) -> None:
            raise av.error.PermissionError(13, "Permission denied")

        monkeypatch.setattr(av, "open", refuse)
    else:
        path.chmod(0)
    assert "no permission" in message_of(path)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_impossible_rates_are_refused(tmp_path: Path, rate: float) -> None:
    with pytest.raises(InputError, match="rate must be"):
        open_video(tmp_path, rate=rate)
    with pytest.raises(InputError, match="images a second"):
        open_video(clips.write_images(tmp_path, clips.grey_ramp(1)), folder_fps=rate)


def test_impossible_sizes_and_limits_are_refused(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", clips.grey_ramp(2))
    with pytest.raises(InputError, match="at least 2 pixels"):
        open_video(path, short_side=1)
    with pytest.raises(InputError, match="positive number of seconds"):
        open_video(path, limit_s=0)
    with pytest.raises(InputError, match="empty name"):
        open_video(" ")


def test_names_with_signs_that_ffmpeg_reads_specially(tmp_path: Path) -> None:
    for name in ("a:b.mp4", "50%d.mp4", "été [1].mp4", "-x.mp4"):
        path = clips.write_clip(tmp_path / "plain.mp4", clips.grey_ramp(2)).rename(tmp_path / name)
        with open_video(path) as video:
            assert len(list(video)) == 2
        assert video.name == str(path)
    with open_video((tmp_path / "été [1].mp4").as_uri()) as video:
        assert len(list(video)) == 2


# Addresses and cameras


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


def test_a_camera_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera.sys, "platform", "linux")
    assert "no camera at /dev/video93" in message_of("camera:93")
    with pytest.raises(InputError, match="needs a number"):
        open_video("camera:")


def test_a_camera_is_read_through_the_format_of_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clips.write_clip(tmp_path / "clip.mkv", clips.grey_ramp(30), 15)
    really, asked = av.open, []

    def pretend(file: str, *, format: str, options: dict[str, str], timeout: object) -> object:
        asked.append((file, format))
        return really(str(path))

    monkeypatch.setattr(camera.sys, "platform", "darwin")
    monkeypatch.setattr(camera.av, "open", pretend)
    with open_video("camera:0", rate=5, limit_s=1) as video:
        assert video.duration_s == 1
        times = [f.time_s for f in video]
    assert asked == [("0:none", "avfoundation")]
    assert times == pytest.approx([0, 0.2, 0.4, 0.6, 0.8], abs=0.01)


def test_a_camera_in_use_has_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise av.error.OSError(16, "Device or resource busy")

    monkeypatch.setattr(camera.sys, "platform", "darwin")
    monkeypatch.setattr(camera.av, "open", busy)
    text = message_of("camera:0")
    assert "device or resource busy" in text
    assert "no other program uses it" in text


def test_capture_arguments_of_each_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    assert capture_arguments("1", "linux")[:2] == ("/dev/video1", "v4l2")
    assert capture_arguments("/dev/video3", "linux")[:2] == ("/dev/video3", "v4l2")
    assert capture_arguments("1", "darwin")[:2] == ("1:none", "avfoundation")
    assert capture_arguments("HD Webcam", "win32")[:2] == ("video=HD Webcam", "dshow")
    device = type("Device", (), {"name": "cam", "description": "Camera", "media_types": ["video"]})
    monkeypatch.setattr("av.device.enumerate_input_devices", lambda _: [device()])
    assert dshow_name("0") == "cam"
    with pytest.raises(InputError, match="found: Camera"):
        dshow_name("1")


# Folders of images


def test_images_come_in_natural_order(tmp_path: Path) -> None:
    folder = clips.write_images(tmp_path / "frames", clips.grey_ramp(12))
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_text("not an image")
    with open_video(folder) as video:
        assert (video.fps, video.width, video.height) == (7.5, 64, 48)
        assert video.duration_s == pytest.approx(12 / 7.5)
        frames = list(video)
    assert [int(f.rgb[0, 0, 0]) for f in frames] == [int(r[0, 0, 0]) for r in clips.grey_ramp(12)]
    assert [f.time_s for f in frames] == pytest.approx([k / 7.5 for k in range(12)])
    assert video.fault is None
    with open_video(folder, folder_fps=30, rate=7.5, short_side=24) as video:
        frames = list(video)
    assert len(frames) == 3
    assert frames[0].rgb.shape == (24, 32, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".JPG"])
def test_image_formats(tmp_path: Path, suffix: str) -> None:
    with open_video(clips.write_images(tmp_path, [clips.corners()], suffix)) as video:
        assert seen_corners(next(iter(video)).rgb) == ("red", "green", "blue", "white")


def test_image_modes(tmp_path: Path) -> None:
    half = np.full((8, 8), 128, np.uint8)
    Image.fromarray(half).save(tmp_path / "1.png")
    Image.fromarray(half.astype(np.uint16) * 257).save(tmp_path / "2.png")
    Image.fromarray(half).convert("P").save(tmp_path / "3.png")
    Image.fromarray(np.dstack([np.full((8, 8, 3), 255, np.uint8), half])).save(tmp_path / "4.png")
    Image.fromarray(half).convert("CMYK").save(tmp_path / "5.jpg")
    with open_video(tmp_path) as video:
        frames = list(video)
    assert len(frames) == 5
    for frame in frames:
        assert frame.rgb.shape == (8, 8, 3)
        assert np.abs(frame.rgb.astype(int) - 128).max() <= 3


def test_orientation_of_photographs(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(clips.corners()).save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    with open_video(tmp_path) as video:
        assert (video.width, video.height) == (48, 64)
        assert seen_corners(next(iter(video)).rgb) == ("blue", "red", "white", "green")


def test_a_damaged_image_is_left_out_and_named(tmp_path: Path) -> None:
    folder = clips.write_images(tmp_path, clips.noise(5))
    clips.cut(folder / "frame3.png", 0.5)
    with open_video(folder) as video:
        assert [round(f.time_s * 7.5) for f in video] == [0, 1, 3, 4]
    assert video.fault == "damaged at 0.3 s: frame3.png cannot be read and was left out"
    clips.cut(folder / "frame1.png", 0.1)
    with open_video(folder) as video:
        assert [round(f.time_s * 7.5) for f in video] == [0, 2, 3]
    assert "frame1.png" in (video.fault or "")


def test_a_folder_without_images(tmp_path: Path) -> None:
    assert "a folder without images" in message_of(tmp_path)
    (tmp_path / "a.png").write_bytes(b"nonsense")
    assert "none of its 1 images can be read" in message_of(tmp_path)


def test_a_single_picture_is_a_short_video(tmp_path: Path) -> None:
    path = clips.write_images(tmp_path, [clips.corners()]) / "frame1.png"
    with open_video(path) as video:
        frames = list(video)
    assert len(frames) == 1
    assert seen_corners(frames[0].rgb) == ("red", "green", "blue", "white")


# Real clips


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
