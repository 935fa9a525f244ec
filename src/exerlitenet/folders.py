"""Where things lie on the user's disk."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where things are kept that can be made again: EXERLITENET_CACHE, or ~/.cache/exerlitenet."""
    return Path(os.environ.get("EXERLITENET_CACHE") or Path.home() / ".cache" / "exerlitenet")
