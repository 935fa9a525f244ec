"""How good a run of the recurrent family is on its own validation and test parts."""

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
from exerlitenet.evaluation.report import Section, report, write_report
from exerlitenet.training.cnn_lstm.data import SequenceData
from exerlitenet.training.run import Run

Parts = dict[str, dict[str, Classification]]
"""Part -> "sequences" (and "clips" for the protocol "group") -> figures."""


def write_metrics(run: Run, data: SequenceData, results: Sequence[Mapping[str, Any]]) -> None:
    """Writes report.html, and last metrics.json.

    results: of every phase its name, epochs, best_epoch and the probabilities [sequences, classes] that its
    best weights give for each judged part. The last phase's weights are the run's; its figures stand under
    "parts".
    """
    judged = [_judge(run, data, phase["probabilities"]) for phase in results]
    split = data.split.split
    heads = [{key: phase[key] for key in ("name", "epochs", "best_epoch")} for phase in results]
    labels = [item.label for item in (data.clips if split.protocol == "group" else data.sequences)]
    metrics = {
        "model": run.config.name,
        "classes": list(run.config.classes),
        "protocol": split.protocol,
        "statement": split.statement,
        "counts": split.counts(labels),
        "parts": _json(judged[-1]),
        "phases": [head | {"parts": _json(parts)} for head, parts in zip(heads, judged, strict=True)],
        "provenance": run.provenance(),
    }
    rows = [
        (head["name"], head["epochs"], head["best_epoch"], part, unit, judgement.accuracy)
        for head, parts in zip(heads, judged, strict=True)
        for part, units in parts.items()
        for unit, judgement in units.items()
    ]
    columns = ("phase", "epochs", "best epoch", "part", "unit", "accuracy")
    page = report(
        title=f"Training run: {run.config.name}",
        history=run.history,
        config=run.config.to_dict(),
        split_statement=split.statement,
        classifications={
            f"{part}, {unit}": found for part, units in judged[-1].items() for unit, found in units.items()
        },
        sections=[Section("Phases", "Accuracy of the best weights of each phase.", columns, rows)],
    )
    write_report(run.report_file, page)
    run.write_metrics(metrics)


def _json(parts: Parts) -> dict[str, Any]:
    return {part: {unit: j.to_json() for unit, j in units.items()} for part, units in parts.items()}


def _judge(run: Run, data: SequenceData, probabilities: Mapping[str, Any]) -> Parts:
    out: Parts = {}
    for part, values in probabilities.items():
        indices = data.split.sequences_of(part)
        out[part] = {
            "sequences": classify_sequences(
                np.array(values),
                [data.sequences[i].label for i in indices],
                [data.sequences[i].group for i in indices],
                run.config.classes,
                seed=run.config.seed,
            )
        }
        if data.split.split.protocol == "group":
            out[part]["clips"] = _judge_clips(run, data, indices, values)
    return out


def _judge_clips(
    run: Run, data: SequenceData, indices: Sequence[int], probabilities: Sequence[Sequence[float]]
) -> Classification:
    found, means = mean_by_clip(np.array(probabilities), [data.sequences[i].clip for i in indices])
    classes = run.config.classes
    return classify(
        [data.clips[clip].label for clip in found],
        [classes[k] for k in means.argmax(1)],
        [data.clips[clip].group for clip in found],
        classes,
        unit="clips",
        statement="The class of the highest mean probability over the sequences of each clip.",
        seed=run.config.seed,
    )
