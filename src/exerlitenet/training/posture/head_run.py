"""The second phase of the default model: sequence heads on what the frame network says of every clip."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.datasets.augment import Ranges
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import stored_clips
from exerlitenet.datasets.split import folds_by_group
from exerlitenet.evaluation.cross_validation import Folds, HeldOut
from exerlitenet.evaluation.report import report, write_report
from exerlitenet.evaluation.results import Evaluation
from exerlitenet.progress import Stretch
from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.training.posture.head import Head, HeadConfig
from exerlitenet.training.posture.head_data import Copy, HeadWindows, encode_copies
from exerlitenet.training.posture.head_fit import fit_head
from exerlitenet.training.posture.onnx import PostureGraph
from exerlitenet.training.posture.predict_clip import watch
from exerlitenet.training.posture.record import Record
from exerlitenet.training.posture.rendered import RENDERED_WEIGHT, rendered_clips
from exerlitenet.training.run import Run

if TYPE_CHECKING:
    import keras


class Looks:
    """What the frame network says of every clip: augmented copies to learn from, and each clip as it is.

    clips: of the dataset, all of them. Copies lie in the run's cache, so that a killed run goes on, and every head
    of a cross-validation learns from the same ones.
    """

    def __init__(self, run: Run, posture: keras.Model, clips: Sequence[Clip], progress: Record) -> None:
        self.run, self.clips, self.progress = run, clips, progress
        self.config = HeadConfig.from_mapping(run.config.extra.get("head", {}))
        self._graph = PostureGraph(posture)
        self._rendered = rendered_clips(run.config, progress)
        self._augmented: dict[int, list[Copy]] = {}
        self._plain: dict[int, Copy] = {}

    def augmented(self, chosen: Sequence[int]) -> list[list[Copy]]:
        """Copies of these clips, and of all rendered ones after them."""
        everyone = [*self.clips, *self._rendered]
        wanted = [*chosen, *range(len(self.clips), len(everyone))]
        new = [i for i in wanted if i not in self._augmented]
        ranges = Ranges(**self.run.config.augment.ranges)
        made = self._encode(everyone, new, ranges, self.config.copies, "augmented copies")
        self._augmented |= dict(zip(new, made, strict=True))
        return [self._augmented[i] for i in wanted]

    def plain(self, chosen: Sequence[int]) -> list[Copy]:
        """These clips as they are, as the recogniser would see them."""
        new = [i for i in chosen if i not in self._plain]
        made = self._encode(self.clips, new, None, 1, "clips as they are")
        self._plain |= {i: copies[0] for i, copies in zip(new, made, strict=True)}
        return [self._plain[i] for i in chosen]

    def _encode(
        self, clips: Sequence[Clip], chosen: Sequence[int], ranges: Ranges | None, copies: int, what: str
    ) -> list[list[Copy]]:
        if not chosen:
            return []
        folder = self.run.cache / ("plain" if ranges is None else "copies")
        rate = self.run.config.sequence.rate
        found = [clips[i] for i in chosen]
        return encode_copies(
            self._graph,
            stored_clips([clip.path for clip in found], rate, self.progress),
            found,
            ranges,
            [[folder / f"{_key(clip)}-{copy:02d}.npz" for copy in range(copies)] for clip in found],
            rate=rate,
            seeds=[[self.run.config.seed, i] for i in chosen],
            progress=Stretch(self.progress, f"looking at {what}"),
        )

    def windows(self, chosen: Sequence[int], *, plain: bool = False) -> HeadWindows:
        """Windows of these clips: of augmented copies beside rendered people, or of the clips as they are."""
        clips = (
            [self.clips[i] for i in chosen] if plain else [*(self.clips[i] for i in chosen), *self._rendered]
        )
        return HeadWindows(
            [[copy] for copy in self.plain(chosen)] if plain else self.augmented(chosen),
            clips,
            self.run.config.classes,
            frames=self.run.config.sequence.frames,
            least_frames=self.run.config.sequence.least_frames,
            phase_delay=self.config.phase_delay,
            weights=[RENDERED_WEIGHT if clip in self._rendered else 1.0 for clip in clips],
            none_share=self.config.none_share,
        )

    def train_head(self, name: str, train: Sequence[int], validation: Sequence[int]) -> Head:
        """A head that learns from these clips, in the run's folder `name`; no choice is made by `validation`."""
        config = self.run.config
        learning = self.windows(train)
        judged = self.windows(validation, plain=True) if validation else None
        self.progress.begin(f"sequence head ({name})", self.config.epochs)
        return fit_head(
            self.config,
            learning,
            judged,
            self.run.folder / name,
            clips=len(train) + len(self._rendered),
            frames=config.sequence.frames,
            classes=len(config.classes),
            seed=config.seed + self.config.seed,
            report=lambda now: self.progress.head(self.config.epochs, now, name),
        )

    def watch(self, head: Head, chosen: Sequence[int]) -> list[ClipPredictions]:
        """What the head makes of these clips as they are."""
        spec, classes = self.run.config.sequence, self.run.config.classes
        return [watch(head, copy, classes, spec) for copy in self.plain(chosen)]


