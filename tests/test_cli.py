"""The command as a whole: its verbs, statuses, and one line in place of a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import exerlitenet
from command import run, run_program
from exerlitenet.cli import app as app_module
from exerlitenet.errors import InputError

VERBS = (
    *("recognize", "live", "demo", "dataset", "model", "train", "evaluate", "reproduce", "export"),
    *("benchmark", "sessions"),
)


def test_help_names_every_verb() -> None:
    result = run("--help")
    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.output.split("Commands:")[1].splitlines() if line.strip()]
    assert listed == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_its_options(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert "Options:" in result.output


def test_version() -> None:
    assert run("--version").output == f"exerlitenet {exerlitenet.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [("nosuch",), ("recognize",), ("recognize", "--nosuch", "v.mp4"), ("train", "data"), ("--nosuch",)],
)
def test_bad_usage_is_status_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("exerlitenet: ")
    assert "--help shows how to use it" in line
    assert result.stdout == ""


def test_without_a_verb_the_help_is_shown() -> None:
    assert "Commands:" in run().output


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from exerlitenet.cli.app import app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "numpy",
        "av",
        "PIL",
        "onnxruntime",
        "keras",
        "tensorflow",
        "matplotlib",
        "starlette",
        "rich.table",
    }
    assert not heavy & set(loaded)


def test_bad_input_in_a_program_is_one_line_and_status_2(tmp_path: Path) -> None:
    result = run_program("recognize", "video.mp4", "--model", tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"exerlitenet: a model is a folder with model.json and two ONNX graphs; {tmp_path} has no model.json\n"
    )


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "websockets"])
def test_the_page_without_its_extra_is_one_line(missing: str) -> None:
    result = run_program("live", without=(missing,))
    assert result.returncode == 2
    assert (
        result.stderr == "exerlitenet: the page needs the extra app: pip install '.[app]' in the checkout\n"
    )


def test_a_defect_is_not_taken_for_bad_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def defect(*_: Any, **__: Any) -> None:
        raise RuntimeError("defect")

    monkeypatch.setattr("exerlitenet.benchmark.run_benchmark", defect)
    with pytest.raises(RuntimeError, match="defect"):
        run("benchmark")


@pytest.mark.parametrize(("verb", "hint"), [("train", "--resume"), ("dataset", "stopped")])
def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str, hint: str) -> None:
    if verb == "train":
        pytest.importorskip("keras", reason="training needs Keras")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("exerlitenet.training.config.load_config", interrupted)
    monkeypatch.setattr("exerlitenet.datasets.manifest.read_manifest", interrupted)
    more = ("--config", "paper", "--out", tmp_path / "run") if verb == "train" else ()
    result = run(verb, tmp_path, *more)
    assert result.exit_code == 130
    [line] = result.stderr.splitlines()
    assert line.startswith("exerlitenet: stopped")
    assert hint in line


def test_a_real_interrupt_ends_a_program_without_a_traceback(
    model: Path, video: Path, tmp_path: Path
) -> None:
    fifo = tmp_path / "never-read"
    os.mkfifo(fifo)  # the program waits there for a reader
    program = subprocess.Popen(
        [sys.executable, "-m", "exerlitenet", "recognize", video, "--model", model, "--json", fifo],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background inherit that interrupts are ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert program.stdout is not None
    program.stdout.readline()  # the video's header: the work is done
    time.sleep(0.3)
    # Where the machine is busy the first one may come before the program waits at the pipe.
    for _ in range(10):
        program.send_signal(signal.SIGINT)
        try:
            _, errors = program.communicate(timeout=6)
        except subprocess.TimeoutExpired:
            continue
        break
    assert (program.returncode, errors) == (130, "exerlitenet: stopped\n")


def test_a_reader_that_goes_away_is_no_traceback(model: Path, video: Path) -> None:
    command = (
        f"{sys.executable} -m exerlitenet recognize {video} {video} --model {model} --json - | head -c 1"
    )
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert result.stdout == "["
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("options", [(), ("--json", "-")])
def test_a_full_disk_is_no_traceback(model: Path, video: Path, options: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "exerlitenet", "recognize", video, "--model", model, *options]
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert result.returncode == 2
    assert result.stderr == "exerlitenet: no space left to write the output; make room and run it again\n"


def test_messages_are_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def bad(*_: Any, **__: Any) -> None:
        raise InputError("first\nsecond")

    monkeypatch.setattr("exerlitenet.datasets.manifest.read_manifest", bad)
    assert run("dataset", "x").stderr == "exerlitenet: first second\n"


def test_every_verb_of_the_app_is_listed_here() -> None:
    verbs = [command.callback.__name__ for command in app_module.app.registered_commands]  # type: ignore[union-attr]
    groups = [group.typer_instance.info.name for group in app_module.app.registered_groups]  # type: ignore[union-attr]
    assert [*verbs, *groups] == list(VERBS)
