"""Cameras, in place of which FFmpeg reads files."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

import clips
from clips import message_of
from exerlitenet.errors import InputError
from exerlitenet.video import camera
from exerlitenet.video.camera import capture_arguments, dshow_name
from exerlitenet.video.source import open_video


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
