"""Where files are: what is given, the environment, the platform's custom."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from exerlitenet.folders import FORMER, cache_folder, database_path


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("EXERLITENET_CACHE", "EXERLITENET_DATABASE", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


CUSTOM = {"linux": (".cache", ".local/share"), "darwin": ("Library/Caches", "Library/Application Support")}
"""Where a platform keeps caches and data, below the home folder."""


@pytest.mark.skipif(sys.platform not in CUSTOM, reason="Windows asks the system, not the environment")
def test_the_customs_of_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cache, data = (tmp_path / "home" / place / "exerlitenet" for place in CUSTOM[sys.platform])
    assert cache_folder() == cache
    assert database_path() == data / "sessions.db"
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
    assert (cache_folder(), database_path()) == (cache, data / "sessions.db")


def test_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
