"""How good a model is on labelled clips: what it calls them, how often, how surely, and where it errs.

The model is anything that maps a video to a `Workout`, so a bundle is judged without Keras, and every model
in the same way:

- squat or curl, clips: the exercise with the highest mean probability over a clip's predictions;
- squat or curl, sequences: the exercise with the highest probability of each prediction;
- all classes, clips: the clip's top-level exercise, or none; sequences: the class of each prediction;
- none called an exercise: clips of none with any top-level exercise;
- repetitions: those of the segments of the clip's true exercise, on clips of three and more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.clips import Clip, Fault
from exerlitenet.datasets.manifest import Progress, ordered_classes
from exerlitenet.errors import InputError
from exerlitenet.evaluation.classification import Judgement, compare, judge_sequences
from exerlitenet.evaluation.metrics import Interval, bootstrap
from exerlitenet.evaluation.results import ClipResult, Counting, Evaluation, Row, countable
from exerlitenet.results import NONE, Workout

__all__ = ["Evaluation", "evaluate", "judge", "judge_sequences", "warn_if_seen"]


def evaluate(
    recognize: Callable[[Path], Workout],
    clips: Sequence[Clip],
    classes: Sequence[str],
    *,
    model: str,
    protocol: str,
    seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Run a model over clips and judge it.

    recognize: the model at work. classes: what the model can say. provenance: the bundle's, to find out
    whether it was trained on some of these clips. Clips that cannot be read end in `failed`. Raises
    InputError when none can.
    """
    read: list[Clip] = []
    workouts: list[Workout] = []
    failed: list[Fault] = []
    for done, clip in enumerate(clips):
        if progress is not None:
            progress(done, len(clips))
        try:
            workouts.append(recognize(clip.path))
        except InputError as error:
            failed.append(Fault(clip.name, str(error).removeprefix(f"{clip.path}: ")))
        else:
            read.append(clip)
    if progress is not None:
        progress(len(clips), len(clips))
    if not read:
        shown = f"; the first: {failed[0].file}: {failed[0].problem}" if failed else ""
        raise InputError(f"nothing to judge: none of {len(clips)} clips could be read{shown}")
    evaluation = judge(read, workouts, classes, model=model, protocol=protocol, seed=seed)
    return replace(evaluation, failed=tuple(failed), warning=warn_if_seen(provenance or {}, clips))


def judge(
    clips: Sequence[Clip],
    workouts: Sequence[Workout],
    classes: Sequence[str],
    *,
    model: str,
    protocol: str,
    seed: int = 0,
) -> Evaluation:
    """Judge what a model made of clips, one workout for each clip. Raises InputError without clips."""
    if len(clips) != len(workouts):
        raise InputError(f"expected one workout for each clip, got {len(workouts)} for {len(clips)} clips")
    if not clips:
        raise InputError("nothing to judge: no clips")
    exercises = [name for name in classes if name != NONE]
    if not exercises:
        raise InputError(f"the model knows no exercise; its classes are {', '.join(classes) or 'missing'}")
    results = [_result(clip, workout, exercises) for clip, workout in zip(clips, workouts, strict=True)]
    counts = all(s.repetitions is not None for workout in workouts for s in workout.segments)
    return Evaluation(
        model=model,
        protocol=protocol,
        classes=tuple(classes),
        seed=seed,
        results=tuple(results),
        seconds=sum(workout.duration_s for workout in workouts),
        judgements=_judgements(results, workouts, exercises, seed),
        none_called_exercise=_none_called_exercise(results, seed),
        counting=_counting(results, exercises, seed) if counts else {},
        by_group=_rows(results, lambda r: r.group),
        by_person=_rows(results, lambda r: r.person),
        by_view=_rows(results, lambda r: r.view),
        by_activity=_rows(results, lambda r: r.activity),
    )


def warn_if_seen(provenance: Mapping[str, Any], clips: Sequence[Clip]) -> str | None:
    """One sentence when clips, or groups, that a bundle's provenance names as trained on are among these.

    provenance: `train_digests` (sha256 of contents) and `train_groups` (names) are looked at; either may be
    missing.
    """
    digests, groups = _names(provenance, "train_digests"), _names(provenance, "train_groups")
    by_content = sum(clip.digest in digests for clip in clips if clip.digest)
    by_group = {clip.group for clip in clips if clip.group in groups}
    if not by_content and not by_group:
        return None
    found = []
    if by_content:
        found.append(f"{by_content} of these {len(clips)} clips")
    if by_group:
        shown = ", ".join(sorted(by_group)[:3])
        found.append(
            f"clips of {len(by_group)} of these groups ({shown}{', ...' if len(by_group) > 3 else ''})"
        )
    return f"The model was trained on {' and on '.join(found)}: the figures say nothing about new people."


