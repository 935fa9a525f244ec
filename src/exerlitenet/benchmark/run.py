"""All parts of the benchmark, in order; what cannot be measured here becomes a note, not a silence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from exerlitenet.benchmark import archive, live, memory, size, startup
from exerlitenet.benchmark.machine import machine
from exerlitenet.benchmark.measure import Benchmark, Measure, OnProgress, Unavailable, ignore
from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine

CHECKOUT = Path(__file__).resolve().parents[3]

Measurer = Callable[..., list[Measure]]
"""(bundle, *, quick, on_progress) -> measures; may raise Unavailable, which leaves out its measures only."""


@dataclass(frozen=True)
class FromCheckout:
    """A measurer that is no part of the installed package: it is in the folder benchmarks/ of the repository.

    part: what needs it, for people. function: "module:name" there.
    """

    part: str
    function: str

    def __call__(self, *arguments: object, **options: object) -> list[Measure]:
        if not (CHECKOUT / "benchmarks" / "__init__.py").is_file():
            raise Unavailable(
                f"{self.part}: runs from a checkout of the repository only; get one, and there: pip install -e ."
            )
        if str(CHECKOUT) not in sys.path:
            sys.path.insert(0, str(CHECKOUT))
        module, name = self.function.split(":")
        found: list[Measure] = getattr(import_module(f"benchmarks.{module}"), name)(*arguments, **options)
        return found


PEERS: dict[str, Measurer] = {
    "mediapipe": FromCheckout("peers", "peers:measure_mediapipe"),
    # Apart, since its model is not in the wheel.
    "mediapipe-lite": FromCheckout("peers", "peers:measure_mediapipe_lite"),
    "keras-example": FromCheckout("peers", "peers:measure_keras_example"),
}
"""Other people's models: name -> what measures it."""

PAPER_PACE = FromCheckout("paper", "paper_pace:measure_paper_pace")
TRAINING = FromCheckout("training", "training:measure_training")

PARTS: dict[str, tuple[Measurer, ...]] = {
    "live": (
        live.measure_live_frame,
        live.measure_decoding,
        FromCheckout("threads", "choices:measure_threads"),
        live.measure_int8,
        FromCheckout("batches", "choices:measure_batches"),
    ),
    "archive": (archive.measure_archive,),
    "start": (startup.measure_startup,),
    "memory": (memory.measure_memory,),
    "size": (
        size.measure_size,
        size.measure_int8_size,
        FromCheckout("size", "operations:measure_operations"),
    ),
    "ceiling": (
        FromCheckout("ceiling", "ceiling:measure_ceiling"),
        FromCheckout("ceiling", "ceiling:measure_operators"),
    ),
    "paper": (FromCheckout("paper", "pace:measure_shipped_pace"), PAPER_PACE),
    "training": (TRAINING,),
    "peers": tuple(PEERS.values()),
}
"""Part -> what measures it."""

SLOW: dict[Measurer, str] = {
    PAPER_PACE: "the paper's network takes half a minute to build",
    TRAINING: "building and compiling both ways of training takes a minute",
    PEERS["keras-example"]: "Keras' CNN-RNN example takes half a minute to build",
}
"""What a quick benchmark leaves out unless its part is asked for, and why."""


def run_benchmark(
    model: str | Path | None = None,
    *,
    quick: bool = False,
    only: Sequence[str] = (),
    against: Sequence[str] = (),
    on_progress: OnProgress = ignore,
) -> Benchmark:
    """Measures a model, by default the one that ships.

    quick: fewer repetitions and shorter clips, and what is slow is left out unless `only` names its part.
    only: parts, by default all. against: peers, by default all that are installed; those named here are measured
    first, and must be there. on_progress: is called with how much is done.

    Raises InputError for a part or a peer that does not exist, for a peer that was asked for and is not installed, and
    when the model cannot be loaded.
    """
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise InputError(f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    bundle = load_bundle(model)
    OnnxEngine(bundle)  # a model that does not run here is refused before anything is measured
    steps = [_Step("peers", measurer, must=True) for measurer in _peers(against)]
    parts = [part for part in PARTS if part in (only or PARTS) and not (part == "peers" and steps)]
    steps += [_Step(part, measurer) for part in parts for measurer in PARTS[part]]
    measures: list[Measure] = []
    notes: list[str] = []
    for k, step in enumerate(steps):

        def step_on(done: float, total: float | None, k: int = k) -> None:
            on_progress(k + min(1.0, done / (total or 1)), len(steps))

        try:
            if quick and not only:
                step.check_quick()
            found = step.measurer(bundle, quick=quick, on_progress=step_on)
        except Unavailable as why:
            if step.must:
                raise
            notes.append(str(why))
            found = []
        measures += [replace(measure, part=step.part) for measure in found]
        step_on(1, 1)
    # Several measures may lack the same thing.
    return Benchmark(bundle.name, machine(), tuple(measures), tuple(dict.fromkeys(notes)), quick)


def _peers(names: Sequence[str]) -> list[Measurer]:
    """What measures these peers, in the order of `PEERS`. Raises InputError for a name that is none."""
    unknown = sorted(set(names) - set(PEERS))
    if unknown:
        raise InputError(f"there is no peer {', '.join(unknown)}; the peers are {', '.join(PEERS)}")
    return [measurer for name, measurer in PEERS.items() if name in names]


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
