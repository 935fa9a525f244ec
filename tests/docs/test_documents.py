"""What README.md and docs/ print can be done as printed: Python blocks run, commands have their options, links lead on.

A block that cannot run here (it needs a camera, never ends, ...) has `<!-- only compiled: WHY -->` on the line before.
"""

from __future__ import annotations

import re
import shlex
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from bundles import frames_of, workout_pictures, write_bundle, write_workout
from command import run
from datasets import write_dataset
from exerlitenet.cli.app import app
from exerlitenet.video.source import open_video

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
ONLY_COMPILED = re.compile(r"<!-- only compiled: .+ -->\s*$")
SHELL = ("", "bash", "sh", "shell", "console")
COMMAND = re.compile(r"^(?:\$ )?(?:\S*/)?(exerlitenet|make|python3?(?= tools/| benchmarks/)) ")
CHEAP = ("recognize", "dataset", "evaluate")
"""Verbs that are run where what they read is there, and not only parsed."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and whether it may run."""

    language: str
    text: str
    runs: bool


def blocks_of(document: Path) -> Iterator[Block]:
    text = document.read_text()
    for match in FENCE.finditer(text):
        lines = (line.removeprefix(match[1]) for line in match[3].splitlines())
        runs = not ONLY_COMPILED.search(text[: match.start()].rstrip("\n"))
        yield Block(match[2], "\n".join(lines), runs)


def commands_of(document: Path) -> Iterator[list[str]]:
    """Words of every command in the document, its comment apart: blocks whole, then what stands in a line of text."""
    for block in blocks_of(document):
        if block.language in SHELL:
            for line in block.text.replace("\\\n", " ").splitlines():
                if COMMAND.match(line):
                    yield shlex.split(line.removeprefix("$ "), comments=True)
    for code in re.findall(r"`([^`\n]+)`", FENCE.sub("", document.read_text())):
        if COMMAND.match(code):
            yield code.replace("\\|", "|").split()


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


def verb_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command of `exerlitenet VERB [VERB]`, and the words after it."""
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while hasattr(command, "commands") and rest and not re.match(r"-|[A-Z]+$", rest[0]):
        # `sessions list|show|export` stands for each of them.
        verbs = rest.pop(0).split("|")
        for verb in verbs:
            assert verb in command.commands, f"there is no {verb} in {shlex.join(words)}"
        command = command.commands[verbs[0]]
    return command, rest


def is_pattern(words: list[str]) -> bool:
    """Whether it shows what may be written, as `sessions list [--last N]` and `sessions show ID` do."""
    return any(re.match(r"\[|.*(\.\.\.|…)|.*\w\|\S|(ID|N)$", word) for word in words)


@pytest.mark.parametrize("document", named(DOCUMENTS))
def test_commands_have_the_options_they_are_printed_with(document: Path) -> None:
    for words in commands_of(document):
        line = shlex.join(words)
        program = Path(words[0]).name
        if program == "make":
            targets = re.findall(r"^([\w -]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
            wanted = {word for word in words[1:] if re.fullmatch(r"[\w-]+", word)}
            assert wanted <= {name for names in targets for name in names.split()}, line
        elif program.startswith("python"):
            assert (ROOT / words[1]).is_file(), line
        else:
            command, rest = verb_of(words)
            known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
            given = {option for word in rest for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", word)}
            assert given <= known, line


@pytest.mark.parametrize("document", named(DOCUMENTS))
def test_commands_in_blocks_are_whole(document: Path) -> None:
    """Each is parsed as the program parses it: nothing is missing, and every value is of its option's kind."""
    for block in blocks_of(document):
        if block.language not in SHELL:
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            if COMMAND.match(line) and "exerlitenet " in line.split("#")[0]:
                words = shlex.split(line.removeprefix("$ "), comments=True)
                command, rest = verb_of(words)
                if not is_pattern(rest) and not hasattr(command, "commands"):
                    command.make_context(line, rest)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what documents call video.mp4, DATASET and models/mine."""
    folder = tmp_path_factory.mktemp("place")
    write_dataset(folder / "DATASET", clips=6)
    (folder / "CLIPS").symlink_to(folder / "DATASET")
    (folder / "path/to").mkdir(parents=True)
    for video in ("video.mp4", "path/to/video.mp4"):
        write_workout(folder / video)
    (folder / "models").mkdir()
    write_bundle(folder / "models/mine")
    return folder


@pytest.mark.parametrize("document", named(DOCUMENTS))
def test_cheap_commands_run(document: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    ran = 0
    for words in commands_of(document):
        if Path(words[0]).name != "exerlitenet" or words[1] not in CHEAP or is_pattern(words):
            continue
        _, rest = verb_of(words)
        subjects = [word for word in rest if not word.startswith("-")][: 2 if words[1] == "evaluate" else 1]
        if subjects and all(Path(subject).exists() for subject in subjects):
            result = run(*words[1:])
            assert result.exit_code == 0, f"{shlex.join(words)}: {result.stderr}"
            ran += 1
    if not ran:
        pytest.skip("no command in it is both cheap and about files that are here")


@pytest.mark.parametrize(
    "document", named([d for d in DOCUMENTS if any(b.language == "python" for b in blocks_of(d))])
)
def test_python_runs(document: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a document in turn, as someone would type them who reads it from the top."""
    monkeypatch.chdir(place)
    monkeypatch.setitem(sys.modules, "cv2", opencv())
    names: dict[str, object] = {
        "__name__": "__main__",
        "frames": frames_of(workout_pictures(), 15),
        "struct": struct,
        "time_s": 0.5,
        "sequence": 3,
        "jpeg": b"",
    }
    for block in blocks_of(document):
        if block.language != "python":
            continue
        code = compile(block.text, str(document), "exec")
        if block.runs:
            exec(code, names)


def opencv() -> ModuleType:
    """What documents use of OpenCV, which is 50 MB and no dependency of ours."""

    class VideoCapture:
        def __init__(self, name: str) -> None:
            self._frames = iter(list(open_video(name)))
            self._time_s = 0.0

        def read(self) -> tuple[bool, Any]:
            frame = next(self._frames, None)
            if frame is None:
                return False, None
            self._time_s = frame.time_s
            return True, frame.rgb[..., ::-1]

        def get(self, key: str) -> float:
            return 1000 * self._time_s

        def release(self) -> None:
            pass

    cv2: Any = ModuleType("cv2")
    cv2.VideoCapture, cv2.CAP_PROP_POS_MSEC, cv2.COLOR_BGR2RGB = VideoCapture, "ms", "rgb"
    cv2.cvtColor = lambda picture, _: picture[..., ::-1].copy()
    return cv2


@pytest.mark.parametrize("document", named(DOCUMENTS))
def test_links_lead_to_files(document: Path) -> None:
    text = FENCE.sub("", document.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (document.parent / target.split("#")[0]).exists(), target
