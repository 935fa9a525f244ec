"""The live page in a real browser, mostly with the tiny model: green pictures are squats, blue is the phase."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from urllib.request import urlopen

import numpy as np
import pytest

from browser_window import Window, write_camera
from bundles import SQUAT, still, swinging, workout_pictures, write_bundle
from clips import write_clip
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.recognition.recognizer import Recognizer
from live_server import LiveServer, running

pytestmark = pytest.mark.slow

Open = Callable[..., Window]
SIZE = (160, 120)
REST: tuple[int, int, int] = (60, 60, 0)
"""Nothing, and not dark."""


WATCH = """() => {
  window.seen = [];
  const at = (id) => document.getElementById(id);
  const begun = {};
  at("start-camera").addEventListener("click", () => { begun.pressed ??= performance.now(); }, true);
  at("video").addEventListener("playing", () => { begun.playing ??= performance.now(); });
  const since = (moment) => (performance.now() - moment) / 1000;
  const note = () => window.seen.push([since(begun.pressed), since(begun.playing), at("status").textContent,
    at("exercise").dataset.exercise, +at("repetitions").textContent]);
  for (const name of ["status", "exercise", "repetitions"]) {
    new MutationObserver(note).observe(at(name), {childList: true, characterData: true, subtree: true});
  }
}"""
"""Notes what the page shows: seconds since start was pressed, and since the camera began; status, exercise, count."""


def then_white(pictures: list[np.ndarray]) -> Iterator[np.ndarray]:
    """The pictures, the last one held for 2 s, and 40 s of white, by which a test sees that they are over."""
    yield from pictures
    yield from [pictures[-1]] * 30
    yield from [np.full_like(pictures[-1], 255)] * 600


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("m") / "m")


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s of nothing, 3 squats in 6 s, and nothing for so long that no test sees it begin again."""
    pictures = [*[still(REST)] * 30, *swinging(SQUAT, 3, 6), *[still(REST)] * 1800]
    return write_camera(tmp_path_factory.mktemp("c") / "camera.mjpeg", enlarged(pictures))


def enlarged(pictures: list[np.ndarray]) -> Iterator[np.ndarray]:
    for picture in pictures:
        yield np.broadcast_to(picture[0, 0], (SIZE[1], SIZE[0], 3))


@pytest.fixture
def server(model: Path, tmp_path: Path) -> Iterator[LiveServer]:
    with running(Recognizer.load(model), tmp_path / "log.db") as it:
        yield it


def test_from_the_camera_to_the_history(server: LiveServer, camera: Path, open_window: Open) -> None:
    window = open_window(server.address, camera)
    assert window.text("status") == "Camera off"
    window.page.fill("#goal", "3")
    window.page.press("#goal", "Tab")
    window.page.click("#start-camera")
    window.wait("exercise === 'squat' && count === 3 && sure > 60")
    assert window.text("exercise") == "Squat"
    window.wait("sets === 1 && /done/.test(status) && /^\\s*Rest/.test(rest)")
    assert window.sets == [("squat", 3)]
    window.page.click("#stop")
    window.wait("status === 'Camera off'")
    assert [(s.exercise, s.repetitions, s.finished) for s in server.log.sets()] == [("squat", 3, True)]
    assert [(s.source, s.model) for s in server.log.sessions()] == [("camera", "tiny")]
    window.page.click("nav >> text=History")
    window.page.wait_for_selector("[data-set]")
    assert window.page.locator("[data-set]").count() == 1
    assert "3" in window.page.locator("[data-set]").inner_text()


def test_a_camera_that_is_refused_or_missing_is_said(
    server: LiveServer, camera: Path, open_window: Open
) -> None:
    refused = open_window(server.address, camera, refused=True)
    refused.page.click("#start-camera")
    refused.wait("status === 'Not started'")
    assert "blocked" in refused.page.inner_text("#notice")
    missing = open_window(server.address)
    missing.page.click("#start-camera")
    missing.wait("status === 'Not started'")
    assert "No camera was found" in missing.page.inner_text("#notice")
    # And the page can still be used.
    assert missing.page.is_enabled("#start-file")


def test_darkness_is_said(server: LiveServer, tmp_path: Path, open_window: Open) -> None:
    dark = write_camera(tmp_path / "dark.mjpeg", enlarged([still((2, 2, 2))] * 30))
    window = open_window(server.address, dark)
    window.page.click("#start-camera")
    window.wait("/too dark/.test(notice)")
    assert (window.text("exercise"), window.text("status")) == ("Ready", "You cannot be seen")


