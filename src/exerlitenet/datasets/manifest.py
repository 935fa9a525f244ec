"""A dataset on disk: which clips, which label, who is in them, and everything that is wrong with it.

A dataset is a folder with one sub-folder per class, a CSV with the columns `file` and `label`, or a folder
that holds such a CSV as `manifest.csv`. All faults are collected, so that one run shows them all; clips
with a fault are not used.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from exerlitenet.datasets.clips import (
    KNOWN_CLASSES,
    Clip,
    Fault,
    digest_of,
    rows_of_csv,
    rows_of_folder,
    spelled,
)
from exerlitenet.errors import InputError
from exerlitenet.video.source import open_video

LARGEST_GROUPS = 5
LEAST_SECONDS = 0.5

OnProgress = Callable[[int, int], None]
"""Called with the number of clips inspected and the number of all."""


@dataclass(frozen=True)
class Manifest:
    """What a dataset holds.

    Attributes:
        root: the folder that the clips' names are relative to.
        clips: the usable ones, in the dataset's order.
        faults: what was left out for a reason that needs mending.
        classes: in the order that a model trained on them uses.
        left_out: label -> clips that were not asked for.

    Examples:
        >>> from pathlib import Path
        >>> from exerlitenet.datasets.manifest import read_manifest
        >>> _ = Path("clips.csv").write_text("file,label,group\\nvideo.mp4,squat,anna\\nlost.mp4,squat,ben\\n")
        >>> manifest = read_manifest(Path("clips.csv"))
        >>> [clip.group for clip in manifest.clips], [fault.file for fault in manifest.faults]
        (['anna'], ['lost.mp4'])
    """

    root: Path
    clips: tuple[Clip, ...]
    faults: tuple[Fault, ...]
    classes: tuple[str, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What `exerlitenet dataset --json` writes: totals, a row per class, groups by size, faults."""
        groups = Counter(clip.group for clip in self.clips)
        return {
            "dataset": str(self.root),
            **_totals(self.clips),
            "classes": {name: _totals([c for c in self.clips if c.label == name]) for name in self.classes},
            "left_out": dict(self.left_out),
            "largest_groups": [
                {"group": name, "clips": n, "share": round(n / len(self.clips), 4)}
                for name, n in groups.most_common(LARGEST_GROUPS)
            ],
            "people_in_several_groups": _people_in_several_groups(self.clips),
            "faults": [{"file": fault.file, "problem": fault.problem} for fault in self.faults],
        }


def read_manifest(
    dataset: Path,
    *,
    classes: Sequence[str] | None = None,
    check: bool = True,
    may_be_empty: bool = False,
    on_progress: OnProgress | None = None,
) -> Manifest:
    """Read a dataset and check every clip. What is wrong with a clip is a `Fault`, not an error.

    Args:
        dataset: a folder with one sub-folder per class, a CSV, or a folder that holds a manifest.csv.
        classes: keep these labels only; the others are counted in `left_out`, and a label spelled nearly like one of
            them is a fault. Without it every label is taken: squat, biceps_curl and none first, then the alphabet.
        check: open every video, decode its first frame and measure its duration. Without it the column `seconds` is
            trusted. Contents are hashed and compared in either case.
        may_be_empty: whether a dataset without any usable clip is a result too, for its faults to be shown.
        on_progress: called with the number of clips done and the number of all.

    Raises:
        InputError: when the dataset is missing, is neither a folder nor a CSV with a header, or holds no usable clip.
    """
    dataset = Path(dataset)
    if not dataset.exists():
        raise InputError(
            f"expected a dataset (a folder of class folders or a CSV), but {dataset} does not exist"
        )
    table = dataset / "manifest.csv" if dataset.is_dir() else dataset
    if table.is_file():
        root, found = table.parent, list(rows_of_csv(table))
    else:
        root, found = dataset, list(rows_of_folder(dataset))
    faults = [entry for entry in found if isinstance(entry, Fault)]
    clips = [entry for entry in found if isinstance(entry, Clip)]

    kept, unknown, left_out = _choose(clips, classes)
    faults += unknown
    inspected: list[Clip] = []
    for done, clip in enumerate(kept):
        if on_progress is not None:
            on_progress(done, len(kept))
        result = _inspect(clip, check)
        if isinstance(result, Fault):
            faults.append(result)
        else:
            inspected.append(result)
    if on_progress is not None:
        on_progress(len(kept), len(kept))
    usable, duplicates = _without_duplicates(inspected)
    usable, ambiguous = _without_shared_poses(usable)
    faults += [*duplicates, *ambiguous]
    if not usable and not (may_be_empty and faults):
        first = (
            f"; the first of {len(faults)} faults: {faults[0].file}: {faults[0].problem}" if faults else ""
        )
        labels = f" with the classes {', '.join(classes)}" if classes else ""
        raise InputError(f"{dataset} holds no usable clip{labels}{first}")
    names = tuple(dict.fromkeys(classes)) if classes is not None else ordered_classes(c.label for c in usable)
    return Manifest(root, tuple(usable), tuple(faults), names, left_out)