def _names(provenance: Mapping[str, Any], key: str) -> set[str]:
    values = provenance.get(key)
    return (
        {value for value in values if isinstance(value, str)} if isinstance(values, list | tuple) else set()
    )


def _result(clip: Clip, workout: Workout, exercises: Sequence[str]) -> ClipResult:
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
        counted=sum(s.repetitions or 0 for s in workout.segments if s.exercise == clip.label),
        fault=workout.fault,
    )


def _judgements(
    results: Sequence[ClipResult], workouts: Sequence[Workout], exercises: Sequence[str], seed: int
) -> dict[str, Judgement]:
    out: dict[str, Judgement] = {}
    pairs = list(zip(results, workouts, strict=True))
    told = [(r, w) for r, w in pairs if r.label in exercises]
    either = " or ".join(exercises)
    if told and len(exercises) > 1:
        out["exercise_clips"] = compare(
            [r.label for r, _ in told],
            [r.exercise for r, _ in told],
            [r.group for r, _ in told],
            exercises,
            unit="clips",
            statement=f"{either}: the higher mean probability over the predictions of a clip.",
            seed=seed,
        )
        sequences = [(r, p) for r, w in told for p in w.predictions]
        out["exercise_sequences"] = compare(
            [r.label for r, _ in sequences],
            [max(exercises, key=lambda name, p=p: p.probabilities.get(name, 0.0)) for _, p in sequences],  # type: ignore[misc]
            [r.group for r, _ in sequences],
            exercises,
            unit="sequences",
            statement=f"{either}: the higher probability of each prediction.",
            seed=seed,
        )
    said = {r.called for r in results} | {p.exercise for w in workouts for p in w.predictions}
    names = ordered_classes({*exercises, *said, *(r.label for r in results)})
    out["clips"] = compare(
        [r.label for r in results],
        [r.called for r in results],
        [r.group for r in results],
        names,
        unit="clips",
        statement="The exercise with the most seconds in segments, none when there is no segment.",
        seed=seed,
    )
    out["sequences"] = compare(
        [r.label for r, w in pairs for _ in w.predictions],
        [p.exercise for w in workouts for p in w.predictions],
        [r.group for r, w in pairs for _ in w.predictions],
        names,
        unit="sequences",
        statement="The class of each prediction.",
        seed=seed,
    )
    return out


def _none_called_exercise(results: Sequence[ClipResult], seed: int) -> Interval | None:
    nones = [r for r in results if r.label == NONE]
    if not nones:
        return None
    sums = _sums_by_group(nones, lambda r: (1.0, float(r.called != NONE)))
    return bootstrap(sums, _mean_of(1), seed)


def _counting(results: Sequence[ClipResult], exercises: Sequence[str], seed: int) -> dict[str, Counting]:
    out: dict[str, Counting] = {}
    for name in ("all", *exercises):
        clips = [r for r in countable(results) if name in ("all", r.label)]
        if not clips:
            continue
        sums = _sums_by_group(clips, _counting_facts)
        within, exact, relative, bias = (bootstrap(sums, _mean_of(k), seed) for k in range(1, 5))
        out[name] = Counting(
            clips=len(clips),
            true=sum(r.repetitions or 0 for r in clips),
            counted=sum(r.counted for r in clips),
            within_one=within,
            exact=exact,
            relative_error=relative,
            bias=bias,
        )
    return out


def _counting_facts(result: ClipResult) -> tuple[float, ...]:
    true = result.repetitions or 0
    error = result.counted - true
    return (1.0, float(abs(error) <= 1), float(error == 0), abs(error) / true, error / true)


def _mean_of(k: int) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Mean of the k-th fact from sums [resamples, facts] whose first is the number of clips."""
    return lambda sums: np.divide(
        sums[:, k], sums[:, 0], out=np.full(len(sums), np.nan), where=sums[:, 0] > 0
    )


def _sums_by_group(
    results: Sequence[ClipResult], facts: Callable[[ClipResult], tuple[float, ...]]
) -> NDArray[np.float64]:
    """float64 [groups, facts]."""
    sums: dict[str, NDArray[np.float64]] = {}
    for result in results:
        values = np.array(facts(result))
        sums[result.group] = sums[result.group] + values if result.group in sums else values
    return np.stack([sums[group] for group in sorted(sums)])


def _rows(results: Sequence[ClipResult], key: Callable[[ClipResult], str | None]) -> tuple[Row, ...]:
    """One row for each value of the key, most clips first; clips without it are in none."""
    members: dict[str, list[ClipResult]] = {}
    for result in results:
        name = key(result)
        if name:
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
