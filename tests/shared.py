"""What is made once for all files of tests, also where they run side by side in several processes.

Whoever takes it leaves it as it is, or works on a copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from bundles import write_bundle, write_workout


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A path of this name that `make` fills, by whichever process comes first. The others wait for it."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    path, made = root / f"shared-{name}", root / f"shared-{name}.made"
    with FileLock(root / f"shared-{name}.lock"):
        if not made.exists():
            make(path)
            made.touch()
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of `bundles`."""
    return once(tmp_path_factory, "tiny-model", write_bundle)


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that the tiny model understands: 4 squats, 5 curls."""
    return once(tmp_path_factory, "workout.mp4", write_workout)
