"""Opening a camera device through FFmpeg's capture formats."""

from __future__ import annotations

import sys
from pathlib import Path

import av
from av.container import InputContainer

from exerlitenet.errors import InputError

PREFIX = "camera:"


def open_camera(name: str) -> InputContainer:
    """Opens "camera:0", "camera:/dev/video2" or, where devices have names, "camera:NAME".

    Linux uses v4l2, macOS avfoundation, Windows dshow. Raises InputError where there is no such camera or it
    is in use.
    """
    device = name.removeprefix(PREFIX).strip()
    if not device:
        raise InputError('a camera needs a number, such as "camera:0"')
    file, capture, options = capture_arguments(device, sys.platform)
    if capture == "v4l2" and not Path(file).exists():
        found = ", ".join(sorted(p.name for p in Path("/dev").glob("video*"))) or "none"
        raise InputError(f"{name}: no camera at {file} (found: {found}); plug one in or give another number")
    try:
        return av.open(file, format=capture, options=options, timeout=(20.0, 10.0))
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(
            f"{name}: the camera cannot be opened ({reason(error)}); check that it is plugged in, that no"
            " other program uses it and that this one may"
        ) from error


def capture_arguments(device: str, platform: str) -> tuple[str, str, dict[str, str]]:
    """File, format and options for FFmpeg; `platform` as in sys.platform."""
    if platform == "darwin":
        return f"{device}:none", "avfoundation", {"framerate": "30"}
    if platform == "win32":
        return f"video={dshow_name(device)}", "dshow", {"rtbufsize": "64M"}
    return (f"/dev/video{device}" if device.isdecimal() else device), "v4l2", {}


def dshow_name(device: str) -> str:
    """Windows names its cameras: the name of the n-th one, or what was given if that is no number."""
    if not device.isdecimal():
        return device
    try:
        from av.device import enumerate_input_devices
    except ImportError as error:
        raise InputError("this version of PyAV cannot number cameras; give its name: camera:NAME") from error
    cameras = [d for d in enumerate_input_devices("dshow") if "video" in d.media_types]
    if int(device) >= len(cameras):
        found = ", ".join(d.description or d.name for d in cameras) or "none"
        raise InputError(
            f"camera:{device}: no such camera (found: {found}); plug one in or give another number"
        )
    return cameras[int(device)].name


def reason(error: Exception) -> str:
    """FFmpeg's reason in a few words, without its number."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).lower()
