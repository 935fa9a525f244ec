"""Cross-validation by group of the default model: what heads say of the clips that each of them has not seen.

The frame network is trained once, on the training part of the configuration's split, and shared; every fold trains a
sequence head without its clips. So the people of most clips are strangers to the head alone, those outside the
training part are strangers to all of the model, and figures of both are given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exerlitenet.datasets.clips import Clip
from exerlitenet.errors import InputError
from exerlitenet.evaluation.evaluate import judge
from exerlitenet.evaluation.results import Evaluation
from exerlitenet.files import write_atomically
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.results import Prediction, Workout

FILE = "folds.json"
STATEMENT = (
    "Cross-validated by group in {folds} folds: each clip is judged by a sequence head that learned from other people "
    "and places."
)
HELD_OUT = "Clips of people and places from which no part of the model has learned."
KNOWN = " The frame network has learned posture from {known} of these {clips} clips."
STRANGERS = " No part of the model has learned from any of these people."


@dataclass(frozen=True)
class LeftOut:
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
    def from_json(cls, row: dict[str, Any], classes: Sequence[str]) -> LeftOut:
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
    clips: tuple[LeftOut, ...]

    def save(self, folder: Path) -> None:
        """Writes folds.json."""
        data = {
            "model": self.model,
            "classes": list(self.classes),
            "folds": self.folds,
            "window_s": self.window_s,
            "clips": [clip.to_json(self.classes) for clip in self.clips],
        }
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
            clips = tuple(LeftOut.from_json(row, classes) for row in data["clips"])
            return cls(str(data["model"]), classes, int(data["folds"]), float(data["window_s"]), clips)
        except (KeyError, TypeError, ValueError) as fault:
            raise InputError(f"{path} is damaged ({fault!r}); train again with --folds") from fault

    def workouts(self, thresholds: SegmentThresholds, counting: CountingThresholds) -> list[Workout]:
        """What the recogniser makes of these predictions, in the order of `clips`."""
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
        """Judged on all clips, and on those whose people are strangers to all of the model, if there are any.

        clips: of the dataset; those that this cross-validation does not know are left out. Raises InputError when
        it knows none of them.
        """
        truth = {clip.digest: clip for clip in clips}
        pairs = [
            (left, truth[left.digest], workout)
            for left, workout in zip(self.clips, self.workouts(thresholds, counting), strict=True)
            if left.digest in truth
        ]
        if not pairs:
            raise InputError(
                "none of these clips was cross-validated; give the dataset that the run was trained with"
            )
        known = sum(left.known for left, _, _ in pairs)
        how = STATEMENT.format(folds=self.folds) if self.folds > 1 else HELD_OUT
        if known:
            how += KNOWN.format(known=known, clips=len(pairs))

        def judged(chosen: Sequence[tuple[LeftOut, Clip, Workout]], statement: str) -> Evaluation:
            return judge(
                [clip for _, clip, _ in chosen],
                [workout for _, _, workout in chosen],
                self.classes,
                model=self.model,
                protocol=statement,
            )

        found = {"left out": judged(pairs, how)}
        strangers = [pair for pair in pairs if not pair[0].known]
        if strangers and known:
            found["strangers"] = judged(strangers, STATEMENT.format(folds=self.folds) + STRANGERS)
        return found
