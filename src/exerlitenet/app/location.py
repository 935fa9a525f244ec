"""Where the workout log lies when nobody says otherwise."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "EXERLITENET_DATABASE"
"""The environment variable that names another file."""

FILE = "sessions.db"


def database_path(given: Path | None = None) -> Path:
    """`given`, else what the environment names, else `sessions.db` in the user's folder for data."""
    if given is not None:
        return given
    named = os.environ.get(VARIABLE, "").strip()
    return Path(named).expanduser() if named else data_folder(sys.platform, os.environ, Path.home()) / FILE


def data_folder(platform: str, environment: Mapping[str, str], home: Path) -> Path:
    """The user's folder for ExerLiteNet's data, by the custom of the platform (a `sys.platform`)."""
    if platform == "win32":
        local = environment.get("LOCALAPPDATA", "")
        return (Path(local) if local else home / "AppData" / "Local") / "exerlitenet"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "exerlitenet"
    # Relative paths are to be ignored: XDG Base Directory Specification.
    shared = environment.get("XDG_DATA_HOME", "")
    return (Path(shared) if Path(shared).is_absolute() else home / ".local" / "share") / "exerlitenet"
