"""What the page shows, says and asks, with a server that the test plays itself: nothing here depends on pace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from browser_window import Window
from bundles import still, write_bundle
from exerlitenet.recognition.recognizer import Recognizer
from live_server import LiveServer, running

pytestmark = pytest.mark.slow

Open = Callable[..., Window]
HELLO = {
    "type": "hello",
    "version": "0",
    "model": "played",
    "classes": ["squat", "biceps_curl", "none"],
    "short_side": 48,
    "rate": 7.5,
    "send_rate": 15.0,
    "window_s": 1.867,
    "frame_bytes": 1 << 20,
}


class Played:
    """The server's side of the page's WebSocket."""

    def __init__(self) -> None:
        self.socket: Any = None
        self.commands: list[dict[str, Any]] = []
        self.pictures = 0
        self.number = 0
        self.greets = True

    def opened(self, socket: Any) -> None:
        self.socket = socket
        socket.on_message(self._heard)
        if self.greets:
            self.tell(HELLO)

    def greet(self) -> None:
        """Says what it held back from a connection while `greets` was false, and greets from now on."""
        self.greets = True
        self.tell(HELLO)

    def _heard(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.pictures += 1
            self.number = int.from_bytes(message[8:12], "little")
            return
        command = json.loads(message)
        self.commands.append(command)
        if command["type"] == "start":
            self.tell({"type": "session", "session": command["session"], "log": True, "trouble": None})
        if command["type"] == "stop":
            self.tell({"type": "stopped", "received": self.pictures, "dropped": 0})

    def tell(self, message: dict[str, Any]) -> None:
        self.socket.send(json.dumps(message))

    def state(self, time_s: float, item: dict[str, Any] | None = None, **more: Any) -> None:
        """A state with the running set `item`."""
        self.tell(
            {
                "type": "state",
                "seq": self.number,
                "time_s": time_s,
                "status": "exercising" if item else "watching",
                "exercise": item["exercise"] if item else "none",
                "confidence": item["confidence"] if item else 0,
                "repetitions": item["repetitions"] if item else 0,
                "probabilities": {"squat": 0.8, "biceps_curl": 0.1, "none": 0.1},
                "phase": 0.5,
                "phase_time_s": time_s - 0.4,
                "brightness": 0.5,
                "person": True,
                "received": self.pictures,
                "dropped": 0,
                "latency_ms": 12.0,
                "set": item,
                **more,
            }
        )


def squats(*times: float, exercise: str = "squat") -> dict[str, Any]:
    """A set with its repetitions at these times."""
    return {
        "exercise": exercise,
        "start_s": 1.0,
        "end_s": times[-1] + 1 if times else 2.0,
        "confidence": 0.83,
        "repetitions": len(times),
        "repetition_times_s": list(times),
        "tempo_s": [round(b - a, 3) for a, b in pairwise(times)],
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serves the page; its own stream is not used."""
    folder = tmp_path_factory.mktemp("s")
    with running(Recognizer.load(write_bundle(folder / "m")), folder / "log.db") as it:
        yield it


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import numpy as np

    from browser_window import write_camera

    picture = np.broadcast_to(still((90, 90, 90))[0, 0], (120, 160, 3))
    return write_camera(tmp_path_factory.mktemp("c") / "camera.mjpeg", [picture] * 30)


@pytest.fixture
def started(server: LiveServer, camera: Path, open_window: Open) -> Callable[..., tuple[Window, Played]]:
    """Opens the page, prepares it, and starts its camera."""

    def start(script: str = "", **settings: Any) -> tuple[Window, Played]:
        window = open_window("about:blank", camera)
        window.address = server.address
        played = Played()
        window.page.route_web_socket("**/ws", played.opened)
        window.page.add_init_script(
            f"localStorage.setItem('exerlitenet.live', {json.dumps(json.dumps(settings))}); {script}"
        )
        window.page.goto(server.address)
        window.page.click("#start-camera")
        window.wait("/Getting ready/.test(status)")
        return window, played

    return start


def test_a_set_begins_counts_and_ends(started: Callable[..., tuple[Window, Played]]) -> None:
    window, played = started()
    assert played.commands[0] == {"type": "start", "source": "camera", "log": True, "session": None}
    played.state(2.0)
    window.wait("status === 'Ready. Just begin.'")
    played.state(4.0, squats(3.0))
    window.wait("count === 1")
    assert (window.text("exercise"), window.text("status")) == ("Squat", "Exercising")
    assert window.text("confidence") == "83 %"
    played.state(9.0, squats(3.0, 5.5, 8.0))
    window.wait("count === 3")
    assert window.page.locator(".bars li").count() == 2
    assert window.page.get_attribute("#timeline svg", "aria-label") == "3 repetitions in 8 seconds"
    assert window.page.locator("#timeline .marks path").count() == 3
    # The end may take one back.
    played.tell({"type": "set", **squats(3.0, 5.5)})
    played.state(12.0)
    window.wait("sets === 1 && count === 2")
    assert window.text("status") == "2 squats done. Begin when you like."
    assert window.text("history").split("\n") == ["2 squats", "6 s, 2.5 s each, 83 % sure"]
    played.state(15.0, squats(13.0, exercise="biceps_curl"))
    window.wait("exercise === 'biceps_curl' && count === 1")
    assert not window.page.is_visible("#rest")
    window.page.click("#stop")
    window.wait("status === 'Camera off'")
    assert played.commands[-1] == {"type": "stop"}


