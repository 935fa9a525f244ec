"""The live page in a real browser, mostly with the tiny model: green pictures are squats, blue is the phase."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from browser_window import Window, write_camera
from bundles import SQUAT, still, swinging, workout_pictures, write_bundle
from clips import write_clip
from exerlitenet.app.sessions import SessionLog
from exerlitenet.recognition.recognizer import Recognizer
from live_server import LiveServer, running

Open = Callable[..., Window]
SIZE = (160, 120)
REST: tuple[int, int, int] = (60, 60, 0)
"""Nothing, and not dark."""


WATCH_COUNTS = """() => {
  window.seen = [];
  let start = 0;
  const at = (id) => document.getElementById(id);
  at("video").addEventListener("playing", () => { start ||= performance.now(); });
  const note = () => window.seen.push([(performance.now() - start) / 1000, at("exercise").dataset.exercise,
    +at("repetitions").textContent]);
  new MutationObserver(note).observe(at("repetitions"), {childList: true, characterData: true, subtree: true});
}"""
"""Notes when the count changes, in seconds since the camera began."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("m") / "m")


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s of nothing, 3 squats in 6 s, 6 s of nothing, again and again."""
    pictures = [*[still(REST)] * 30, *swinging(SQUAT, 3, 6), *[still(REST)] * 90]
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
    window.wait("exercise === 'squat' && count === 3")
    assert window.text("exercise") == "Squat"
    assert int(window.text("confidence").removesuffix(" %")) > 60
    window.wait("sets === 1 && /done/.test(status)")
    assert window.sets == [("squat", 3)]
    assert window.page.inner_text("#rest").startswith("Rest")
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
    window.wait("/too dark/.test(document.getElementById('notice').textContent)")
    assert (window.text("exercise"), window.text("status")) == ("Ready", "You cannot be seen")


def test_two_tabs_count_for_themselves(server: LiveServer, camera: Path, open_window: Open) -> None:
    windows = [open_window(server.address, camera) for _ in range(2)]
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
    window.wait("/no.mp4/.test(document.getElementById('notice').textContent)")


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


@contextmanager
def program(model: Path, port: int, database: Path) -> Iterator[subprocess.Popen[str]]:
    """`exerlitenet live` as a program that listens; it is killed at the end of the block."""
    arguments = ["live", "--model", model, "--port", port, "--database", database]
    command = [sys.executable, "-m", "exerlitenet", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"open http://127.0.0.1:{port}/")
        yield process
        process.kill()


def test_a_server_that_is_killed_and_started_again(model: Path, tmp_path: Path, open_window: Open) -> None:
    """The page finds it again, goes on in its session, and no repetition that was shown is lost."""
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
        assert shown <= kept.repetitions <= shown + 1
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
    pictures += pictures[-1:] * 90  # held, so that the camera does not begin again
    camera = write_camera(tmp_path / "camera.mjpeg", pictures)
    with running(recognizer, tmp_path / "log.db") as server:
        window = open_window(server.address, camera)
        window.page.click("#start-camera")
        window.page.wait_for_timeout(1000 * (expected.duration_s + 3))
        window.page.click("#stop")
        window.wait("status === 'Camera off'")
        found = [s for s in server.log.sets() if s.exercise == expected.exercise]
    assert expected.exercise in (label, "none")
    assert abs(sum(s.repetitions for s in found) - expected.repetitions) <= 1


def test_the_sample_through_the_camera_with_the_model_that_ships(
    tmp_path: Path, open_window: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five squats and six curls; how long it takes is printed, not judged."""
    from exerlitenet.synthetic.sample import sample_clip

    clip = sample_clip()
    camera = write_camera(tmp_path / "camera.mjpeg", [*clip.frames, *[clip.frames[-1]] * 60], 15)
    with running(Recognizer.load(), tmp_path / "log.db") as server:
        window = open_window(server.address, camera)
        window.page.evaluate(WATCH_COUNTS)
        window.page.click("#start-camera")
        window.wait("/Ready|Exercising/.test(status)")
        window.page.wait_for_timeout(40_000)
        window.page.click("#stop")
        window.wait("status === 'Camera off'")
        assert [name for name, _ in window.sets] == ["squat", "biceps_curl"]
        assert all(abs(a - b) <= 1 for (_, a), b in zip(window.sets, (5, 6), strict=True))
        assert [(s.exercise, s.repetitions) for s in server.log.sets()] == window.sets
        shown = [
            (t, count) for t, name, count in window.page.evaluate("window.seen") if count and name != "none"
        ]
        facts = window.page.inner_text("#facts") or window.page.evaluate(
            "document.getElementById('facts').textContent"
        )
    with capsys.disabled():
        print("\nfar ends of repetitions:", json.dumps([round(t, 2) for t in clip.extremes_s]))
        print("counts shown at:", json.dumps([(round(t, 2), count) for t, count in shown]))
        print(" ".join(facts.split()))


def test_the_server_is_alive_while_the_page_is_used(
    server: LiveServer, camera: Path, open_window: Open
) -> None:
    window = open_window(server.address, camera)
    window.page.click("#start-camera")
    window.wait("/Ready|Exercising/.test(status)")
    with urlopen(f"{server.address}/healthz", timeout=60) as answer:
        assert json.load(answer)["streams"] == 1
    window.page.close()
