"""The history's page and endpoints."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from exerlitenet.app.history import STATIC, history_routes
from exerlitenet.app.log.session_log import SessionLog
from http_client import TestClient
from logs import check, write_set


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SessionLog]:
    with SessionLog(tmp_path / "log.db") as log:
        yield log


@pytest.fixture
def client(log: SessionLog) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=history_routes(log))) as client:
        yield client


def test_figures(log: SessionLog, client: TestClient) -> None:
    number = write_set(log, (1.0, 3.0, 5.0))
    write_set(log, (1.0,), at=datetime.now() - timedelta(days=40))
    answered = client.get("/api/history?days=30").json()
    assert (answered["days"], answered["totals"]["repetitions"]) == (30, 3)
    assert sum(day["repetitions"] for day in answered["by_day"][-2:]) == 3  # midnight may pass meanwhile
    [one] = answered["sets"]
    assert one["id"] == number
    assert one["tempo"] == {"seconds": 2.0, "spread_s": 0.0, "consistency": 1.0, "gaps_s": [2.0, 2.0]}
    assert client.get("/api/history").json()["totals"]["repetitions"] == 4  # 90 days


@pytest.mark.parametrize("days", ["0", "-1", "3661", "ten", "1.5", "99999999999", "²", ""])
def test_days_that_make_no_sense(client: TestClient, days: str) -> None:
    answer = client.get("/api/history", params={"days": days})
    assert answer.status_code == 400
    assert "expected days=1 to 3660" in answer.json()["error"]


def test_sessions(log: SessionLog, client: TestClient) -> None:
    first = log.begin_session("tiny", "a.mp4")
    kept = write_set(log, (1.0, 2.0), session=first)
    log.delete(write_set(log, (4.0,), session=first))
    second = log.begin_session("tiny")
    answered = client.get("/api/sessions").json()["sessions"]
    assert [one["id"] for one in answered] == [second, first]
    assert (answered[1]["source"], answered[1]["sets"], answered[1]["repetitions"]) == ("a.mp4", 1, 2)
    whole = client.get(f"/api/sessions/{first}").json()
    assert [(one["id"], one["deleted"]) for one in whole["sets"]] == [(kept, False), (kept + 1, True)]


def test_a_correction_and_its_undoing(log: SessionLog, client: TestClient) -> None:
    number = write_set(log, (1.0, 3.0, 5.0))
    answer = client.patch(
        f"/api/sets/{number}", json={"exercise": "biceps_curl", "repetitions": 4, "note": "x"}
    )
    assert answer.status_code == 200
    answered = answer.json()
    assert (answered["exercise"], answered["repetitions"], answered["checked"]) == ("biceps_curl", 4, True)
    assert answered["model_said"]["exercise"] == "squat"
    assert answered["user_said"]["note"] == "x"
    assert client.get("/api/history").json()["totals"]["by_exercise"] == {"biceps_curl": 4}
    assert client.patch(f"/api/sets/{number}", json={"repetitions": None}).json()["repetitions"] == 3
    assert client.post(f"/api/sets/{number}/undo").json()["repetitions"] == 4
    assert client.post(f"/api/sets/{number}/undo").json()["user_said"] is None
    assert log.set(number).exercise == "squat"


def test_deleting_and_restoring(log: SessionLog, client: TestClient) -> None:
    number = write_set(log)
    assert client.delete(f"/api/sets/{number}").json()["deleted"]
    answered = client.get("/api/history").json()
    assert answered["totals"]["repetitions"] == 0
    assert [one["id"] for one in answered["aside"]] == [number]
    assert not client.post(f"/api/sets/{number}/restore").json()["deleted"]
    assert client.get("/api/history").json()["totals"]["repetitions"] == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b"[" * 4000,
        b"\xff\xfe",
        b'{"exercise": "Not a class!"}',
        b'{"exercise": 3}',
        b'{"repetitions": "4"}',
        b'{"repetitions": true}',
        b'{"repetitions": 1.5}',
        b'{"repetitions": -1}',
        b'{"repetitions": 1e400}',
        b'{"note": null}',
        b'{"deleted": true}',
        b'{"note": "' + b"x" * 5000 + b'"}',
    ],
)
def test_corrections_that_make_no_sense_change_nothing(
    log: SessionLog, client: TestClient, body: bytes
) -> None:
    number = write_set(log)
    answer = client.patch(f"/api/sets/{number}", content=body)
    assert answer.status_code == 400
    assert "expected" in answer.json()["error"]
    assert log.set(number).correction is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
fields = st.dictionaries(
    st.sampled_from(["exercise", "repetitions", "note", "deleted"]), anything, min_size=1
)


@settings(max_examples=60)
@given(fields | anything)
def test_whatever_is_sent_is_taken_whole_or_refused_in_one_line(body: Any) -> None:
    with SessionLog(":memory:") as log, TestClient(Starlette(routes=history_routes(log))) as client:
        number = write_set(log)
        answer = client.patch(f"/api/sets/{number}", content=json.dumps(body))
        assert answer.status_code in (200, 400)
        if answer.status_code == 200:
            answered = answer.json()
            assert answered["exercise"] == (body.get("exercise") or "squat")
            assert 0 <= answered["repetitions"] <= 9999
            assert client.get("/api/export?format=json").json()["sessions"][0]["sets"][0]["id"] == number
        else:
            assert len(answer.json()["error"].splitlines()) == 1
            assert log.set(number).correction is None


def test_a_note_that_is_no_text_is_kept_escaped(log: SessionLog, client: TestClient) -> None:
    number = write_set(log)
    answer = client.patch(f"/api/sets/{number}", content=b'{"note": "\\ud800 \\u0000"}')
    assert answer.status_code == 200
    assert client.get("/api/export?format=csv").status_code == 200


@pytest.mark.parametrize("number", ["7", str(2**63), "9" * 40])
def test_what_is_not_there(client: TestClient, number: str) -> None:
    for answer in (
        client.get(f"/api/sessions/{number}"),
        client.patch(f"/api/sets/{number}", json={"repetitions": 3}),
        client.delete(f"/api/sets/{number}"),
        client.post(f"/api/sets/{number}/restore"),
        client.post(f"/api/sets/{number}/undo"),
    ):
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("no se")


def test_a_log_that_cannot_be_written_is_said(log: SessionLog, client: TestClient, tmp_path: Path) -> None:
    number = write_set(log)
    with log._database.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1")  # as on a full disk
    answer = None
    for _ in range(200):
        answer = client.patch(f"/api/sets/{number}", json={"note": "x" * 400, "repetitions": _})
        if answer.status_code != 200:
            break
    assert answer is not None
    assert answer.status_code == 503
    assert "space left" in answer.json()["error"]
    assert check(log.path) == "ok"


@pytest.mark.parametrize(
    ("wanted", "kind"), [("csv", "text/csv"), ("json", "application/json"), ("labels", "text/csv")]
)
def test_export(log: SessionLog, client: TestClient, wanted: str, kind: str) -> None:
    write_set(log, (1.0, 3.0))
    answer = client.get("/api/export", params={"format": wanted})
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    if kind == "text/csv":
        [row] = csv.DictReader(io.StringIO(answer.text))
        assert row["repetitions"] == "2"
    else:
        assert answer.json()["sessions"][0]["sets"][0]["repetitions"] == 2


def test_an_unknown_export(client: TestClient) -> None:
    answer = client.get("/api/export?format=xls")
    assert (answer.status_code, answer.json()["error"]) == (400, "expected format=csv|json|labels, got 'xls'")


def test_the_page_is_here(client: TestClient) -> None:
    page = client.get("/history")
    assert (page.status_code, page.content) == (200, (STATIC / "history.html").read_bytes())


MODULES = ("history.js", "overview.js", "charts.js", "sets.js")


def test_scripts_name_only_elements_that_are_there() -> None:
    page = (STATIC / "history.html").read_text("utf-8")
    scripts = "".join((STATIC / name).read_text("utf-8") for name in MODULES)
    ids = set(re.findall(r'\bat\("([\w-]+)"\)', scripts)) | {"readout-days", "readout-weeks", "chart-weeks"}
    assert ids <= set(re.findall(r'\bid="([\w-]+)"', page))


# Colours


def tokens() -> dict[str, dict[str, str]]:
    text = (STATIC / "tokens.css").read_text("utf-8")
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    found = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))
        for name, part in (("light", light), ("dark", dark))
    }
    assert found["light"].keys() == found["dark"].keys()
    return found


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_distinguished(theme: str) -> None:
    colours: dict[str, Any] = tokens()[theme]
    exercises = ["squat", "biceps_curl", "other-1", "other-2", "none"]
    for back in ("page", "card"):
        for text in ("text", "muted", "good", "warn", "fault", "focus", *exercises):
            assert contrast(colours[text], colours[back]) >= 4.5, (text, back)
        assert contrast(colours["control-line"], colours[back]) >= 3
    for text in ("text", "muted"):
        assert contrast(colours[text], colours["track"]) >= 4.5
    for accent in ("focus", *exercises):
        assert contrast(colours["on-accent"], colours[accent]) >= 4.5, accent
    assert contrast(colours["warn"], colours["warn-page"]) >= 4.5
    assert contrast(colours["fault"], colours["fault-page"]) >= 4.5