def test_rest_is_timed(started: Callable[..., tuple[Window, Played]]) -> None:
    window, played = started(rest=1)
    played.state(4.0, squats(3.0))
    played.tell({"type": "set", **squats(3.0)})
    played.state(7.0)
    window.page.wait_for_selector("#rest[data-enough]")
    assert "of 0:01" in window.page.inner_text("#rest")


def test_the_goal_is_shown_and_reached(started: Callable[..., tuple[Window, Played]]) -> None:
    window, played = started(goal=2)
    played.state(4.0, squats(3.0))
    window.wait("count === 1")
    assert window.page.inner_text("#goal-shown") == "of 2"
    assert window.page.get_attribute("body", "data-reached") is None
    played.state(7.0, squats(3.0, 6.0))
    window.wait("status === 'Goal reached'")
    assert window.page.get_attribute("body", "data-reached") == ""


SPEECH = """
window.said = [];
const voices = [{ name: "far", lang: "en-US", localService: false, default: true },
  { name: "near", lang: "en-GB", localService: LOCAL, default: false }];
speechSynthesis.getVoices = () => voices;
speechSynthesis.speak = (utterance) => window.said.push(utterance.text);
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""


def test_the_voice_is_of_this_device_and_says_the_count(
    started: Callable[..., tuple[Window, Played]],
) -> None:
    window, played = started(SPEECH.replace("LOCAL", "true"), voice=True, goal=2)
    for time_s, item in ((4.0, squats(3.0)), (4.1, squats(3.0)), (7.0, squats(3.0, 6.0))):
        played.state(time_s, item)
    window.wait("count === 2")
    assert window.page.evaluate("window.said") == ["Squat", "1", "2. Goal reached."]


def test_a_voice_from_elsewhere_stays_silent(started: Callable[..., tuple[Window, Played]]) -> None:
    window, played = started(SPEECH.replace("LOCAL", "false"), voice=True)
    played.state(4.0, squats(3.0))
    window.wait("count === 1")
    assert window.page.evaluate("window.said") == []
    assert window.page.is_disabled("#voice")


@pytest.mark.parametrize(
    ("seen", "words"), [({"person": False}, "Nobody is in the picture"), ({"brightness": 0.02}, "too dark")]
)
def test_who_cannot_be_seen_is_reported(
    started: Callable[..., tuple[Window, Played]], seen: dict[str, Any], words: str
) -> None:
    window, played = started()
    played.state(2.0, squats(), **seen)
    window.wait("status === 'Exercising'")
    # It must last a while; and what the model sees in the dark is no exercise.
    for k in range(300):
        if words in window.page.inner_text("#notice"):
            break
        window.page.wait_for_timeout(200)
        played.state(3.0 + k / 5, squats(), **seen)
    window.wait("status === 'You cannot be seen' && exercise === 'none'")
    played.state(40.0)
    window.wait("notice === '' && status === 'Ready. Just begin.'")


def test_a_log_that_cannot_be_written_is_reported(started: Callable[..., tuple[Window, Played]]) -> None:
    window, played = started()
    played.tell({"type": "session", "session": 3, "log": False, "trouble": "the disk is full"})
    window.page.wait_for_selector("text=Sets are not kept: the disk is full")
    played.state(2.0)
    window.wait("status === 'Ready. Just begin.'")


def test_a_lost_connection_is_found_again_in_its_session(
    started: Callable[..., tuple[Window, Played]],
) -> None:
    window, played = started()
    played.tell({"type": "session", "session": 7, "log": True, "trouble": None})
    played.state(4.0, squats(3.0))
    window.wait("count === 1")
    window.faults.clear()
    first, played.greets = played.socket, False
    first.close(code=1012, reason="restarting")
    # What was counted stays in sight.
    window.wait("/lost/.test(status) && /restarting/.test(notice) && count === 1")
    while played.socket is first:
        window.page.wait_for_timeout(50)
    played.greet()
    window.wait("notice === '' && status === 'Connected again; continue'")
    assert played.commands[1] == {"type": "start", "source": "camera", "log": True, "session": 7}
    played.state(9.0, squats(3.0, 7.0))
    window.wait("count === 2 && status === 'Exercising'")


def test_pictures_wait_for_their_answers(started: Callable[..., tuple[Window, Played]]) -> None:
    """Three are under way at most; the next ones are passed over in the page."""
    window, played = started()
    while played.pictures < 3:
        window.page.wait_for_timeout(50)
    window.page.wait_for_timeout(1000)
    assert played.pictures == 3
    played.state(1.0)
    while played.pictures < 4:
        window.page.wait_for_timeout(50)
    window.page.wait_for_timeout(1000)
    assert played.pictures <= 6
