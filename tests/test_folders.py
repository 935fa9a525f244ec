"""Where files are: what is given, the environment, the platform's custom."""

from __future__ import annotations

import sys
from pathlib import Path

import platformdirs
import pytest

from exerlitenet.folders import FORMER, cache_folder, database_path


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("EXERLITENET_CACHE", "EXERLITENET_DATABASE", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder() == platformdirs.user_cache_path("exerlitenet", appauthor=False)
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert database_path() == platformdirs.user_data_path("exerlitenet", appauthor=False) / "sessions.db"
    monkeypatch.setenv("EXERLITENET_DATABASE", " ")
    assert database_path().name == "sessions.db"
    monkeypatch.setenv("EXERLITENET_DATABASE", str(tmp_path / "mine.db"))
    assert database_path() == tmp_path / "mine.db"
    monkeypatch.setenv("EXERLITENET_DATABASE", "~/mine.db")
    assert database_path() == tmp_path / "home" / "mine.db"
    assert database_path(Path("given.db")) == Path("given.db")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not use XDG variables")
def test_a_log_of_an_earlier_version_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    new = tmp_path / "data" / "exerlitenet" / "sessions.db"
    old = tmp_path / "home" / FORMER.get(sys.platform, ".local/share") / "exerlitenet" / "sessions.db"
    assert database_path() == new
    for path in (old, new):
        path.parent.mkdir(parents=True)
        path.touch()
        assert database_path() == path
