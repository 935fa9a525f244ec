"""`exerlitenet evaluate`: how good a model or a run is on labelled clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exerlitenet.cli.options import JsonOption, ReportOption, load_keras, needs_training_extra
from exerlitenet.cli.output import bar, check_different, check_writable, complain, console, write_json
from exerlitenet.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from exerlitenet.datasets.clips import Clip
    from exerlitenet.evaluation.metrics import Interval
    from exerlitenet.evaluation.results import Evaluation
    from exerlitenet.recognition.recognizer import Recognizer

PARTS = ("all", "train", "validation", "test")
FOLDS = "folds"
AS_THEY_ARE = "as they are"


@dataclass(frozen=True)
class Judged:
    """A model to be judged. parts: part -> sha256 of its clips, as far as the model knows them.

    statement: one sentence on how its parts were made; provenance: see `training.evaluate.warn_if_seen`.
    """

    recognizer: Recognizer
    provenance: Mapping[str, Any]
    parts: Mapping[str, frozenset[str]]
    statement: str


def evaluate(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL|RUN", help='Folder of a model or of a training run, or "default".'),
    ],
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="A folder with one sub-folder per class, or a CSV.")
    ],
    part: Annotated[
        str,
        typer.Option(
            "--part",
            metavar="|".join((*PARTS, FOLDS)),
            help="Which part of the model's own split to judge it on; folds: its cross-validation.",
        ),
    ] = "all",
    degrade: Annotated[
        str | None,
        typer.Option("--degrade", metavar="NAME|all", help="Judge it on clips made worse as well."),
    ] = None,
    json_to: JsonOption = None,
    report: ReportOption = None,
) -> None:
    """Judge a model on labelled clips: which exercise, false alarms, repetitions, each with its interval."""
    if part not in (*PARTS, FOLDS):
        raise InputError(f"--part takes {', '.join((*PARTS, FOLDS))}, got {part!r}")
    if part == FOLDS and degrade is not None:
        raise InputError(
            "--degrade runs the model anew, --part folds shows what heads have said; leave one out"
        )
    check_writable(json_to, [dataset])
    check_writable(report, [dataset])
    check_different(json_to, report)
    from exerlitenet.datasets.degrade import degradations
    from exerlitenet.datasets.manifest import read_manifest
    from exerlitenet.evaluation.report import write_report
    from exerlitenet.evaluation.robustness import robustness, robustness_section

    worse = degradations(degrade) if degrade is not None else {}
    judged = open_model(model) if part != FOLDS else None
    with bar("looking at clips") as told:
        manifest = read_manifest(dataset, check=False, progress=told)
    if manifest.faults:
        first = manifest.faults[0]
        complain(
            f"{dataset}: left out {len(manifest.faults)}, the first: {first.file}: {first.problem} "
            f"(exerlitenet dataset {dataset} shows all)"
        )
    if judged is None:
        evaluations = cross_validated(Path(model), manifest.clips)
    else:
        clips = choose(manifest.clips, judged, part)
        told_as = protocol(judged, part, len(clips), len(manifest.clips))
        evaluations = judge_each(judged, clips, told_as, worse)
    main = next(iter(evaluations.values()))
    if main.warning:
        complain(main.warning)
    for fault in main.failed:
        complain(f"{fault.file}: {fault.problem}")
    out = console(quiet=json_to == "-")
    out.print(f"model {main.model}, {len(main.results)} clips. {main.protocol}", soft_wrap=True)
    out.print(measures(evaluations))
    if json_to is not None:
        more: dict[str, Any] = {"robustness": robustness(evaluations)} if worse else {}
        if judged is None:
            more = {name: e.to_json() for name, e in evaluations.items() if e is not main}
        write_json(main.to_json() | more, json_to)
    if report is not None:
        sections = [robustness_section(evaluations)] if worse else []
        write_report(report, title=f"Evaluation: {main.model}", evaluation=main, sections=sections)
        out.print(f"report: {report}", soft_wrap=True)
    if main.failed:
        raise typer.Exit(2)


def open_model(name: str) -> Judged:
    """A bundle, a run, or the model that ships. Raises InputError for any other folder."""
    from exerlitenet.recognition.bundle import CARD, load_bundle
    from exerlitenet.recognition.recognizer import Recognizer

    folder = Path(name)
    if (folder / "run.json").is_file() and not (folder / CARD).is_file():
        needs_training_extra()
        from exerlitenet.training.registry import recognizer_of_run
        from exerlitenet.training.run import Run

        run = Run.open(folder)
        split = run.split
        load_keras()
        parts = {
            part: frozenset(split.clips[i].digest for i in split.clips_of(part))
            for part in PARTS
            if part != "all"
        }
        return Judged(recognizer_of_run(folder), run.provenance(), parts, split.split.statement)
    shipped = name == "default" and not folder.exists()
    if not shipped and not (folder / CARD).is_file():
        raise InputError(
            f"{name}: expected the folder of a model ({CARD}), of a training run (run.json), or default"
        )
    model = None if shipped else folder
    provenance = load_bundle(model).provenance
    return Judged(
        Recognizer.load(model), provenance, parts_of(provenance), str(provenance.get("protocol") or "")
    )


def cross_validated(run: Path, clips: Sequence[Clip]) -> dict[str, Evaluation]:
    """What a run's folds said of the clips that each had left out, without running anything again."""
    from exerlitenet.evaluation.cross_validation import Folds
    from exerlitenet.training.posture.engine import COUNTING, SEGMENTS

    return Folds.load(run).evaluate(clips, SEGMENTS, COUNTING)