def left_out(
    looks: Looks, head: Head, chosen: Sequence[int], fold: int, known: frozenset[int]
) -> list[HeldOut]:
    """What a head says of clips that it has not learned from."""
    found = []
    for i, seen in zip(chosen, looks.watch(head, chosen), strict=True):
        clip = looks.clips[i]
        seconds = max(clip.seconds, seen.end_s)
        found.append(HeldOut(clip.name, clip.digest, fold, i in known, seconds, seen))
    return found


def cross_validate(looks: Looks, folds: int, known: frozenset[int]) -> Folds:
    """A head for every fold by group, each judged on the clips it has not learned from.

    known: clips from which the frame network has learned.
    """
    clips, config = looks.clips, looks.run.config
    parts = folds_by_group(
        [clip.label for clip in clips], [clip.group for clip in clips], folds, config.split.seed
    )
    found: list[HeldOut] = []
    for number, part in enumerate(parts):
        out = frozenset(part)
        train = [i for i in range(len(clips)) if i not in out]
        chosen = sorted(out)
        head = looks.train_head(fold_name(number, folds), train, chosen)
        found += left_out(looks, head, chosen, number, known)
    spec = config.sequence
    return Folds(config.name, config.classes, folds, spec.window_s, tuple(found))


def fold_name(number: int, folds: int) -> str:
    """The folder of a fold's head within the run."""
    return f"fold-{number}-of-{folds}"


def other_folds(folder: Path, folds: int | None) -> bool:
    """Whether the run holds heads of a cross-validation in another number of folds."""
    return any(not path.name.endswith(f"-of-{folds}") for path in folder.glob("fold-*-of-*"))


def write_metrics(
    run: Run, clips: Sequence[Clip], evaluations: dict[str, Evaluation], statement: str
) -> None:
    """metrics.json and report.html of a run. The first evaluation is the one that the report shows."""
    divided = run.split
    metrics: dict[str, Any] = {
        "model": run.config.name,
        "classes": list(run.config.classes),
        "statement": statement,
        "counts": divided.split.counts([clip.label for clip in divided.clips]),
        "provenance": run.provenance(),
    } | {name.replace(" ", "_"): evaluation.to_json() for name, evaluation in evaluations.items()}
    page = report(
        title=f"Training run: {run.config.name}",
        evaluation=next(iter(evaluations.values()), None),
        history=run.history,
        config=run.config.to_dict(),
        split_statement=statement,
    )
    write_report(run.report_file, page)
    run.write_metrics(metrics)


def held_out(looks: Looks, head: Head, chosen: Sequence[int]) -> Folds:
    """A single fold: what the head of a run says of the clips that neither part of the model has learned from."""
    config = looks.run.config
    clips = left_out(looks, head, chosen, 0, frozenset())
    return Folds(config.name, config.classes, 1, config.sequence.window_s, tuple(clips))


def _key(clip: Clip) -> str:
    return hashlib.sha256(f"{clip.digest}|{clip.name}|{clip.path.name}".encode()).hexdigest()[:24]
