"""Rendered people with exact poses as clips on disk, made once and kept in the cache."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.files import TEMPORARY
from exerlitenet.folders import cache_folder
from exerlitenet.progress import Progress


def rendered_clips(
    seeds: range, seconds: float, classes: Sequence[str], progress: Progress
) -> tuple[Clip, ...]:
    """One clip of so many seconds for each seed; made only where the cache has no such set by this renderer."""
    from exerlitenet.synthetic import renderer
    from exerlitenet.synthetic.dataset import write_dataset

    if not seeds:
        return ()
    parent = cache_folder() / "rendered"
    folder = parent / f"{seeds.start}-{len(seeds)}-{seconds:g}-{renderer()}"
    if not (folder / "manifest.csv").is_file():
        # Elsewhere first: a killed run leaves no half set, and of two runs at once neither reads the other's.
        parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=TEMPORARY, dir=parent) as work:
            made = Path(work) / "clips"
            write_dataset(
                made, seeds, seconds=seconds, on_progress=partial(progress.step, "rendering people")
            )
            _put_in_place(made, folder)
    return read_manifest(folder, classes=classes, check=False).clips


def _put_in_place(made: Path, folder: Path) -> None:
    """Another run may have done the same at any moment; its clips are equal, perhaps already read, and stay."""
    try:
        made.rename(folder)
    except OSError:
        if (folder / "manifest.csv").is_file():
            return
        shutil.rmtree(folder)  # of an interrupted run of an older version
        made.rename(folder)
