"""Where files lie that can be made again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def cache_folder() -> Path:
    """The user's folder for what ExerLiteNet can make again."""
    return folder_for(sys.platform, os.environ, Path.home())


def folder_for(platform: str, environment: Mapping[str, str], home: Path) -> Path:
    """The same by the custom of a platform (a `sys.platform`)."""
    if platform == "win32":
        local = environment.get("LOCALAPPDATA", "")
        return (Path(local) if local else home / "AppData" / "Local") / "exerlitenet" / "cache"
    if platform == "darwin":
        return home / "Library" / "Caches" / "exerlitenet"
    # Relative paths are to be ignored: XDG Base Directory Specification.
    shared = environment.get("XDG_CACHE_HOME", "")
    return (Path(shared) if Path(shared).is_absolute() else home / ".cache") / "exerlitenet"
