"""What is drawn onto frames, and the video that comes of it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import clips
from exerlitenet.errors import InputError
from exerlitenet.results import Segment, Workout
from exerlitenet.video import annotate
from exerlitenet.video.annotate import annotate_video
from exerlitenet.video.overlay import (
    Overlay,
    clock_text,
    exercise_colour,
    exercise_title,
    repetitions_done,
    segment_at,
)
from exerlitenet.video.source import open_video

SQUATS = Segment(1.0, 4.0, "squat", 0.92, 3, (1.5, 2.5, 3.5))
CURLS = Segment(6.0, 8.0, "biceps_curl", 0.64, 2, (6.5, 7.5))
WORKOUT = Workout((SQUATS, CURLS), (), 10.0)


def draw_overlay(rgb: np.ndarray, workout: Workout, time_s: float, duration_s: float) -> np.ndarray:
    return Overlay(workout, duration_s, rgb.shape[1], rgb.shape[0]).draw(rgb, time_s)


def flat(value: int, size: tuple[int, int] = (320, 240)) -> np.ndarray:
    return np.full((size[1], size[0], 3), value, np.uint8)


def differs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a.astype(int) != b).any(axis=2)


def near(rgb: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(rgb.astype(int) - colour) <= 12).all(axis=2)


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (320, 240), (64, 48), (33, 200), (2, 2)])
def test_a_frame_keeps_its_shape_and_its_middle(size: tuple[int, int]) -> None:
    frame = flat(128, size)
    before = frame.copy()
    for time_s in (0.0, 2.0, 5.0, 7.0, 12.0):
        out = draw_overlay(frame, WORKOUT, time_s, 10)
        assert out.shape == frame.shape
        assert out.dtype == np.uint8
        np.testing.assert_array_equal(frame, before)
        if min(size) >= 200:
            height = size[1]
            assert not differs(out, frame)[height * 5 // 10 : height * 8 // 10].any()
            assert differs(out, frame)[: height // 3].any()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_text_stands_out_on_bright_and_dark(value: int) -> None:
    out = draw_overlay(flat(value), WORKOUT, 2.0, 10)[:80, :200]
    panel = out[8:60, 8:140].astype(int).sum(axis=2)
    assert panel.max() > 3 * 230, "white letters"
    assert np.median(panel) < 3 * 90, "on a dark veil"


def test_the_panel_changes_with_exercise_and_count_only() -> None:
    def panel(time_s: float) -> bytes:
        return draw_overlay(flat(128), WORKOUT, time_s, 10)[:100].tobytes()

    assert panel(1.6) == panel(2.4)
    assert len({panel(t) for t in (0.5, 1.2, 1.6, 2.6, 3.6, 6.1, 6.6)}) == 7
    assert panel(0.5) == panel(5.0)


def test_the_timeline_holds_the_segments_where_they_are() -> None:
    out = draw_overlay(flat(60, (640, 360)), WORKOUT, 0.0, 10)
    unit = 360 / 24
    row = out[round(360 - round(2.9 * unit) + 2.0 * unit)]
    left, right = 0.9 * unit, 640 - 0.9 * unit

    def seconds(colour: tuple[int, int, int]) -> np.ndarray:
        return (np.flatnonzero(near(row[None], colour)[0]) - left) / (right - left) * 10

    squats, curls = seconds(exercise_colour("squat")), seconds(exercise_colour("biceps_curl"))
    assert (squats.min(), squats.max()) == (pytest.approx(1, abs=0.1), pytest.approx(4, abs=0.1))
    assert (curls.min(), curls.max()) == (pytest.approx(6, abs=0.1), pytest.approx(8, abs=0.1))


def test_the_cursor_moves_with_the_time() -> None:
    overlay = Overlay(WORKOUT, 10, 640, 360)
    base = flat(60, (640, 360))
    places = []
    for time_s in (0.0, 2.5, 5.0, 10.0, 99.0):
        strip = overlay.draw(base, time_s)[330:354]
        places.append(float(np.flatnonzero(near(strip, (255, 255, 255)).sum(axis=0) > 5).mean()))
    assert np.diff(places[:4]) == pytest.approx([153, 153, 306], abs=4)
    assert places[4] == places[3]


def test_no_segments_and_no_duration_are_drawn_too() -> None:
    out = draw_overlay(flat(128), Workout((), ()), 3.0, 0.0)
    assert differs(out, flat(128)).any()


def test_segments_and_counts_at_a_time() -> None:
    assert segment_at(WORKOUT, 0.99) is None
    assert segment_at(WORKOUT, 1.0) is SQUATS
    assert segment_at(WORKOUT, 4.0) is None
    assert segment_at(WORKOUT, 7.99) is CURLS
    assert [repetitions_done(SQUATS, t) for t in (1.0, 1.5, 2.0, 3.5, 3.9)] == [0, 1, 1, 3, 3]
    assert repetitions_done(Segment(0, 1, "squat", 1, 4), 0.1) == 4


def test_words() -> None:
    assert exercise_title("biceps_curl") == "Biceps curl"
    assert exercise_title("none") == "No exercise"
    assert [clock_text(s) for s in (0, 59.9, 61, 3661)] == ["0:00", "0:59", "1:01", "1:01:01"]
    assert exercise_colour("lunge") == exercise_colour("lunge")
    assert exercise_colour("squat") != exercise_colour("biceps_curl")


# Files


def test_the_annotated_video_has_every_frame_at_its_time(tmp_path: Path) -> None:
    times = [0.0, 0.033, 0.4, 0.41, 1.25, 1.5, 2.0, 2.001]
    video = clips.write_clip(
        tmp_path / "in.mkv", clips.grey_ramp(8, (321, 241)), times_s=times, pix_fmt="yuv444p"
    )
    out = tmp_path / "out.mp4"
    shares: list[float] = []
    annotate_video(video, Workout(WORKOUT.segments, (), 2.04), out, on_progress=shares.append)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.pix_fmt) == (322, 242, "yuv420p")
        frames = list(container.decode(stream))
    assert [float(f.time) for f in frames] == pytest.approx(times, abs=0.002)
    for frame, original in zip(frames, clips.grey_ramp(8), strict=True):
        middle = frame.to_ndarray(format="rgb24")[140:180, 150:200]
        assert abs(float(middle.mean()) - float(original.mean())) < 4
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mkv", "out.mp4"]


def test_large_and_turned_videos_are_scaled(tmp_path: Path) -> None:
    video = clips.write_clip(tmp_path / "in.mp4", [clips.corners((1920, 1080))] * 2, rotation=90)
    annotate_video(video, WORKOUT, tmp_path / "out.mp4")
    with open_video(tmp_path / "out.mp4") as result:
        assert (result.width, result.height) == (720, 1280)
        rgb = next(iter(result)).rgb
    assert near(rgb[500:600, 100:300], (0, 255, 0)).mean() > 0.9


def test_images_of_several_sizes_become_one_video(tmp_path: Path) -> None:
    folder = clips.write_images(tmp_path / "images", [clips.corners((64, 48)), clips.corners((30, 90))])
    annotate_video(folder, WORKOUT, tmp_path / "out.mp4")
    with open_video(tmp_path / "out.mp4") as result:
        assert [f.rgb.shape for f in result] == [(48, 64, 3)] * 2


def test_a_damaged_video_is_annotated_as_far_as_it_goes(tmp_path: Path) -> None:
    video = clips.write_clip(
        tmp_path / "in.mp4", clips.noise(60), container_options={"movflags": "faststart"}
    )
    clips.cut(video, 0.6)
    annotate_video(video, WORKOUT, tmp_path / "out.mp4")
    with open_video(tmp_path / "out.mp4") as result:
        assert 20 < len(list(result)) < 45


def test_an_older_result_is_replaced(tmp_path: Path) -> None:
    video = clips.write_clip(tmp_path / "in.mp4", clips.grey_ramp(3))
    out = tmp_path / "out.MP4"
    out.write_text("old")
    annotate_video(video, WORKOUT, out)
    with open_video(out) as result:
        assert len(list(result)) == 3


@pytest.mark.parametrize("name", ["out.avi", "out", "out.mp4.txt"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    video = clips.write_clip(tmp_path / "in.mp4", clips.grey_ramp(3))
    with pytest.raises(InputError, match=r"must be an \.mp4 file"):
        annotate_video(video, WORKOUT, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    video = clips.write_clip(tmp_path / "in.mp4", clips.grey_ramp(3))
    with pytest.raises(InputError, match="create it first"):
        annotate_video(video, WORKOUT, tmp_path / "missing" / "out.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match="a folder of that name"):
        annotate_video(video, WORKOUT, tmp_path / "folder.mp4")
    with pytest.raises(InputError, match="the source itself"):
        annotate_video(video, WORKOUT, tmp_path / "." / "in.mp4")
    with pytest.raises(InputError, match="cannot be written"):
        annotate_video(video, WORKOUT, tmp_path / ("x" * 300 + ".mp4"))
    with open_video(video) as intact:
        assert len(list(intact)) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.mp4", "in.mp4"]


def test_sources_that_cannot_be_read_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        annotate_video(tmp_path / "missing.mp4", WORKOUT, tmp_path / "out.mp4")
    with pytest.raises(InputError, match="camera"):
        annotate_video("camera:0", WORKOUT, tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), av.error.OSError(28, "No space left on device")])
def test_a_break_off_leaves_the_older_result_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    video = clips.write_clip(tmp_path / "in.mp4", clips.grey_ramp(30))
    out = tmp_path / "out.mp4"
    out.write_text("old")

    def stop(share: float) -> None:
        if share > 0.05:
            raise error

    expected = InputError if isinstance(error, av.error.FFmpegError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        annotate_video(video, WORKOUT, out, on_progress=stop)
    if expected is InputError:
        assert "no space left on device" in str(caught.value)
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_without_an_encoder_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = clips.write_clip(tmp_path / "in.mp4", clips.grey_ramp(3))

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("no such codec")

    monkeypatch.setattr(annotate.av.container.OutputContainer, "add_stream", refuse, raising=True)
    with pytest.raises(InputError, match=r"no H\.264 encoder"):
        annotate_video(video, WORKOUT, tmp_path / "out.mp4")
