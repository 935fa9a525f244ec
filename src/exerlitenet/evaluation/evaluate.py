"""How good a model is on labelled clips: what it calls them, how often, how surely, and where it errs.

The model is anything that maps a video to a `Workout`, so a bundle is evaluated without Keras, and every model
in the same way:

- squat or curl, clips: the exercise with the highest mean probability over a clip's predictions;
- squat or curl, sequences: the exercise with the highest probability of each prediction;
- all classes, clips: the clip's top-level exercise, or none; sequences: the class of each prediction;
- false-positive rate: clips of none with any top-level exercise;
- repetitions: those of the segments of the clip's true exercise, on clips of three and more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from exerlitenet.datasets.clips import Clip, Fault
from exerlitenet.datasets.manifest import OnProgress, ordered_classes
from exerlitenet.errors import InputError
from exerlitenet.evaluation.classification import Classification, classify
from exerlitenet.evaluation.metrics import Interval, mean
from exerlitenet.evaluation.results import ClipResult, Counting, Evaluation, Row, countable
from exerlitenet.results import NONE, Prediction, Workout


def evaluate(
    recognize: Callable[[Path], Workout],
    clips: Sequence[Clip],
    classes: Sequence[str],
    *,
    model: str,
    protocol: str,
    seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Run a model over clips and evaluate it.

    recognize: the model at work. classes: what the model can say. provenance: the bundle's, to find out
    whether it was trained on some of these clips. Clips that cannot be read end in `failed`. Raises
    InputError when none can.
    """
    read: list[Clip] = []
    workouts: list[Workout] = []
    failed: list[Fault] = []
    for done, clip in enumerate(clips):
        if on_progress is not None:
            on_progress(done, len(clips))
        try:
            workouts.append(recognize(clip.path))
        except InputError as error:
            failed.append(Fault(clip.name, str(error).removeprefix(f"{clip.path}: ")))
        else:
            read.append(clip)
    if on_progress is not None:
        on_progress(len(clips), len(clips))
    if not read:
        shown = f"; the first: {failed[0].file}: {failed[0].problem}" if failed else ""
        raise InputError(f"nothing to evaluate: none of {len(clips)} clips could be read{shown}")
    evaluation = evaluate_workouts(read, workouts, classes, model=model, protocol=protocol, seed=seed)
    return replace(evaluation, failed=tuple(failed), warning=warn_if_seen(provenance or {}, clips))


def evaluate_workouts(
    clips: Sequence[Clip],
    workouts: Sequence[Workout],
    classes: Sequence[str],
    *,
    model: str,
    protocol: str,
    seed: int = 0,
) -> Evaluation:
    """Evaluate what a model made of clips, one workout for each clip. Raises InputError without clips."""
    if len(clips) != len(workouts):
        raise InputError(f"expected one workout for each clip, got {len(workouts)} for {len(clips)} clips")
    if not clips:
        raise InputError("nothing to evaluate: no clips")
    exercises = [name for name in classes if name != NONE]
    if not exercises:
        raise InputError(f"the model knows no exercise; its classes are {', '.join(classes) or 'missing'}")
    counts = all(s.repetitions is not None for workout in workouts for s in workout.segments)
    results = [
        _result(clip, workout, exercises, counts) for clip, workout in zip(clips, workouts, strict=True)
    ]
    return Evaluation(
        model=model,
        protocol=protocol,
        classes=tuple(classes),
        seed=seed,
        results=tuple(results),
        seconds=sum(workout.duration_s for workout in workouts),
        classifications=_classifications(results, workouts, exercises, seed),
        none_called_exercise=_false_positives(results, seed),
        counting=_counting(results, exercises, seed),
        by={key: _rows(results, key) for key in ("view", "activity", "group", "person")},
    )


def warn_if_seen(provenance: Mapping[str, Any], clips: Sequence[Clip]) -> str | None:
    """One sentence when clips, or groups, that a bundle's provenance names as trained on are among these.

    provenance: `train_digests` (sha256 of contents) and `train_groups` (names) are read; either may be
    missing.
    """
    digests, groups = _names(provenance, "train_digests"), _names(provenance, "train_groups")
    by_content = sum(clip.digest in digests for clip in clips if clip.digest)
    by_group = {clip.group for clip in clips if clip.group in groups}
    if not by_content and not by_group:
        return None
    found = [f"{by_content} of these {len(clips)} clips"] if by_content else []
    if by_group:
        shown = ", ".join(sorted(by_group)[:3]) + (", ..." if len(by_group) > 3 else "")
        found.append(f"clips of {len(by_group)} of these groups ({shown})")
    return f"The model was trained on {' and on '.join(found)}: the figures say nothing about new people."


def _names(provenance: Mapping[str, Any], key: str) -> set[str]:
    values = provenance.get(key)
    return (
        {value for value in values if isinstance(value, str)} if isinstance(values, list | tuple) else set()
    )