def test_two_browsers_count_for_themselves(
    server: LiveServer, camera: Path, tmp_path: Path, open_window: Open
) -> None:
    # Of two tabs of one browser the second would find the camera in the middle of its file.
    windows = [open_window(server.address, file) for file in (camera, copy(camera, tmp_path / "b.mjpeg"))]
    for window in windows:
        window.page.click("#start-camera")
    for window in windows:
        window.wait("sets === 1")
        assert window.sets == [("squat", 3)]
    assert [len(s.sets) for s in server.log.sessions()] == [1, 1]


def test_a_file_is_played_and_counted_as_recognize_does(
    server: LiveServer, model: Path, tmp_path: Path, open_window: Open
) -> None:
    video = write_clip(tmp_path / "video.mp4", list(enlarged(workout_pictures()))[30:], 15)
    expected = [(s.exercise, s.repetitions) for s in Recognizer.load(model).recognize(video).segments]
    window = open_window(server.address)
    window.page.set_input_files("#file", video)
    window.wait("status === 'The clip is over'")
    assert window.sets == expected
    assert server.log.sets() == ()  # a file is not today's workout, unless it is said to be


def test_a_file_that_the_browser_cannot_play_is_read_by_the_server(
    server: LiveServer, model: Path, tmp_path: Path, open_window: Open
) -> None:
    video = write_clip(tmp_path / "video.avi", enlarged(workout_pictures()), 15, codec="mpeg4")
    expected = [(s.exercise, s.repetitions) for s in Recognizer.load(model).recognize(video).segments]
    window = open_window(server.address, faults=True)
    window.page.set_input_files("#file", video)
    window.wait("/video.avi: read/.test(status)")
    assert window.sets == expected
    assert window.page.inner_text("#notice") == "4 squats, 5 biceps curls"
    window.page.set_input_files("#file", {"name": "no.mp4", "mimeType": "video/mp4", "buffer": b"no video"})
    window.wait("/no.mp4/.test(notice)")


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


@contextmanager
def program(model: Path, port: int, database: Path) -> Iterator[subprocess.Popen[str]]:
    """`exerlitenet live` as a program that listens; it is killed at the end of the block.

    A set continues however long the program takes to start again.
    """
    patient = "import sys; from exerlitenet.app import recorder; from exerlitenet.cli import main; "
    patient += "recorder.RESUMED_S = 600.0; main()"
    arguments = ["live", "--model", model, "--port", port, "--database", database]
    command = [sys.executable, "-c", patient, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"open http://127.0.0.1:{port}/")
        yield process
        process.kill()


def test_a_server_that_is_killed_and_started_again(model: Path, tmp_path: Path, open_window: Open) -> None:
    """The page finds it again, continues its session, and no repetition that was shown is lost."""
    pictures = swinging(SQUAT, 30, 60)
    camera = write_camera(tmp_path / "camera.mjpeg", enlarged(pictures))
    database, port = tmp_path / "log.db", free_port()
    with program(model, port, database):
        window = open_window(f"http://127.0.0.1:{port}", camera, faults=True)
        window.page.click("#start-camera")
        window.wait("count >= 3")
    window.wait("/lost/.test(status)")
    shown = window.repetitions
    with SessionLog(database) as log:
        [kept] = log.sets()
        assert shown <= kept.repetitions <= 30
        before = kept.repetitions
    with program(model, port, database):
        window.wait(f"count >= {before + 2}")
        window.page.click("#stop")
        window.wait("status === 'Camera off'")
        [(exercise, count)] = window.sets
        with SessionLog(database) as log:
            assert [(s.exercise, s.repetitions) for s in log.sets()] == [(exercise, count)]
            assert count >= before + 2
            assert len(log.sessions()) == 1


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_scrolls_one_way_only(server: LiveServer, open_window: Open, width: int) -> None:
    window = open_window(
        server.address, viewport={"width": width, "height": 844}, is_mobile=True, has_touch=True
    )
    assert window.page.evaluate("document.documentElement.scrollWidth") <= width
    small = window.page.evaluate(
        "[...document.querySelectorAll('button, select, input:not([type=file]), .switch')]"
        ".filter(e => e.offsetParent && !e.closest('.switch > *') && e.type !== 'checkbox')"
        ".filter(e => e.getBoundingClientRect().height < 43).map(e => e.id || e.textContent)"
    )
    assert small == []


