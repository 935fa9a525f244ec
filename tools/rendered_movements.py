"""What rendered people bring to the default model's sequence head, in figures.

    python tools/rendered_movements.py CLIPS --work DIR [--unseen OTHER_CLIPS] [--seeds 3] [--set head.epochs=6]

Trains sequence heads that differ in their rendered clips alone: `all` of them as the configuration has them, those of
`exercises`, or `nothing` rendered. The frame network is the shipped bundle's and stays as it is. Heads learn from the
training part of the configuration's split by group, all for as many steps, and are evaluated on its validation part
and on OTHER_CLIPS as a whole. DIR keeps encoded clips and heads, so a killed run goes on. Prints means and standard
deviations over seeds.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.augment import Ranges
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import stored_clips
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.datasets.split import split_by_group
from exerlitenet.evaluation.evaluate import evaluate_workouts
from exerlitenet.evaluation.results import main_figures
from exerlitenet.progress import Lines
from exerlitenet.recognition.bundle import default_folder
from exerlitenet.results import NONE
from exerlitenet.training.config import load_config
from exerlitenet.training.posture.engine import COUNTING, SEGMENTS
from exerlitenet.training.posture.head import HeadConfig
from exerlitenet.training.posture.head_data import Copy, HeadWindows, encode_copies
from exerlitenet.training.posture.head_fit import fit_head
from exerlitenet.training.posture.onnx import PostureGraph
from exerlitenet.training.posture.predict_clip import watch
from exerlitenet.training.posture.rendered import RENDERED_WEIGHT, rendered_clips


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
    config = load_config("default", asked.set)
    table, spec, progress = HeadConfig.from_mapping(config.extra["head"]), config.sequence, Lines()
    graph = BundleGraph(default_folder(), spec.size)

    def encode(clips: Sequence[Clip], ranges: Ranges | None) -> list[list[Copy]]:
        folder = asked.work / ("plain" if ranges is None else "copies")
        stored = stored_clips([clip.path for clip in clips], spec.rate, progress)
        copies = range(1 if ranges is None else table.copies)
        targets = [[folder / f"{clip.name.replace('/', '_')}-{k}.npz" for k in copies] for clip in clips]
        seeds = [[config.seed, i] for i in range(len(clips))]
        return encode_copies(graph, stored, clips, ranges, targets, rate=spec.rate, seeds=seeds)

    clips = read_manifest(asked.clips, classes=config.classes, check=False).clips
    labels, groups = [clip.label for clip in clips], [clip.group for clip in clips]
    split = split_by_group(labels, groups, config.split.fractions, config.split.seed)
    evaluated_on: dict[str, Sequence[Clip]] = {"held out": [clips[i] for i in split.validation]}
    if asked.unseen:
        evaluated_on["unseen"] = read_manifest(asked.unseen, classes=config.classes, check=False).clips
    rendered = rendered_clips(config, progress)
    train = [*(clips[i] for i in split.train), *rendered]
    weights = [RENDERED_WEIGHT if clip in rendered else 1.0 for clip in train]
    copies = encode(train, Ranges(**config.augment.ranges))
    plain = {name: encode(some, None) for name, some in evaluated_on.items()}
    arms = {
        "all": range(len(train)),
        "exercises": [i for i, clip in enumerate(train) if weights[i] == 1 or clip.label != NONE],
        "nothing": range(len(split.train)),
    }
    rows: dict[tuple[str, str], list[dict[str, float | None]]] = {}
    for seed in range(asked.seeds):
        for arm, use in arms.items():
            windows = HeadWindows(
                [copies[i] for i in use], [train[i] for i in use], config.classes, frames=spec.frames,
                least_frames=spec.least_frames, phase_delay=table.phase_delay, none_share=table.none_share,
                weights=[weights[i] for i in use],
            )  # fmt: skip
            head = fit_head(
                table, windows, None, asked.work / f"{arm}-{seed}-{table.epochs}", clips=len(train),
                frames=spec.frames, classes=len(config.classes), seed=seed,
                report=lambda now: progress.say(f"epoch {now.epoch}: {now.loss:.3f}, {now.seconds:.0f} s"),
            )  # fmt: skip
            for name, some in evaluated_on.items():
                seen = [watch(head, copy, config.classes, spec) for (copy,) in plain[name]]
                workouts = [
                    s.workout(s.end_s, window_s=spec.window_s, segment_thresholds=SEGMENTS,
                              counting_thresholds=COUNTING, model=arm) for s in seen
                ]  # fmt: skip
                evaluation = evaluate_workouts(some, workouts, config.classes, model=arm, protocol="")
                found = {f.name: f.value.value if f.value else None for f in main_figures(evaluation)}
                rows.setdefault((name, arm), []).append(found)
                progress.say(f"{name}, {arm}, seed {seed}: {found}")
    names = list(rows["held out", "all"][0])
    print(f"| evaluated on | rendered | {' | '.join(names)} |\n|{'---|' * (2 + len(names))}")
    for (name, arm), values in rows.items():
        columns = np.array([list(row.values()) for row in values], float)
        means, spreads = columns.mean(0), columns.std(0, ddof=min(1, len(columns) - 1))
        shown = [f"{m:.3f} +- {s:.3f}" for m, s in zip(means, spreads, strict=True)]
        print(f"| {name}, {len(evaluated_on[name])} clips | {arm} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
