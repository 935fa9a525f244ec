"""A real browser whose camera plays a clip. Without Playwright or Chromium these tests skip, except in CI."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CAMERA_FPS = 30
"""At which Chromium plays an MJPEG file, whatever it says."""


def write_camera(path: Path, pictures: Iterable[NDArray[np.uint8]], fps: int = 15) -> Path:
    """Pictures (uint8 [h, w, 3]) as a file that Chromium plays as a camera, over and over. fps: divides 30."""
    with av.open(str(path), "w", format="mjpeg") as container:
        ticks = count()
        stream = None
        for rgb in pictures:
            height, width = (side // 2 * 2 for side in rgb.shape[:2])
            if stream is None:
                stream = container.add_stream("mjpeg", rate=CAMERA_FPS)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
                stream.options = {"qmin": "2", "qmax": "4"}
            pixels = np.ascontiguousarray(rgb[:height, :width])
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuvj420p")
            for _ in range(CAMERA_FPS // fps):
                frame.pts, frame.time_base = next(ticks), Fraction(1, CAMERA_FPS)
                container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode(None))
    return path


def a_browser() -> Any:
    """Playwright as a context manager. Without it or Chromium the test is skipped, but where CI is set it fails."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        if os.environ.get("CI"):
            raise
        pytest.skip("Playwright is not installed")
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "Chromium is missing"
        pytest.skip("there is no Chromium here")
    return sync_playwright()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """Ends with its file: a process that runs another file's browser next can have only one at a time."""
    with a_browser() as it:
        yield it


class Window:
    """A tab of the live page, and what went wrong in it."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda m: m.type == "error" and self.faults.append(m.text))
        page.on("request", lambda request: self.hosts.add(request.url))

    def text(self, name: str) -> str:
        return str(self.page.get_by_test_id(name).inner_text())

    @property
    def repetitions(self) -> int:
        return int(self.text("repetitions"))

    @property
    def sets(self) -> list[tuple[str, int]]:
        """Sets of the list, the first one first."""
        rows = self.page.eval_on_selector_all(
            "[data-testid=history] li", "rows => rows.map(r => [r.dataset.exercise, +r.dataset.repetitions])"
        )
        return [(exercise, repetitions) for exercise, repetitions in reversed(rows)]

    def wait(self, condition: str, seconds: float = 120) -> None:
        """Until a condition in JavaScript holds.

        At hand in it: status, exercise, sure (%), count, sets (how many), notice, rest, and light (%), what the server
        says of the brightness. What belongs together must be asked for together, since it may be over soon.
        """
        values = (
            "const at = (n) => document.querySelector(`[data-testid=${n}]`);"
            "const status = at('status').textContent, exercise = at('exercise').dataset.exercise,"
            "count = +at('repetitions').textContent, sets = at('history').children.length,"
            "sure = parseInt(at('confidence').textContent),"
            "[notice, rest] = ['notice', 'rest'].map((n) => document.getElementById(n))"
            ".map((e) => e.checkVisibility() ? e.textContent : ''),"
            "light = +/Light(\\d+)/.exec(document.getElementById('facts').textContent)?.[1];"
        )
        self.page.wait_for_function(f"() => {{ {values} return {condition}; }}", timeout=1000 * seconds)


@pytest.fixture
def open_window(playwright: Any) -> Iterator[Callable[..., Window]]:
    """Opens the live page; at the end nothing may have gone wrong in it, and it may have asked nobody else."""
    browsers: dict[Path | None, Any] = {}
    windows: list[tuple[Window, bool]] = []

    def open_(
        address: str,
        camera: Path | None = None,
        *,
        refused: bool = False,
        faults: bool = False,
        **window: Any,
    ) -> Window:
        """camera: a file that plays as one, None for a computer without. faults: whether errors are expected."""
        if camera not in browsers:
            arguments = ["--no-sandbox", "--mute-audio"]
            if camera is not None:
                arguments += [
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-video-capture={camera}",
                ]
            browsers[camera] = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browsers[camera].new_context(
            **{
                "viewport": {"width": 1280, "height": 800},
                "permissions": [] if refused else ["camera"],
                **window,
            }
        )
        it = Window(context.new_page(), address)
        windows.append((it, faults))
        it.page.goto(address)
        return it

    yield open_
    for browser in browsers.values():
        browser.close()
    for window, expected in windows:
        assert expected or window.faults == []
        assert [
            h for h in window.hosts if not h.startswith(window.address) and not re.match("data:|blob:", h)
        ] == []