def test_every_control_has_a_name_and_can_be_reached_by_key(server: LiveServer, open_window: Open) -> None:
    window = open_window(server.address)
    seen = []
    for _ in range(30):
        window.page.keyboard.press("Tab")
        seen.append(window.page.evaluate("document.activeElement.id"))
    for name in (
        "start-camera",
        "start-sample",
        "start-file",
        "mirror",
        "sound",
        "goal",
        "rest-goal",
        "log-files",
    ):
        assert name in seen
    unnamed = window.page.evaluate(
        "[...document.querySelectorAll('button, select, input:not([type=file])')]"
        ".filter(e => !e.textContent.trim() && !e.labels?.length).map(e => e.id)"
    )
    assert unnamed == []


def clips() -> list[tuple[Path, str]]:
    """One short real clip of each exercise."""
    folder = os.environ.get("EXERLITENET_CLIPS")
    if not folder:
        return []
    import csv

    with (Path(folder) / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chosen = []
    for label in ("squat", "biceps_curl"):
        fitting = [
            r for r in rows if r["label"] == label and (r.get("repetitions") or "0") in ("3", "4", "5")
        ]
        chosen += [(Path(folder) / r["file"], label) for r in fitting[:1]]
    return chosen


@pytest.mark.parametrize(("video", "label"), clips() or [(None, "")])
def test_a_real_clip_as_the_camera_is_counted_as_from_the_file(
    video: Path | None, label: str, tmp_path: Path, open_window: Open
) -> None:
    """Within one repetition."""
    if video is None:
        pytest.skip("EXERLITENET_CLIPS names no folder of real clips")
    from exerlitenet.video.source import open_video

    recognizer = Recognizer.load()
    expected = recognizer.recognize(video)
    with open_video(video, rate=15, short_side=360) as source:
        pictures = [frame.rgb for frame in source]
    camera = write_camera(tmp_path / "camera.mjpeg", then_white(pictures))
    with running(recognizer, tmp_path / "log.db") as server:
        window = open_window(server.address, camera)
        window.page.click("#start-camera")
        window.wait("light >= 97")
        window.page.click("#stop")
        window.wait("status === 'Camera off'")
        found = [s for s in server.log.sets() if s.exercise == expected.exercise]
    assert expected.exercise in (label, "none")
    assert abs(sum(s.repetitions for s in found) - expected.repetitions) <= 1


def test_the_sample_through_the_camera_with_the_model_that_ships(
    tmp_path: Path, open_window: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five squats and six curls; how long it takes is printed, not checked."""
    from exerlitenet.synthetic.sample import sample_clip

    clip = sample_clip()
    camera = write_camera(tmp_path / "camera.mjpeg", then_white(list(clip.frames)))
    with running(Recognizer.load(), tmp_path / "log.db") as server:
        window = open_window(server.address, camera)
        window.page.evaluate(WATCH)
        window.page.click("#start-camera")
        window.wait("light >= 97", 300)
        window.page.click("#stop")
        window.wait("status === 'Camera off'")
        assert [name for name, _ in window.sets] == ["squat", "biceps_curl"]
        assert all(abs(a - b) <= 1 for (_, a), b in zip(window.sets, (5, 6), strict=True))
        assert [(s.exercise, s.repetitions) for s in server.log.sets()] == window.sets
        seen = window.page.evaluate("window.seen")
        facts = window.page.locator("#facts").evaluate(
            "e => [...e.children].map(c => c.textContent).join(' ')"
        )
    answered_s = next(pressed for pressed, _, status, *_ in seen if re.match("Ready|Exercising", status))
    counts = {(name, count): t for _, t, _, name, count in reversed(seen) if count}
    with capsys.disabled():
        print(f"\nfirst answer {answered_s:.2f} s after start was pressed")
        print("peaks of repetitions:", [round(t, 2) for t in clip.extremes_s])
        print(
            "counts shown:", [(round(t, 2), *what) for what, t in sorted(counts.items(), key=lambda i: i[1])]
        )
        print(facts)


def test_the_server_is_alive_while_the_page_is_used(
    server: LiveServer, camera: Path, open_window: Open
) -> None:
    window = open_window(server.address, camera)
    window.page.click("#start-camera")
    window.wait("/Ready|Exercising/.test(status)")
    with urlopen(f"{server.address}/healthz", timeout=60) as answer:
        assert json.load(answer)["streams"] == 1
    window.page.close()
