"""How good a run of the paper's network is on its own validation and test parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from exerlitenet.evaluation.classification import (
    Classification,
    classify,
    classify_sequences,
    mean_by_clip,
)
from exerlitenet.evaluation.report import Section, report
from exerlitenet.training.cnn_lstm.data import SequenceData
from exerlitenet.training.run import Run

Reports = dict[tuple[str, str], Classification]
"""(part, unit) -> figures. Units are sequences, and clips where the split is by group."""


def write_metrics(run: Run, data: SequenceData, results: Sequence[Mapping[str, Any]]) -> None:
    """Writes report.html, and last metrics.json.

    results: of every phase its name, epochs, best_epoch and the probabilities [sequences, classes] that its
    best weights give for each held-out part. The last phase's weights are the run's; its figures are under
    "parts".
    """
    found = [_classify(run, data, phase["probabilities"]) for phase in results]
    split = data.split.split
    heads = [{key: phase[key] for key in ("name", "epochs", "best_epoch")} for phase in results]
    labels = [item.label for item in (data.clips if split.protocol == "group" else data.sequences)]
    metrics = {
        "model": run.config.name,
        "classes": list(run.config.classes),
        "protocol": split.protocol,
        "statement": split.statement,
        "counts": split.counts(labels),
        "parts": _json(found[-1]),
        "phases": [head | {"parts": _json(reports)} for head, reports in zip(heads, found, strict=True)],
        "provenance": run.provenance(),
    }
    rows = [
        (*head.values(), part, unit, figures.accuracy)
        for head, reports in zip(heads, found, strict=True)
        for (part, unit), figures in reports.items()
    ]
    columns = ("phase", "epochs", "best epoch", "part", "unit", "accuracy")
    page = report(
        title=f"Training run: {run.config.name}",
        history=run.history,
        config=run.config.to_dict(),
        split_statement=split.statement,
        classifications={", ".join(key): figures for key, figures in found[-1].items()},
        sections=[Section("Phases", "Accuracy of the best weights of each phase.", columns, rows)],
    )
    run.write_metrics(metrics, page)


def _json(reports: Reports) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for (part, unit), figures in reports.items():
        out.setdefault(part, {})[unit] = figures.to_json()
    return out


def _classify(run: Run, data: SequenceData, probabilities: Mapping[str, Any]) -> Reports:
    out: Reports = {}
    classes, seed = run.config.classes, run.config.seed
    for part, values in probabilities.items():
        sequences = [data.sequences[i] for i in data.split.sequences_of(part)]
        labels, groups = [s.label for s in sequences], [s.group for s in sequences]
        out[part, "sequences"] = classify_sequences(np.array(values), labels, groups, classes, seed=seed)
        if data.split.split.protocol != "group":
            continue
        clips, means = mean_by_clip(np.array(values), [s.clip for s in sequences])
        out[part, "clips"] = classify(
            [data.clips[clip].label for clip in clips],
            [classes[k] for k in means.argmax(1)],
            [data.clips[clip].group for clip in clips],
            classes,
            unit="clips",
            statement="The class of the highest mean probability over the sequences of each clip.",
            seed=seed,
        )
    return out
