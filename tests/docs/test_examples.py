"""Examples in docstrings of what the API reference shows: every public class has one, and it gives what it says."""

from __future__ import annotations

import doctest
import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import exerlitenet
from exerlitenet.synthetic.clip import render_clip
from exerlitenet.synthetic.dataset import write_video

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
SHOWN = sorted(
    name
    for page in REFERENCE.glob("*.md")
    for name in re.findall(r"^::: ([\w.]+)$", page.read_text("utf-8"), re.MULTILINE)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where examples run: it holds video.mp4, three seconds of a rendered person."""
    folder = tmp_path_factory.mktemp("examples")
    clip = render_clip(1_000_050, "squat", seconds=3.0, width=128, height=160)
    write_video(clip.frames, clip.fps, folder / "video.mp4")
    return folder


def named(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def test_the_reference_shows_every_public_name() -> None:
    public = {name for name in exerlitenet.__all__ if not name.startswith("__")}
    assert {f"exerlitenet.{name}" for name in public} <= set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_examples(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thing = named(name)
    found = [test for test in doctest.DocTestFinder(exclude_empty=True).find(thing, name) if test.examples]
    if inspect.isclass(thing):
        assert found, f"{name}: a public class needs an example in its docstring"
    monkeypatch.chdir(folder)
    for test in found:
        said: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
        assert not said, "".join(said)
