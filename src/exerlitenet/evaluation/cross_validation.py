"""Cross-validation by group of the default model: what heads say of the clips that were held out of their training.

The frame network is trained once, on the training part of the configuration's split, and shared; every fold trains a
sequence head without its clips. So the people of most clips are unseen by the head alone, those outside the
training part are unseen by all of the model, and figures of both are given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exerlitenet.datasets.clips import Clip
from exerlitenet.errors import InputError
from exerlitenet.evaluation.evaluate import evaluate_workouts
from exerlitenet.evaluation.results import Evaluation
from exerlitenet.files import write_atomically
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.results import Prediction, Workout

FILE = "folds.json"
ALL, UNSEEN = "left out", "strangers"
"""What evaluations of held-out clips are called in files, as long as there have been such."""

STATEMENT = (
    "Cross-validated by group in {folds} folds: each clip is evaluated by a sequence head that learned from other "
    "people and places."
)
HELD_OUT = "Clips of people and places from which no part of the model has learned."
KNOWN = " The frame network has learned posture from {known} of these {clips} clips."
UNSEEN_PEOPLE = " No part of the model has learned from any of these people."


@dataclass(frozen=True)
class HeldOut:
    """What was said of a clip by the head that had not learned from it.

    known: whether the frame network has learned posture from the clip. seconds: length of the clip.
    """

    name: str
    digest: str
    fold: int
    known: bool
    seconds: float
    seen: ClipPredictions

    def to_json(self, classes: Sequence[str]) -> dict[str, Any]:
        return {
            "name": self.name,
            "sha256": self.digest,
            "fold": self.fold,
            "known_to_frame_network": self.known,
            "seconds": self.seconds,
            "times": [round(p.time_s, 4) for p in self.seen.predictions],
            "probabilities": [[round(p.probabilities[c], 5) for c in classes] for p in self.seen.predictions],
            "phases": [[round(t, 4), round(v, 5)] for t, v in self.seen.phases],
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any], classes: Sequence[str]) -> HeldOut:
        predictions = []
        for time_s, values in zip(row["times"], row["probabilities"], strict=True):
            named = dict(zip(classes, values, strict=True))
            predictions.append(Prediction(time_s, named, max(named, key=lambda name: named[name])))
        phases = [(float(t), float(v)) for t, v in row["phases"]]
        seen = ClipPredictions(predictions, phases, row["seconds"])
        return cls(
            row["name"], row["sha256"], row["fold"], row["known_to_frame_network"], row["seconds"], seen
        )


@dataclass(frozen=True)
class Folds:
    """Predictions of a cross-validation. window_s: of the model's window."""

    model: str
    classes: tuple[str, ...]
    folds: int
    window_s: float
    clips: tuple[HeldOut, ...]

    def save(self, folder: Path) -> None:
        """Writes folds.json."""
        data = {**vars(self), "clips": [clip.to_json(self.classes) for clip in self.clips]}
        write_atomically(folder / FILE, json.dumps(data, separators=(",", ":")) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Folds:
        """What `save` wrote. Raises InputError when it is not there or damaged."""
        path = folder / FILE
        if not path.is_file():
            raise InputError(f"{folder} holds no cross-validation ({FILE}); train it with --folds N")
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            classes = tuple(str(name) for name in data["classes"])
            clips = tuple(HeldOut.from_json(row, classes) for row in data["clips"])
            return cls(str(data["model"]), classes, int(data["folds"]), float(data["window_s"]), clips)
        except (KeyError, TypeError, ValueError) as fault:
            raise InputError(f"{path} is damaged ({fault!r}); train again with --folds") from fault

    def workouts(self, thresholds: SegmentThresholds, counting: CountingThresholds) -> list[Workout]:
        """Segments and counts of these predictions, in the order of `clips`."""
        return [
            clip.seen.workout(
                clip.seconds,
                window_s=self.window_s,
                segment_thresholds=thresholds,
                counting_thresholds=counting,
                model=self.model,
                video=clip.name,
            )
            for clip in self.clips
        ]

    def evaluate(
        self, clips: Sequence[Clip], thresholds: SegmentThresholds, counting: CountingThresholds
    ) -> dict[str, Evaluation]:
        """Of all clips, and of those whose people all of the model has not seen, if there are any, by `ALL`, `UNSEEN`.

        clips: of the dataset; those that this cross-validation does not know are not used. Raises InputError when
        it knows none of them.
        """
        truth = {clip.digest: clip for clip in clips}
        found = [
            (held, truth[held.digest], workout)
            for held, workout in zip(self.clips, self.workouts(thresholds, counting), strict=True)
            if held.digest in truth
        ]
        if not found:
            raise InputError(
                "none of these clips was cross-validated; give the dataset that the run was trained with"
            )
        unseen = [row for row in found if not row[0].known]
        how = STATEMENT.format(folds=self.folds) if self.folds > 1 else HELD_OUT
        if len(unseen) < len(found):
            known = KNOWN.format(known=len(found) - len(unseen), clips=len(found))
            parts = {ALL: (found, how + known)} | ({UNSEEN: (unseen, how + UNSEEN_PEOPLE)} if unseen else {})
        else:
            parts = {ALL: (found, how)}
        return {
            name: evaluate_workouts(
                [clip for _, clip, _ in rows],
                [workout for _, _, workout in rows],
                self.classes,
                model=self.model,
                protocol=protocol,
            )
            for name, (rows, protocol) in parts.items()
        }
