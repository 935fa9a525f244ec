"""The log in a terminal, and out of it as files."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path

import pytest

from command import run, run_program
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.errors import InputError
from exerlitenet.folders import DATABASE
from logs import write_set


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "log.db"
    with SessionLog(path) as log:
        first = log.begin_session("tiny", "[bold]morning.mp4")
        write_set(log, (2.0, 4.0, 6.0), session=first, at=datetime(2026, 3, 1, 7, 30))
        curl = write_set(log, (20.0, 22.0), exercise="biceps_curl", session=first)
        log.correct(curl, repetitions=3, note="one was hidden")
        log.delete(write_set(log, (40.0,), session=first))
        log.end_session(first)
        log.begin_set(log.begin_session("tiny"), "squat", 1.0)
    return path


def test_list(database: Path) -> None:
    result = run("sessions", "list", "--database", database)
    assert result.exit_code == 0
    first, second = (line for line in result.output.splitlines() if line.startswith("│"))
    assert "squat 3, biceps_curl 3" in first
    assert "[bold]morning.mp4" in first
    assert [cell.strip() for cell in second.split("│")][4:7] == ["1", "0", "squat 0"]
    assert result.output.splitlines()[-1] == "repetitions: squat 3, biceps_curl 3"
    last = run("sessions", "list", "--last", 1, "--database", database)
    assert "morning" not in last.output


def test_show(database: Path) -> None:
    result = run("sessions", "show", 1, "--database", database)
    assert result.exit_code == 0
    assert result.output.startswith("session 1: ")
    squat, *rest = (line for line in result.output.splitlines() if line.startswith("│"))
    assert [cell.strip() for cell in squat.split("│")][2:9] == [
        *("07:30:00", "squat", "3", "5.0", "2.00 s", "100 %", "90 %")
    ]
    remarks = " ".join(line.split("│")[-2].strip() for line in rest)  # they may take several lines
    assert remarks == "the model said biceps_curl, 2; one was hidden deleted"
    assert "not ended" in run("sessions", "show", 2, "--database", database).output


def test_export_as_csv_and_json_to_a_file_and_standard_output(database: Path, tmp_path: Path) -> None:
    result = run("sessions", "export", "--database", database)
    assert result.exit_code == 0
    assert [row["repetitions"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["3", "3", "0"]
    out = tmp_path / "log.json"
    result = run("sessions", "export", "--format", "json", "--out", out, "--database", database)
    assert (result.exit_code, result.stdout) == (0, "")
    assert [len(s["sets"]) for s in json.loads(out.read_text("utf-8"))["sessions"]] == [2, 1]


def test_export_of_labels(database: Path) -> None:
    result = run("sessions", "export", "--labels", "--database", database)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["label"], row["repetitions"], row["extremes_s"]) for row in rows] == [
        ("squat", "3", "1.00;3.00;5.00"),
        ("biceps_curl", "3", ""),
    ]


def test_the_environment_names_the_log(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATABASE, str(database))
    assert "morning" in run("sessions", "list").output


def test_an_empty_log(tmp_path: Path) -> None:
    with SessionLog(tmp_path / "log.db"):
        pass
    result = run("sessions", "list", "--database", tmp_path / "log.db")
    assert result.exit_code == 0
    assert "no sessions yet" in result.output
    assert run("sessions", "export", "--database", tmp_path / "log.db").stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "--database", "nosuch.db"), "nosuch.db: no workout log there"),
        (("show", "7", "--database", "log.db"), "no session 7 in the log log.db"),
        (("show", "99999999999999999999", "--database", "log.db"), "no session 99999999999999999999"),
        (("list", "--database", "."), ".: cannot be used as the workout log"),
        (("list", "--database", "text.db"), "text.db: cannot be used as the workout log"),
        (("export", "--out", "log.db", "--database", "log.db"), "the source itself"),
        (("export", "--out", "no/such/folder.csv", "--database", "log.db"), "no folder no/such"),
        (("export", "--labels", "--format", "json", "--database", "log.db"), "labels are a dataset CSV"),
        (("show", "one"), "--help shows how to use it"),
        (("show", "0"), "--help shows how to use it"),
        (("export", "--format", "xls"), "--help shows how to use it"),
        (("nosuch",), "--help shows how to use it"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    database: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(database.parent)
    Path("text.db").write_text("no database " * 100)
    before = database.read_bytes()
    result = run("sessions", *arguments)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("exerlitenet: ")
    assert words in line
    assert result.stdout == ""
    assert database.read_bytes() == before
    assert not Path("nosuch.db").exists()


def test_without_a_verb_the_help_is_shown() -> None:
    result = run("sessions")
    assert "Commands:" in result.output
    assert {line.split()[0] for line in result.output.split("Commands:")[1].splitlines() if line.strip()} == {
        *("list", "show", "export")
    }


def test_the_log_needs_neither_keras_nor_onnx_nor_a_server(database: Path) -> None:
    heavy = ("keras", "tensorflow", "onnxruntime", "starlette", "av")
    result = run_program("sessions", "show", 1, "--database", database, without=heavy)
    assert (result.returncode, result.stderr) == (0, "")
    assert "biceps_curl" in result.stdout


def test_a_log_of_another_program_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"")
    with SessionLog(tmp_path / "log.db") as log, pytest.raises(InputError, match=r"no session 1 .*log\.db"):
        log.session(1)