def ordered_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """The known classes among the labels in their fixed order, then the others alphabetically."""
    present = set(labels)
    return (*(c for c in KNOWN_CLASSES if c in present), *sorted(present - set(KNOWN_CLASSES)))


def _choose(
    clips: Sequence[Clip], classes: Sequence[str] | None
) -> tuple[list[Clip], list[Fault], dict[str, int]]:
    if classes is None:
        return list(clips), [], {}
    kept, faults = [], []
    left_out: Counter[str] = Counter()
    for clip in clips:
        label = spelled(clip.label, classes)
        near = difflib.get_close_matches(label.lower(), classes, n=1, cutoff=0.85)
        if label in classes:
            kept.append(replace(clip, label=label))
        elif near:
            faults.append(Fault(clip.name, f"unknown label {label!r}; is {near[0]!r} meant?"))
        else:
            left_out[label] += 1
    return kept, faults, dict(sorted(left_out.items()))


def _inspect(clip: Clip, check: bool) -> Clip | Fault:
    """The clip with its digest and, if checked, its measured duration; or what is wrong with it."""
    try:
        if not clip.path.exists():
            return Fault(clip.name, "the file is missing")
        digest = digest_of(clip.path)
    except OSError as error:
        return Fault(clip.name, f"the file cannot be read: {error.strerror or error}")
    seconds = clip.seconds
    if check:
        try:
            seconds = measure_seconds(clip.path)
        except InputError as error:
            return Fault(clip.name, str(error).removeprefix(f"{clip.path}: "))
    if (check or seconds) and seconds < LEAST_SECONDS:
        return Fault(clip.name, f"too short: {seconds:.2f} s, at least {LEAST_SECONDS:g} s are needed")
    return replace(clip, digest=digest, seconds=seconds)


def measure_seconds(path: Path) -> float:
    """Duration of a video whose first frame decodes. Raises InputError when it cannot be read."""
    with open_video(path) as video:
        if video.duration_s is None:
            for _ in video:
                pass
        return video.duration_s or 0.0


def _without_duplicates(clips: Sequence[Clip]) -> tuple[list[Clip], list[Fault]]:
    """One clip for each content. Where the labels of copies differ, nobody knows which is right: none is
    used.
    """
    by_digest: dict[str, list[Clip]] = {}
    for clip in clips:
        by_digest.setdefault(clip.digest, []).append(clip)
    usable: list[Clip] = []
    faults: list[Fault] = []
    for clip in clips:
        first, *others = by_digest[clip.digest]
        if not others:
            usable.append(clip)
        elif any(other.label != first.label for other in others):
            twin = next(other for other in (first, *others) if other.label != clip.label)
            faults.append(Fault(clip.name, f"same content as {twin.name}, which is labelled {twin.label!r}"))
        elif clip is first:
            usable.append(clip)
        else:
            faults.append(Fault(clip.name, f"same content as {first.name}"))
    return usable, faults


def _without_shared_poses(clips: Sequence[Clip]) -> tuple[list[Clip], list[Fault]]:
    """Clips of one name in several folders would all take the same poses; nobody knows whose they are."""
    owners = Counter(clip.poses for clip in clips)
    shared = [clip for clip in clips if clip.poses is not None and owners[clip.poses] > 1]
    faults = [
        Fault(
            clip.name,
            f"{owners[clip.poses]} clips are called {clip.path.stem}, so it is not clear whose poses "
            f"poses/{clip.path.stem}.npy are; rename them",
        )
        for clip in shared
    ]
    return [clip for clip in clips if clip not in shared], faults


def _totals(clips: Sequence[Clip]) -> dict[str, Any]:
    counted = [clip for clip in clips if clip.repetitions is not None]
    return {
        "clips": len(clips),
        "seconds": round(sum(clip.seconds for clip in clips), 2),
        "people": len({clip.person for clip in clips if clip.person}),
        "groups": len({clip.group for clip in clips}),
        "activities": len({clip.activity for clip in clips if clip.activity}),
        "repetitions": sum(clip.repetitions or 0 for clip in counted),
        "clips_with_repetitions_counted": len(counted),
        "clips_with_poses": sum(clip.poses is not None for clip in clips),
    }


def _people_in_several_groups(clips: Sequence[Clip]) -> list[str]:
    """People whom a split by group may put on both sides, as a dataset that names them so should not."""
    groups: dict[str, set[str]] = {}
    for clip in clips:
        if clip.person:
            groups.setdefault(clip.person, set()).add(clip.group)
    return sorted(person for person, found in groups.items() if len(found) > 1)
