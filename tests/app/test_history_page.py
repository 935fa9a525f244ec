"""The history page in a browser: what it draws, and corrections by keyboard and touch."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from browser_window import CHROMIUM, a_browser
from exerlitenet.app import history
from exerlitenet.app.history import history_routes
from exerlitenet.app.log.session_log import SessionLog
from logs import write_set

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 4, 12)
"""For the server: midnight must not pass between writing sets and looking at them."""

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with a_browser() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SessionLog]:
    with SessionLog(tmp_path / "log.db") as log:
        yield log


class Noon(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Noon:
        return cls(NOW.year, NOW.month, NOW.day, NOW.hour, tzinfo=tz)


@pytest.fixture
def address(log: SessionLog, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a server of the history."""
    monkeypatch.setattr(history, "datetime", Noon)
    listener = socket.create_server(("127.0.0.1", 0))
    static = Mount("/static", StaticFiles(directory=history.STATIC))
    application = Starlette(routes=[*history_routes(log), static])
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Any]:
    """Opens the history in a window of its own; at the end nothing may have gone wrong in it, and it may have
    asked nobody else.
    """
    contexts, troubles, hosts = [], [], set()

    def open_(**window: Any) -> Any:
        contexts.append(browser.new_context(**window))
        page = contexts[-1].new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
        page.on("request", lambda request: hosts.add(re.sub(r"^data:.*", address, request.url)))
        page.goto(f"{address}/history")
        page.wait_for_selector("#content:visible, #empty:visible")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert troubles == []
    assert all(url.startswith(address) for url in hosts)


def three_sets(log: SessionLog) -> list[int]:
    """Squats a week ago and today, curls between."""
    return [
        write_set(log, (1, 3, 5, 7), at=NOW - timedelta(days=7)),
        write_set(log, (1.0, 2.5, 5.0), exercise="biceps_curl", at=NOW - timedelta(days=2)),
        write_set(log, (1, 3, 5), at=NOW),
    ]


def count(page: Any, number: int) -> str:
    return page.locator(f'[data-set="{number}"] .count').inner_text().split()[0]


def until(holds: Callable[[], bool]) -> None:
    """Waits for what the page does by itself."""
    give_up = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_an_empty_log_says_what_to_do(open_page: Any) -> None:
    page = open_page()
    assert page.locator("#empty-title").inner_text() == "No sets yet"
    assert page.get_by_role("link", name="Start exercising").get_attribute("href") == "/"
    assert not page.locator("#range").is_visible()


def test_charts_and_sets_are_drawn(open_page: Any, log: SessionLog) -> None:
    three_sets(log)
    page = open_page()
    assert page.locator('[data-testid="chart-days"] path.ex-squat').count() == 2
    assert page.locator('[data-testid="chart-days"] path.ex-biceps_curl').count() == 1
    assert page.locator('[data-testid="chart-tempo"] circle').count() == 3
    assert page.locator('[data-testid="set"]').count() == 3
    assert page.locator('[data-testid="set"]').first.get_attribute("aria-label").endswith("3 squats")
    chart = page.locator('[data-testid="chart-days"] svg')
    chart.focus()
    for key in ("End", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert "3 biceps curls" in page.locator("#readout-days").inner_text()


def test_corrections_by_keyboard(open_page: Any, log: SessionLog) -> None:
    *_, latest = three_sets(log)
    page = open_page()
    row = page.locator(f'[data-set="{latest}"]')
    row.focus()
    # Faster than the answers come; four are reached with the last one only, so that seeing them means all is saved.
    for key in "--+++":
        page.keyboard.press(key)
    page.get_by_text("Saved: 4 squats.").wait_for()
    until(lambda: log.set(latest).repetitions == 4 and count(page, latest) == "4")
    row.focus()
    assert (log.set(latest).repetitions, log.set(latest).counted) == (4, 3)
    page.keyboard.press("c")
    page.locator("form.edit select").select_option("none")
    page.keyboard.press("Tab")
    page.locator("form.edit").get_by_text("Save", exact=True).press("Enter")
    page.get_by_text("Saved: no exercise.").wait_for()
    assert log.set(latest).exercise == "none"
    until(lambda: row.count() == 0)
    page.keyboard.press("u")
    page.get_by_text("Undone: 4 squats.").wait_for()
    row.focus()
    page.keyboard.press("Delete")
    page.get_by_text("Deleted: 4 squats.").wait_for()
    assert log.set(latest).deleted
    page.locator("#aside").check()
    row.get_by_text("Restore").click()
    page.get_by_text("Restored: 4 squats.").wait_for()
    assert not log.set(latest).deleted


def test_corrections_by_touch_on_a_phone(open_page: Any, log: SessionLog) -> None:
    first, *_ = three_sets(log)
    page = open_page(**PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(f'[data-set="{first}"]').get_by_text("Correct").tap()
    page.get_by_label("One more").tap()
    page.get_by_label("One more").tap()
    page.get_by_label("Note").fill("<b>two</b> & more")
    page.locator("form.edit").get_by_text("Save", exact=True).tap()
    page.get_by_text("Saved: 6 squats.").wait_for()
    until(lambda: count(page, first) == "6")
    assert "“<b>two</b> & more”" in page.locator(f'[data-set="{first}"] .said').inner_text()
    page.locator("#toast-undo").tap()
    page.get_by_text("Undone: 4 squats.").wait_for()
    assert log.set(first).correction is None
    small = page.evaluate(
        "[...document.querySelectorAll('button, a.button, nav a')].filter((e) => e.checkVisibility())"
        ".map((e) => e.getBoundingClientRect().height).filter((h) => h < 44)"
    )
    assert small == []


def test_a_server_that_has_gone_is_said_and_nothing_is_lost(open_page: Any, log: SessionLog) -> None:
    *_, latest = three_sets(log)
    page = open_page()
    problem = page.locator("#problem")
    page.locator(f'[data-set="{latest}"]').get_by_text("Correct").click()
    page.get_by_label("Note").fill("kept")
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError()); }")
    page.locator("form.edit").get_by_text("Save", exact=True).click()
    problem.wait_for()
    assert "does not answer" in problem.inner_text()
    assert page.get_by_label("Note").input_value() == "kept"
