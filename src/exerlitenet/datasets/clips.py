"""Labelled clips as they lie on disk: named by a CSV, or sorted into one folder per class."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exerlitenet.errors import InputError
from exerlitenet.results import NONE
from exerlitenet.video.folder import IMAGE_SUFFIXES, image_files

KNOWN_CLASSES = ("squat", "biceps_curl", NONE)
"""The classes of the shipped model in their fixed order; further ones follow alphabetically."""

VIDEO_SUFFIXES = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".3g2"),
        *(".ogv", ".ts", ".mts", ".m2ts", ".mxf", ".vob", ".gif"),
    )
)


@dataclass(frozen=True)
class Clip:
    """One labelled video.

    Attributes:
        path: where it is.
        label: its class.
        group: the unit that a split must not cut: clips that share a person, a room or a source.
        person: who is in it; None when unknown.
        activity: what is done, in the dataset's words.
        view: where the camera is.
        repetitions: full cycles of the exercise; None when unknown.
        extremes_s: when each of them was at its peak, seconds.
        seconds: duration; 0.0 when unknown.
        digest: sha256 of the content, hex.
        poses: teacher poses of the clip: float16 [frames, 33, 7], 7.5 rows a second.
        name: the file as the dataset names it.

    Examples:
        >>> from pathlib import Path
        >>> from exerlitenet.datasets.clips import Clip
        >>> Clip(Path("video.mp4"), "squat", group="anna", repetitions=2).repetitions
        2
    """

    path: Path
    label: str
    group: str
    person: str | None = None
    activity: str | None = None
    view: str | None = None
    repetitions: int | None = None
    extremes_s: tuple[float, ...] = ()
    seconds: float = 0.0
    digest: str = ""
    poses: Path | None = None
    name: str = ""


@dataclass(frozen=True)
class Fault:
    """Why a file of the dataset is not used."""

    file: str
    problem: str


def rows_of_csv(table: Path) -> Iterator[Clip | Fault]:
    """Clips named by a CSV with the columns file and label, paths relative to it. The columns group, person,
    activity, view, repetitions, extremes_s (separated by semicolons) and seconds are used where present.

    Raises InputError when the file is no CSV with such a header.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"expected a CSV in UTF-8, but {table} cannot be read: {error}") from error
    header = text.split("\n", 1)[0]
    delimiter = next((d for d in (",", ";", "\t") if d in header), ",")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        if not {"file", "label"} <= set(columns):
            shown = ", ".join(filter(None, columns))[:100] or "nothing"
            raise InputError(
                f"expected a CSV whose first line names the columns file and label, got {shown} in {table}"
            )
        reader.fieldnames = columns
        for row in reader:
            values = {
                k: (v or "").strip() for k, v in row.items() if isinstance(k, str) and not isinstance(v, list)
            }
            yield _clip_of_row(values, table.parent, f"line {reader.line_num}")
    except csv.Error as error:
        raise InputError(f"{table} is not a CSV: {error}") from error


def _clip_of_row(row: Mapping[str, str], root: Path, line: str) -> Clip | Fault:
    name = row["file"]
    if not name:
        return Fault(line, "the column file is empty")
    # Lexically: a link inside the dataset may lead anywhere, a path may not.
    path = Path(os.path.normpath(root / name))
    if not Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root)):
        return Fault(name, "the path leads outside the dataset's folder")
    try:
        repetitions = _number(row, "repetitions")
        seconds = _number(row, "seconds") or 0.0
        extremes = tuple(
            _positive(part, "extremes_s")
            for part in row.get("extremes_s", "").replace(",", ";").split(";")
            if part.strip()
        )
        if repetitions is not None and repetitions != int(repetitions):
            raise ValueError(f"repetitions must be a whole number, got {repetitions:g}")
    except ValueError as error:
        return Fault(name, str(error))
    label = spelled(row["label"], KNOWN_CLASSES)
    if not label:
        return Fault(name, "the label is empty")
    person = row.get("person") or None
    return Clip(
        path=path,
        label=label,
        group=row.get("group") or person or name,
        person=person,
        activity=row.get("activity") or None,
        view=row.get("view") or None,
        repetitions=None if repetitions is None else int(repetitions),
        extremes_s=extremes,
        seconds=seconds,
        poses=_poses(root, path),
        name=name,
    )


def _number(row: Mapping[str, str], column: str) -> float | None:
    text = row.get(column, "")
    return _positive(text, column) if text else None


def _positive(text: str, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{column} must be a number of at least 0, got {text.strip()[:40]!r}")
    return value


def _poses(root: Path, path: Path) -> Path | None:
    poses = root / "poses" / f"{path.stem}.npy"
    return poses if poses.is_file() else None


def rows_of_folder(root: Path) -> Iterator[Clip | Fault]:
    """Clips of the class folders: videos, and sub-folders of images, as one clip each.

    A sub-folder that holds videos names their group.
    """
    for folder in _children(root):
        if folder.is_dir() and folder.name != "poses":
            label = spelled(folder.name, KNOWN_CLASSES)
            entries = list(_rows_of_class(root, folder, label))
            yield from entries or [Fault(f"{folder.name}/", "the folder holds no video")]
        elif folder.suffix.lower() in VIDEO_SUFFIXES:
            yield Fault(folder.name, "the video is beside the class folders, so it has no label")


def _rows_of_class(root: Path, folder: Path, label: str) -> Iterator[Clip | Fault]:
    loose_images = 0
    for path in _children(folder):
        name = path.relative_to(root).as_posix()
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if not _hidden(p, path)]
            videos = [p for p in inside if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file()]
            if videos:
                for video in videos:
                    file = video.relative_to(root).as_posix()
                    yield Clip(video, label, group=path.name, poses=_poses(root, video), name=file)
            elif image_files(path):
                yield Clip(path, label, group=name, poses=_poses(root, path), name=name)
            else:
                yield Fault(f"{name}/", "the folder holds neither videos nor images")
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            yield Clip(path, label, group=name, poses=_poses(root, path), name=name)
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            loose_images += 1
        else:
            yield Fault(
                name, f"not a video (suffix {path.suffix!r})" if path.suffix else "not a video (no suffix)"
            )
    if loose_images:
        yield Fault(
            f"{folder.name}/",
            f"{loose_images} loose images; the frames of one clip belong in a folder of their own",
        )


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be read: {error}") from error


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def spelled(label: str, classes: Iterable[str]) -> str:
    """The class that a label means when they differ in case, spaces and hyphens only; else the label
    itself.
    """
    label = label.strip()
    folded = "_".join(label.lower().replace("-", " ").replace("_", " ").split())
    return next((name for name in classes if name.lower() == folded), label)


def digest_of(path: Path) -> str:
    """sha256 of a file's content, or of a folder's images in the order of their names; hex."""
    total = hashlib.sha256()
    for file in image_files(path) if path.is_dir() else [path]:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                total.update(block)
    return total.hexdigest()