def _result(clip: Clip, workout: Workout, exercises: Sequence[str], counts: bool) -> ClipResult:
    if not workout.predictions:
        raise InputError(f"{clip.name}: the model gave no prediction; a readable video has at least one")
    names = list(dict.fromkeys(name for p in workout.predictions for name in p.probabilities))
    means = {n: float(np.mean([p.probabilities.get(n, 0.0) for p in workout.predictions])) for n in names}
    exercise = max(exercises, key=lambda name: means.get(name, 0.0))
    return ClipResult(
        name=clip.name or clip.path.name,
        label=clip.label,
        group=clip.group,
        person=clip.person,
        activity=clip.activity,
        view=clip.view,
        called=workout.exercise,
        exercise=exercise,
        exercise_right=exercise == clip.label if clip.label in exercises else None,
        probabilities=means,
        sequences=len(workout.predictions),
        sequences_right=sum(p.exercise == clip.label for p in workout.predictions),
        repetitions=clip.repetitions,
        counted=sum(s.repetitions or 0 for s in workout.segments if s.exercise == clip.label)
        if counts
        else None,
        fault=workout.fault,
    )


def _classifications(
    results: Sequence[ClipResult], workouts: Sequence[Workout], exercises: Sequence[str], seed: int
) -> dict[str, Classification]:
    by_clip = list(zip(results, workouts, strict=True))
    by_prediction = [(r, p) for r, w in by_clip for p in w.predictions]
    names = ordered_classes(
        {*exercises, *(r.label for r in results), *(r.called for r in results)}
        | {p.exercise for _, p in by_prediction}
    )
    out: dict[str, Classification] = {}

    def add(
        name: str, said: Sequence[tuple[ClipResult, str]], classes: Sequence[str], statement: str
    ) -> None:
        out[name] = classify(
            [r.label for r, _ in said],
            [called for _, called in said],
            [r.group for r, _ in said],
            classes,
            unit="clips" if name.endswith("clips") else "sequences",
            statement=statement,
            seed=seed,
        )

    def likelier(p: Prediction) -> str:
        return max(exercises, key=lambda name: p.probabilities.get(name, 0.0))

    of_exercise = [(r, r.exercise) for r in results if r.label in exercises]
    if of_exercise and len(exercises) > 1:
        either = " or ".join(exercises)
        words = f"{either}: the higher mean probability over the predictions of a clip."
        add("exercise_clips", of_exercise, exercises, words)
        said = [(r, likelier(p)) for r, p in by_prediction if r.label in exercises]
        add("exercise_sequences", said, exercises, f"{either}: the higher probability of each prediction.")
    words = "The exercise with the most seconds in segments, none when there is no segment."
    add("clips", [(r, r.called) for r in results], names, words)
    add("sequences", [(r, p.exercise) for r, p in by_prediction], names, "The class of each prediction.")
    return out


def _false_positives(results: Sequence[ClipResult], seed: int) -> Interval | None:
    nones = [r for r in results if r.label == NONE]
    return mean([r.group for r in nones], [r.called != NONE for r in nones], seed) if nones else None


def _counting(results: Sequence[ClipResult], exercises: Sequence[str], seed: int) -> dict[str, Counting]:
    out: dict[str, Counting] = {}
    for name in ("all", *exercises):
        clips = [r for r in countable(results) if name in ("all", r.label)]
        if not clips:
            continue
        groups = [r.group for r in clips]
        relative = [r.miscounted / (r.repetitions or 1) for r in clips]
        out[name] = Counting(
            clips=len(clips),
            true=sum(r.repetitions or 0 for r in clips),
            counted=sum(r.counted or 0 for r in clips),
            within_one=mean(groups, [abs(r.miscounted) <= 1 for r in clips], seed),
            exact=mean(groups, [r.miscounted == 0 for r in clips], seed),
            relative_error=mean(groups, [abs(error) for error in relative], seed),
            bias=mean(groups, relative, seed),
        )
    return out


def _rows(results: Sequence[ClipResult], key: str) -> tuple[Row, ...]:
    """One row for each value of the key, most clips first; clips without it are in none."""
    members: dict[str, list[ClipResult]] = {}
    for result in results:
        if name := getattr(result, key):
            members.setdefault(name, []).append(result)
    rows = [
        Row(
            name=name,
            clips=len(found),
            right=sum(r.right for r in found),
            exercise_clips=sum(r.exercise_right is not None for r in found),
            exercise_right=sum(r.exercise_right is True for r in found),
            sequences=sum(r.sequences for r in found),
            sequences_right=sum(r.sequences_right for r in found),
            called=dict(sorted(Counter(r.called for r in found).items())),
        )
        for name, found in members.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.clips, row.name)))
