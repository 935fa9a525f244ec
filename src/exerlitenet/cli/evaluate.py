"""`exerlitenet evaluate`: how good a model or a run is on labelled clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exerlitenet.cli.options import (
    DatasetArgument,
    JsonOption,
    ReportOption,
    load_keras,
    needs_training_extra,
)
from exerlitenet.cli.output import bar, check_different, check_writable, complain, console, write_json
from exerlitenet.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from exerlitenet.datasets.clips import Clip
    from exerlitenet.evaluation.results import Evaluation
    from exerlitenet.recognition.recognizer import Recognizer

PARTS = ("all", "train", "validation", "test")
FOLDS = "folds"
AS_THEY_ARE = "as they are"


@dataclass(frozen=True)
class Opened:
    """A model to be evaluated. parts: part -> sha256 of its clips, as far as the model knows them.

    statement: one sentence on how its parts were made; provenance: see `evaluation.evaluate.warn_if_seen`.
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
    dataset: DatasetArgument,
    part: Annotated[
        str,
        typer.Option(
            "--part",
            metavar="|".join((*PARTS, FOLDS)),
            help="Which part of the model's own split to evaluate it on; folds: its cross-validation.",
        ),
    ] = "all",
    degrade: Annotated[
        str | None,
        typer.Option("--degrade", metavar="NAME|all", help="Evaluate it on clips made worse as well."),
    ] = None,
    json_to: JsonOption = None,
    report: ReportOption = None,
) -> None:
    """Evaluate a model on labelled clips: which exercise, false positives, repetitions, each with its interval."""
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
    from exerlitenet.evaluation.report import report as report_page
    from exerlitenet.evaluation.report import write_report
    from exerlitenet.evaluation.robustness import robustness, robustness_section

    worse = degradations(degrade) if degrade is not None else {}
    opened = open_model(model) if part != FOLDS else None
    with bar("inspecting clips") as on_progress:
        manifest = read_manifest(dataset, check=False, on_progress=on_progress)
    if manifest.faults:
        first = manifest.faults[0]
        complain(
            f"{dataset}: not used: {len(manifest.faults)}, the first: {first.file}: {first.problem} "
            f"(exerlitenet dataset {dataset} shows all)"
        )
    if opened is None:
        evaluations = cross_validated(Path(model), manifest.clips)
    else:
        clips = choose(manifest.clips, opened, part)
        statement = protocol(opened, part, len(clips), len(manifest.clips))
        evaluations = evaluate_each(opened, clips, statement, worse)
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
        if opened is None:
            more = {name: e.to_json() for name, e in evaluations.items() if e is not main}
        write_json(main.to_json() | more, json_to)
    if report is not None:
        sections = [robustness_section(evaluations)] if worse else []
        page = report_page(title=f"Evaluation: {main.model}", evaluation=main, sections=sections)
        write_report(report, page)
        out.print(f"report: {report}", soft_wrap=True)
    if main.failed:
        raise typer.Exit(2)


def open_model(name: str) -> Opened:
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
        parts = {part: frozenset(split.digests(part)) for part in PARTS[1:]}
        return Opened(recognizer_of_run(folder), run.provenance(), parts, split.split.statement)
    shipped = name == "default" and not folder.exists()
    if not shipped and not (folder / CARD).is_file():
        raise InputError(
            f"{name}: expected the folder of a model ({CARD}), of a training run (run.json), or default"
        )
    model = None if shipped else folder
    provenance = load_bundle(model).provenance
    return Opened(
        Recognizer.load(model), provenance, parts_of(provenance), str(provenance.get("protocol") or "")
    )


def cross_validated(run: Path, clips: Sequence[Clip]) -> dict[str, Evaluation]:
    """What a run's folds said of the clips that each had held out, without running anything again."""
    from exerlitenet.evaluation.cross_validation import Folds
    from exerlitenet.training.run import Run

    folds = Folds.load(run)
    thresholds = Run.open(run).config.thresholds
    return folds.evaluate(clips, thresholds.segments, thresholds.counting)


def parts_of(provenance: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Part -> digests of its clips, as a bundle's card has them; parts that it does not name are missing."""
    named = provenance.get("split")
    found = dict(named) if isinstance(named, Mapping) else {}
    if "train_digests" in provenance:
        found.setdefault("train", provenance["train_digests"])
    return {
        part: frozenset(str(digest) for digest in found[part])
        for part in PARTS
        if isinstance(found.get(part), list | tuple)
    }


def choose(clips: Sequence[Clip], opened: Opened, part: str) -> list[Clip]:
    """The clips of a part. Raises InputError when the model names none, or none of these."""
    if part == "all":
        return list(clips)
    if not opened.parts.get(part):
        known = ", ".join(name for name, digests in opened.parts.items() if digests) or "none"
        raise InputError(f"the model names no clips of the part {part} (it names: {known}); use --part all")
    chosen = [clip for clip in clips if clip.digest in opened.parts[part]]
    if not chosen:
        raise InputError(
            f"none of these {len(clips)} clips belongs to the model's part {part}; give the data set it was "
            "trained with, or use --part all"
        )
    return chosen


def protocol(opened: Opened, part: str, chosen: int, clips: int) -> str:
    """One sentence on how the clips relate to those the model was trained on."""
    if part == "all":
        return f"All {clips} clips of the data set, whichever the model was trained on."
    return f"Part {part} of the model's own split, {chosen} of {clips} clips. {opened.statement}".strip()


def evaluate_each(
    opened: Opened, clips: Sequence[Clip], statement: str, worse: Mapping[str, Any]
) -> dict[str, Evaluation]:
    """The clips as they are, and made worse in each of these ways."""
    from exerlitenet.evaluation.evaluate import evaluate as evaluate_clips
    from exerlitenet.evaluation.robustness import degraded

    recognizer = opened.recognizer
    ways = {AS_THEY_ARE: recognizer.recognize} | {
        name: degraded(
            recognizer.recognize_frames, change, short_side=recognizer.engine.spec.source_short_side
        )
        for name, change in worse.items()
    }
    found = {}
    for name, recognize in ways.items():
        with bar(f"evaluating clips {name}") as on_progress:
            found[name] = evaluate_clips(
                recognize,
                clips,
                recognizer.classes,
                model=recognizer.engine.name,
                protocol=statement,
                provenance=opened.provenance,
                on_progress=on_progress,
            )
    return found


def measures(evaluations: Mapping[str, Evaluation]) -> Table:
    """One row per measure, one column per way in which the clips were shown."""
    from rich.table import Table

    from exerlitenet.evaluation.results import main_figures

    columns = {name: main_figures(evaluation) for name, evaluation in evaluations.items()}
    main = next(iter(evaluations.values()))
    table = Table("measure", "on", title_justify="left", title=main.label)
    for name in columns:
        table.add_column("with 95 % interval" if len(columns) == 1 else name, justify="right")
    for row in zip(*columns.values(), strict=True):
        if row[0].value is not None:
            values = ("-" if figure.value is None else f"{figure.value}" for figure in row)
            table.add_row(row[0].name, row[0].on, *values)
    return table
