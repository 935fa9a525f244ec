"""All parts of the benchmark, in order; what cannot be measured here becomes a note, not a silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exerlitenet.benchmark import (
    archive,
    ceiling,
    live,
    memory,
    operations,
    pace,
    peers,
    size,
    startup,
    training,
)
from exerlitenet.benchmark.machine import machine
from exerlitenet.benchmark.measure import Benchmark, Measure, Told, Unavailable
from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine

Measurer = Callable[..., list[Measure]]
"""(bundle, *, quick, told) -> measures; may raise Unavailable, which leaves out its measures only."""

PARTS: dict[str, tuple[Measurer, ...]] = {
    "live": (
        live.measure_live_frame,
        live.measure_decoding,
        live.measure_threads,
        live.measure_int8,
        live.measure_batches,
    ),
    "archive": (archive.measure_archive,),
    "start": (startup.measure_startup,),
    "memory": (memory.measure_memory,),
    "size": (size.measure_size, size.measure_int8_size, operations.measure_operations),
    "ceiling": (ceiling.measure_ceiling, operations.measure_operators),
    "paper": (pace.measure_shipped_pace, pace.measure_paper_pace),
    "training": (training.measure_training,),
    "peers": peers.peers(tuple(peers.PEERS)),
}
"""Part -> what measures it."""

SLOW: dict[Measurer, str] = {
    pace.measure_paper_pace: "the paper's network takes half a minute to build",
    training.measure_training: "building and compiling both ways of training takes a minute",
    peers.measure_keras_example: "Keras' CNN-RNN example takes half a minute to build",
}
"""What a quick benchmark leaves out unless its part is asked for, and why."""


def run_benchmark(
    model: str | Path | None = None,
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    against: Sequence[str] = (),
    progress: Told | None = None,
) -> Benchmark:
    """Measures a model, by default the one that ships.

    quick: fewer repetitions and shorter clips, and what is slow is left out unless `only` names its part.
    only: parts, by default all. against: peers, by default all that are installed; those named here are measured
    first, and must be there. progress: is told how much is done.

    Raises InputError for a part or a peer that does not exist, for a peer that was asked for and is not installed, and
    when the model cannot be loaded.
    """
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise InputError(f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    bundle = load_bundle(model)
    OnnxEngine(bundle)  # a model that does not run here is told before anything is measured
    steps = [_Step("peers", measurer, must=True) for measurer in peers.peers(against)]
    parts = [part for part in PARTS if part in (only or PARTS) and not (part == "peers" and steps)]
    steps += [_Step(part, measurer) for part in parts for measurer in PARTS[part]]
    measures: list[Measure] = []
    notes: list[str] = []
    for k, step in enumerate(steps):

        def told(done: float, total: float | None, k: int = k) -> None:
            if progress is not None:
                progress(k + min(1.0, done / (total or 1)), len(steps))

        try:
            if quick and not only:
                step.check_quick()
            found = step.measurer(bundle, quick=quick, told=told)
        except Unavailable as why:
            if step.must:
                raise
            notes.append(str(why))
            found = []
        measures += [replace(measure, part=step.part) for measure in found]
        told(1, 1)
    # Several measures may lack the same thing.
    return Benchmark(bundle.name, machine(), tuple(measures), tuple(dict.fromkeys(notes)), quick)


@dataclass(frozen=True)
class _Step:
    """must: it was asked for by name, so where it is missing there is no benchmark."""

    part: str
    measurer: Measurer
    must: bool = False

    def check_quick(self) -> None:
        """Raises Unavailable for what is too slow for a quick benchmark."""
        why = SLOW.get(self.measurer)
        if why is not None and not self.must:
            raise Unavailable(
                f"{self.part}: {why}; without --quick, or by --only {self.part}, it is measured"
            )
