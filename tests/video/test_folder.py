"""Folders of images as videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clips
from clips import message_of, seen_corners
from exerlitenet.video.source import open_video


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
