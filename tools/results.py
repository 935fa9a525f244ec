"""Figures of a cross-validation as one JSON file: what a model card quotes, with where it came from.

    python tools/results.py RUN DATASET results/cross-validation.json

RUN was trained with `exerlitenet train DATASET --config default --folds N --out RUN`. Nothing is run again; it takes
seconds. The commit is that of the checkout that this script is in.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.evaluation.cross_validation import Folds
from exerlitenet.files import write_atomically
from exerlitenet.training.run import Run

# Of an evaluation, what names single people; the rest is figures.
OMITTED = ("by_person", "by_group", "results")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    run = Run.open(asked.run)
    clips = read_manifest(asked.dataset, classes=run.config.classes).clips
    folds = Folds.load(asked.run)
    thresholds = run.config.thresholds
    evaluations = folds.evaluate(clips, thresholds.segments, thresholds.counting)
    content: dict[str, Any] = {
        "commit": _commit(),
        "config": _without_places(run.config.to_dict()),
        "seed": run.config.seed,
        "folds": folds.folds,
        "thresholds": {"segments": thresholds.segments.to_dict(), "counting": thresholds.counting.to_dict()},
        "seconds": run.provenance()["seconds"],
    }
    for name, evaluation in evaluations.items():
        content[name.replace(" ", "_")] = {
            key: value for key, value in evaluation.to_json().items() if key not in OMITTED
        }
    write_atomically(asked.out, json.dumps(content, indent=1) + "\n")


def _without_places(config: dict[str, Any]) -> dict[str, Any]:
    """Folders of the machine that trained are named by their last part alone."""
    posture = {
        key: Path(value).name if isinstance(value, str) else value for key, value in config["posture"].items()
    }
    return config | {"posture": posture}


def _commit() -> str:
    here = Path(__file__).resolve().parent
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
    return said.stdout.strip()


if __name__ == "__main__":
    main()
