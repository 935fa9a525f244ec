"""What rendered people bring to the default model's sequence head, in figures.

    python tools/rendered_movements.py CLIPS --work DIR [--unseen OTHER_CLIPS] [--seeds 3] [--set head.epochs=6]

Trains sequence heads on the shipped bundle's frame network, which stays as it is: with the rendered clips of the
configuration (`rendered`) and without any (`real`). Heads learn from the training part of the configuration's split by
group, and are evaluated on the rest of CLIPS, and on OTHER_CLIPS as a whole. DIR keeps encoded clips and heads, so a
killed run continues. Prints the mean and the standard deviation over the seeds.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.datasets.split import split_by_group
from exerlitenet.evaluation.results import main_figures
from exerlitenet.progress import Lines
from exerlitenet.recognition.bundle import default_folder
from exerlitenet.training.config import load_config
from exerlitenet.training.posture.clip_features import ClipFeatures
from exerlitenet.training.posture.head_data import PostureGraph
from exerlitenet.training.posture.run import predict_folds
from exerlitenet.training.run import Run


class BundleGraph(PostureGraph):
    """A bundle's frame network; the context, which its graph keeps to itself, becomes a further output."""

    def __init__(self, bundle: Path, size: int) -> None:
        import onnx
        import onnxruntime

        self.size = size
        model = onnx.load(bundle / "encoder.onnx")
        made_by = {name: node for node in model.graph.node for name in node.output}
        # projection = features x kernel + bias, features = concatenated places, angles, ... and last the context.
        self._context = made_by[made_by["projection"].input[0]].input[-1]
        model.graph.output.append(onnx.ValueInfoProto(name=self._context))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), options)

    def see(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        whole = np.repeat(np.array([[0.5, 0.5, 1.0]], np.float32), len(pixels), 0)
        joints, context = self._session.run(["joints", self._context], {"pixels": pixels, "views": whole})
        return joints, context


def main() -> None:
    parser = argparse.ArgumentParser(description="What rendered people bring to the sequence head.")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--unseen", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args()
    os.environ.setdefault("EXERLITENET_CACHE", str(asked.work / "cache"))
    first = load_config("default", asked.set)
    folders = [asked.clips, *([asked.unseen] if asked.unseen else [])]
    parts = [read_manifest(folder, classes=first.classes, check=False).clips for folder in folders]
    clips = [clip for part in parts for clip in part]
    groups, labels = [clip.group for clip in parts[0]], [clip.label for clip in parts[0]]
    split = split_by_group(labels, groups, first.split.fractions, first.split.seed)
    evaluated_on = {"held out": [*split.validation, *split.test]}
    if asked.unseen:
        evaluated_on["unseen"] = list(range(len(parts[0]), len(clips)))
    graph, progress = BundleGraph(default_folder(), first.sequence.size), Lines()
    rows: dict[tuple[str, str], list[dict[str, float | None]]] = {}
    for arm, settings in (("rendered", []), ("real", ["rendered.clips=0"])):
        for seed in range(asked.seeds):
            config = load_config("default", [*asked.set, *settings, f"head.seed={seed}"])
            run = Run.create(asked.work / f"{arm}-{seed}", config, weights="none", resume=True)
            features = ClipFeatures(run, graph, clips, progress, cache=asked.work / "encoded")
            head = features.train_head("head", split.train, ())
            for name, some in evaluated_on.items():
                predicted = predict_folds(features, [(head, some)], frozenset())
                chosen, thresholds = [clips[i] for i in some], config.thresholds
                evaluation = predicted.evaluate(chosen, thresholds.segments, thresholds.counting)["left out"]
                found = {f.name: f.value.value if f.value else None for f in main_figures(evaluation)}
                rows.setdefault((name, arm), []).append(found)
                progress.say(f"{name}, {arm}, seed {seed}: {found}")
    names = list(rows["held out", "real"][0])
    print(f"| evaluated on | head learned from | {' | '.join(names)} |\n|{'---|' * (2 + len(names))}")
    for (name, arm), values in rows.items():
        columns = np.array([list(row.values()) for row in values], float)
        means, spreads = columns.mean(0), columns.std(0, ddof=min(1, len(columns) - 1))
        shown = [f"{m:.3f} +- {s:.3f}" for m, s in zip(means, spreads, strict=True)]
        print(f"| {name}, {len(evaluated_on[name])} clips | {arm} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
