"""Where files are on the user's disk, by the custom of each platform."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

NAME = "exerlitenet"
CACHE, DATABASE = "EXERLITENET_CACHE", "EXERLITENET_DATABASE"
"""Environment variables that name another folder for the cache, and another workout log."""

FORMER = {"darwin": "Library/Application Support", "win32": "AppData/Local"}
"""Folders for data of earlier versions, by `sys.platform`; elsewhere it was ".local/share"."""


def cache_folder() -> Path:
    """Where things are kept that can be made again: EXERLITENET_CACHE, or the user's cache folder."""
    named = os.environ.get(CACHE, "").strip()
    return Path(named).expanduser() if named else platformdirs.user_cache_path(NAME, appauthor=False)


def database_path(given: Path | None = None) -> Path:
    """The workout log: `given`, else EXERLITENET_DATABASE, else `sessions.db` in the user's folder for data."""
    if given is not None:
        return given
    named = os.environ.get(DATABASE, "").strip()
    if named:
        return Path(named).expanduser()
    path = platformdirs.user_data_path(NAME, appauthor=False) / "sessions.db"
    # Earlier versions knew XDG_DATA_HOME on Linux only, and there no relative one.
    former = Path.home() / FORMER.get(sys.platform, ".local/share") / NAME / path.name
    return former if former.is_file() and not path.exists() else path
