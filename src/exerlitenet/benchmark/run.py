"""All parts of the benchmark, in order; what cannot be measured here becomes a note, not a silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from exerlitenet.benchmark import archive, ceiling, live, memory, operations, pace, size, startup
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
}
"""Part -> what measures it."""

SLOW: dict[Measurer, str] = {pace.measure_paper_pace: "the paper's network takes half a minute to build"}
"""What a quick benchmark leaves out unless its part is asked for, and why."""


def run_benchmark(
    model: str | Path | None = None,
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    progress: Told | None = None,
) -> Benchmark:
    """Measures a model, by default the one that ships.

    quick: fewer repetitions and shorter clips, and what is slow is left out unless `only` names its part.
    only: parts, by default all. progress: is told how much is done.

    Raises InputError for a part that does not exist, and when the model cannot be loaded.
    """
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise InputError(f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    bundle = load_bundle(model)
    OnnxEngine(bundle)  # a model that does not run here is told before anything is measured
    chosen = [(part, measurer) for part in PARTS if part in (only or PARTS) for measurer in PARTS[part]]
    measures: list[Measure] = []
    notes: list[str] = []
    for k, (part, measurer) in enumerate(chosen):

        def told(done: float, total: float | None, k: int = k) -> None:
            if progress is not None:
                progress(k + min(1.0, done / (total or 1)), len(chosen))

        try:
            if quick and not only and measurer in SLOW:
                raise Unavailable(
                    f"{part}: {SLOW[measurer]}; without --quick, or by --only {part}, it is measured"
                )
            found = measurer(bundle, quick=quick, told=told)
        except Unavailable as why:
            notes.append(str(why))
            found = []
        measures += [replace(measure, part=part) for measure in found]
        told(1, 1)
    return Benchmark(bundle.name, machine(), tuple(measures), tuple(notes), quick)
