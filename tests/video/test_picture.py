"""Pictures as they are stored, seen upright, in RGB and at the size that is wanted."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import ExifTags, Image

import clips
from clips import message_of, seen_corners
from exerlitenet.video.picture import Fit
from exerlitenet.video.source import open_video


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
def test_transparency_is_over_black(tmp_path: Path, codec: str, suffix: str, pix_fmt: str) -> None:
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


EXIF_ORIENTATIONS = {
    1: ("red", "green", "blue", "white"),
    3: ("white", "blue", "green", "red"),
    6: ("blue", "red", "white", "green"),
    8: ("green", "white", "red", "blue"),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff", ".avif"])
def test_a_picture_with_exif_is_read_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    """Mirrored pictures, which hardly any camera writes, may stay mirrored, but are read."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "a camera"
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(clips.corners((64, 32))).save(path, exif=exif, quality=100)
    with open_video(path) as video:
        [frame] = list(video)
    assert frame.rgb.shape[2] == 3
    if suffix in (".jpg", ".png") and orientation in EXIF_ORIENTATIONS:
        assert seen_corners(frame.rgb) == EXIF_ORIENTATIONS[orientation]


def test_every_frame_of_an_mjpeg_file_with_exif_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "a camera"
    photo = tmp_path / "photo.jpg"
    Image.fromarray(clips.corners((64, 32))).save(photo, exif=exif, quality=100)
    path = tmp_path / "photos.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuvj420p"
        for k in range(5):
            packet = av.Packet(photo.read_bytes())
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, k, k, True
            packet.time_base = Fraction(1, 10)
            container.mux(packet)
    with open_video(path) as video:
        assert [seen_corners(frame.rgb) for frame in video] == [("red", "green", "blue", "white")] * 5
