"""`exerlitenet reproduce`: the paper's study on a data set, as one page and one JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exerlitenet.cli.options import (
    DatasetArgument,
    SetOption,
    check_dataset,
    ends_with_ctrl_c,
    load_keras,
    needs_training_extra,
)
from exerlitenet.cli.output import console
from exerlitenet.cli.train import progress_on_stderr


def reproduce(
    dataset: DatasetArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the study; it is made.")],
    changes: SetOption = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weights",
            metavar="BACKBONE=FILE",
            help="ImageNet weights of MobileNetV3Small, ResNet50 or VGG16; downloaded by default. May be repeated.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Show in two minutes that everything runs, on a few clips.")
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            min=1,
            metavar="N",
            help="Networks trained at once, each with its share of the cores; as many as cores is fastest, and "
            "takes about 2 GB of memory each.",
        ),
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume a study that was stopped; finished units stay.")
    ] = False,
) -> None:
    """Run the paper's study: its systems and two controls, on a random split and by group, with three seeds.

    Besides keys of the configurations, --set takes seeds=[0,1,2], splits=["sequence","group"] and
    systems=["proposed",...]. A backbone whose weights cannot be had is measured but not evaluated.
    """
    needs_training_extra()
    from exerlitenet.reproduction.plan import make_plan
    from exerlitenet.reproduction.run import RESULTS, reproduce
    from exerlitenet.reproduction.verdicts import tally

    plan = make_plan(changes or (), weights or (), quick=quick)
    check_dataset(dataset)
    with ends_with_ctrl_c():
        load_keras()
        with progress_on_stderr() as progress:
            study = reproduce(dataset, plan, out=out, resume=resume, progress=progress, jobs=jobs)
    shown = console()
    if any(system["splits"] for system in study.results["systems"].values()):
        if quick:
            shown.print("quick study: everything ran; its accuracies mean nothing", soft_wrap=True)
        for name, rows, reached, missed, unknown in tally(study.results["rows"]):
            counts = f"{reached} of {rows} rows reached, {missed} not, {unknown} not to be had"
            shown.print(f"{name}: {counts}", soft_wrap=True)
    else:
        backbones = list(dict.fromkeys(plan.config(learner).model.backbone for learner in plan.learners))
        shown.print(
            f"no network was trained, since there are no ImageNet weights of {' or '.join(backbones)} here; give a "
            f"file by --weights {backbones[0]}=FILE, and continue with --resume",
            soft_wrap=True,
        )
    shown.print(f"report: {study.page}", soft_wrap=True)
    shown.print(f"figures: {out / RESULTS}", soft_wrap=True)
