"""Where things lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from exerlitenet.folders import cache_folder


def test_the_cache_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("EXERLITENET_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "exerlitenet"