def parts_of(provenance: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Part -> digests of its clips, as a bundle's card has them; parts that it does not name are left out."""
    named = provenance.get("split")
    found = dict(named) if isinstance(named, Mapping) else {}
    if "train_digests" in provenance:
        found.setdefault("train", provenance["train_digests"])
    return {
        part: frozenset(str(digest) for digest in found[part])
        for part in PARTS
        if isinstance(found.get(part), list | tuple)
    }


def choose(clips: Sequence[Clip], judged: Judged, part: str) -> list[Clip]:
    """The clips of a part. Raises InputError when the model names none, or none of these."""
    if part == "all":
        return list(clips)
    if not judged.parts.get(part):
        known = ", ".join(name for name, digests in judged.parts.items() if digests) or "none"
        raise InputError(f"the model names no clips of the part {part} (it names: {known}); use --part all")
    chosen = [clip for clip in clips if clip.digest in judged.parts[part]]
    if not chosen:
        raise InputError(
            f"none of these {len(clips)} clips belongs to the model's part {part}; give the data set it was "
            "trained with, or use --part all"
        )
    return chosen


def protocol(judged: Judged, part: str, chosen: int, clips: int) -> str:
    """One sentence on how the clips relate to those the model was trained on."""
    if part == "all":
        return f"All {clips} clips of the data set, whichever the model was trained on."
    return f"Part {part} of the model's own split, {chosen} of {clips} clips. {judged.statement}".strip()


def judge_each(
    judged: Judged, clips: Sequence[Clip], statement: str, worse: Mapping[str, Any]
) -> dict[str, Evaluation]:
    """The clips as they are, and made worse in each of these ways."""
    from exerlitenet.evaluation.evaluate import evaluate as evaluate_clips
    from exerlitenet.evaluation.robustness import degraded

    recognizer = judged.recognizer
    ways = {AS_THEY_ARE: recognizer.recognize} | {
        name: degraded(
            recognizer.recognize_frames, change, short_side=recognizer.engine.spec.source_short_side
        )
        for name, change in worse.items()
    }
    found = {}
    for name, recognize in ways.items():
        with bar(f"judging clips {name}") as told:
            found[name] = evaluate_clips(
                recognize,
                clips,
                recognizer.classes,
                model=recognizer.engine.name,
                protocol=statement,
                provenance=judged.provenance,
                progress=told,
            )
    return found


def measures(evaluations: Mapping[str, Evaluation]) -> Table:
    """One row per measure, one column per way in which the clips were shown."""
    from rich.table import Table

    columns = {name: figures(evaluation) for name, evaluation in evaluations.items()}
    main = next(iter(evaluations.values()))
    table = Table("measure", "on", title_justify="left", title=main.label)
    for name in columns:
        table.add_column("with 95 % interval" if len(columns) == 1 else name, justify="right")
    for measure, (on, _) in next(iter(columns.values())).items():
        values = [column[measure][1] if measure in column else None for column in columns.values()]
        table.add_row(measure, on, *("-" if value is None else f"{value}" for value in values))
    return table


def figures(evaluation: Evaluation) -> dict[str, tuple[str, Interval | None]]:
    """Measure -> (what it is about, its value), for those that the clips allow."""
    judged = evaluation.judgements
    found: dict[str, tuple[str, Interval | None]] = {}
    if "exercise_clips" in judged:
        clips, sequences = judged["exercise_clips"], judged["exercise_sequences"]
        either = " or ".join(clips.classes)
        found[f"{either}, clips"] = (f"{clips.items} clips", clips.accuracy)
        found[f"{either}, sequences, balanced"] = (
            f"{sequences.items} sequences",
            sequences.balanced_accuracy,
        )
    every = judged["clips"]
    found[f"{len(every.classes)} classes, clips, balanced"] = (
        f"{every.items} clips",
        every.balanced_accuracy,
    )
    if evaluation.none_called_exercise is not None:
        nones = sum(result.label == "none" for result in evaluation.results)
        found["none called an exercise"] = (f"{nones} clips", evaluation.none_called_exercise)
    if "all" in evaluation.counting:
        counting = evaluation.counting["all"]
        on = f"{counting.clips} clips of three and more"
        found["repetitions within one"] = (on, counting.within_one)
        found["repetitions, error / count"] = (on, counting.relative_error)
    return found
