"""Clips decoded once for a run, with the picture's aspect, at the size that a model meets at work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exerlitenet.datasets.frames import StoredClip, store_clips
from exerlitenet.folders import cache_folder
from exerlitenet.progress import Progress, Stretch

# Short side of stored frames; see `SequenceSpec.source_short_side`.
STORE_SIDE = 256


def stored_clips(paths: Sequence[Path], rate: float, progress: Progress) -> list[StoredClip]:
    """Frames of these clips at `rate` a second; see `store_clips`."""
    return store_clips(
        paths,
        cache_folder() / "frames",
        rate=rate,
        side=STORE_SIDE,
        squash=False,
        progress=Stretch(progress, "decoding clips"),
    )
