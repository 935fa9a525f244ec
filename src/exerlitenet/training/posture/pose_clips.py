"""The clips that teach posture: labelled ones, rendered people, and unlabelled ones, each with its poses."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.frames import StoredClip
from exerlitenet.errors import InputError
from exerlitenet.training.posture.pose_data import PosedClip

POSE_RATE = 7.5


class Posed(Protocol):
    """What is needed of a clip: its group and its poses."""

    @property
    def group(self) -> str: ...

    @property
    def poses(self) -> Path | None: ...


def load_poses(path: Path, ticks: int, rate: float) -> NDArray[np.float32]:
    """Poses of `ticks` sampled frames: float32 [ticks, 33, 7], NaN beyond the file's end and where nobody was found.

    The file holds float16 [rows, 33, 7] at 7.5 rows a second.
    """
    try:
        # Opened here, since NumPy leaves a damaged file open.
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as fault:
        raise InputError(
            f"{path} must hold poses as float [rows, 33, 7], but cannot be read: {fault}"
        ) from fault
    if not isinstance(stored, np.ndarray):
        stored.close()
        raise InputError(f"{path} must hold poses as one array [rows, 33, 7], got several")
    if stored.ndim != 3 or stored.shape[1:] != (33, 7) or stored.dtype.kind != "f":
        raise InputError(
            f"{path} must hold poses as float [rows, 33, 7], got {stored.dtype} {list(stored.shape)}"
        )
    out = np.full((ticks, 33, 7), np.nan, np.float32)
    rows = np.round(np.arange(ticks) * POSE_RATE / rate).astype(int)
    there = rows < len(stored)
    out[there] = stored[rows[there]]
    return out


def posed_clips(
    clips: Sequence[Posed], stored: Sequence[StoredClip], rate: float, share: float
) -> list[PosedClip]:
    """Clips that have poses. Together they are drawn with weight `share`.

    A group counts with the root of its clips, so that a source with many clips of a few people does not rule.
    """
    sizes = Counter(clip.group for clip in clips)
    chosen = [
        (clip.poses, frames, sizes[clip.group] ** -0.5)
        for clip, frames in zip(clips, stored, strict=True)
        if clip.poses is not None
    ]
    total = sum(weight for _, _, weight in chosen)
    return [
        PosedClip(frames, load_poses(poses, frames.ticks, rate), share * weight / total)
        for poses, frames, weight in chosen
    ]


def unlabelled_videos(folder: Path, poses: Path, barred: frozenset[str]) -> list[tuple[Path, Path, str]]:
    """(video, poses, source) of the videos in `folder` whose source is not barred and whose poses are there.

    folder holds manifest.csv with the columns file and source. Sources of people that a model is judged on are
    barred, so that nothing of them is learned. Raises InputError when the table or the poses are missing.
    """
    table = folder / "manifest.csv"
    if not table.is_file():
        raise InputError(f"unlabelled videos need {table} with the columns file and source; it is not there")
    if not poses.is_dir():
        raise InputError(f"unlabelled videos need their poses, but {poses} is no folder")
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"file", "source"} <= set(reader.fieldnames or ()):
            raise InputError(
                f"{table} must have the columns file and source, got {', '.join(reader.fieldnames or ())}"
            )
        rows = list(reader)
    found = []
    for row in rows:
        pose_file = poses / (Path(row["file"]).stem + ".npy")
        if row["source"] not in barred and pose_file.is_file():
            found.append((folder / row["file"], pose_file, row["source"]))
    return found
