"""Where the log lies by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from exerlitenet.app.location import VARIABLE, data_folder, database_path

HOME = Path("/home/me").absolute()


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, HOME / ".local/share/exerlitenet"),
        ("linux", {"XDG_DATA_HOME": str(HOME / "data")}, HOME / "data/exerlitenet"),
        ("linux", {"XDG_DATA_HOME": "relative"}, HOME / ".local/share/exerlitenet"),
        ("linux", {"XDG_DATA_HOME": ""}, HOME / ".local/share/exerlitenet"),
        ("darwin", {"XDG_DATA_HOME": "/x"}, HOME / "Library/Application Support/exerlitenet"),
        ("win32", {}, HOME / "AppData/Local/exerlitenet"),
        ("win32", {"LOCALAPPDATA": str(HOME / "Local")}, HOME / "Local/exerlitenet"),
    ],
)
def test_each_platform_has_its_folder(platform: str, environment: dict[str, str], expected: Path) -> None:
    assert data_folder(platform, environment, HOME) == expected


def test_what_is_given_comes_before_the_environment_and_that_before_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine.db"))
    assert database_path(Path("given.db")) == Path("given.db")
    assert database_path() == tmp_path / "mine.db"
    monkeypatch.setenv(VARIABLE, "~/mine.db")
    assert database_path() == Path.home() / "mine.db"
    monkeypatch.setenv(VARIABLE, " ")
    assert database_path().name == "sessions.db"
    assert database_path().parent.name == "exerlitenet"
