"""Damaged files, and files that are no video: what can be used, and what is said."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clips
from clips import message_of
from exerlitenet.errors import InputError
from exerlitenet.video.presentation import seconds
from exerlitenet.video.source import open_video


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


@given(st.integers(-(2**40), 2**40), st.integers(1, 100_000), st.integers(1, 10_000_000))
def test_seconds_are_rounded_once(ticks: int, over: int, under: int) -> None:
    assert seconds(ticks, Fraction(over, under)) == float(ticks * Fraction(over, under))
