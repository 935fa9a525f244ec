"""What a program imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import pytest

import exerlitenet
from exerlitenet.recognition import bundle


@pytest.mark.parametrize("name", exerlitenet.__all__)
def test_every_public_name_loads(name: str) -> None:
    value = getattr(exerlitenet, name)
    if isinstance(value, type):
        assert value.__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        exerlitenet.nosuch  # noqa: B018
    with pytest.raises(ImportError):
        from exerlitenet import nosuch  # noqa: F401


def test_version_is_that_of_the_installed_package() -> None:
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?([a-z].*)?", exerlitenet.__version__)
    assert version("exerlitenet") == exerlitenet.__version__


def test_recognize(model: Path, video: Path, tmp_path: Path) -> None:
    workout = exerlitenet.recognize(video, model=model)
    assert (workout.exercise, workout.repetitions) == ("biceps_curl", 5)
    assert exerlitenet.recognize(str(video), model=str(model), seconds=9).exercise == "squat"
    with pytest.raises(exerlitenet.InputError, match="no such file"):
        exerlitenet.recognize(tmp_path / "nosuch.mp4", model=model)


def test_without_a_model_the_one_that_ships_is_taken(
    model: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bundle.default_folder() == Path(str(resources.files("exerlitenet"))) / "models" / "default"
    monkeypatch.setattr(bundle, "default_folder", lambda: model)
    assert exerlitenet.recognize(video).model == "tiny"


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys; import exerlitenet; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "av", "PIL", "onnxruntime", "typer", "rich", "keras"} & set(loaded.split())


def test_types_are_marked_as_complete() -> None:
    assert (resources.files("exerlitenet") / "py.typed").is_file()


def test_recognising_leaves_nothing_but_what_was_asked_for(model: Path, video: Path, tmp_path: Path) -> None:
    """No device id, no store of events, no cache: neither in the home folder nor in the temporary one."""
    home = tmp_path / "home"
    home.mkdir()
    hidden = ("CI", "ORT_", "XDG_")  # continuous integration keeps ONNX Runtime silent by itself
    env = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    places = dict.fromkeys(("HOME", "TMPDIR", "USERPROFILE", "LOCALAPPDATA"), str(home))
    for command in (["recognize", str(video), "--model", str(model)], ["demo", str(video)]):
        subprocess.run(
            [sys.executable, "-m", "exerlitenet", *command],
            env=env | places,
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
    assert sorted(path.relative_to(home) for path in home.rglob("*")) == []
