"""Training the paper's network our way, from kept activations, and the paper's way, on the same stored frames.

Each way has a process of its own, with all cores while it is its turn. Speed does not depend on weights, so they are
random ones. Validation is left out on both sides.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.worker import Worker, serve
from exerlitenet.benchmark.live import SEED
from exerlitenet.benchmark.measure import Measure, OnProgress, Unavailable, measure_of, rounded
from exerlitenet.benchmark.process import call
from exerlitenet.benchmark.timing import Times
from exerlitenet.datasets.frames import store_clips
from exerlitenet.datasets.windows import PLAIN, ClipSequence, Item, SequencePixels
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.reproduction import paper
from exerlitenet.training.cnn_lstm.features import FeatureCache
from exerlitenet.training.config import Config, load_config

EPOCH = 914
"""Sequences of a training epoch: 70 % of 1,306, which 250 clips of ours are cut into."""
FILLED = 3 * 1306
"""What a cache holds for them: every sequence as it is, and two augmented copies."""
PHASES = 2
RUNS = (tuple(curve.epochs for curve in paper.CURVES.values()), (10, 10))
"""Epochs of phase 1 and of phase 2 in the runs whose cost is given: the paper's, and one that stops early, where
filling the cache weighs more."""

OURS, THEIRS = "from the cache", "the paper's way"
FILLS = 3
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Amount:
    """How much is measured. clips: rendered, each of `sequences` sequences. steps: of a block, ours and theirs."""

    overrides: tuple[str, ...]
    clips: int
    sequences: int
    steps: tuple[int, int]
    rounds: int


FULL = Amount((), clips=2, sequences=8, steps=(8, 2), rounds=8)
QUICK = Amount(
    ("sequence.frames=2", "sequence.stride=2", "sequence.size=64", "sequence.source_short_side=64"),
    clips=2,
    sequences=4,
    steps=(2, 1),
    rounds=2,
)


def measure_training(
    bundle: Bundle | None = None, *, quick: bool, on_progress: OnProgress | None = None
) -> list[Measure]:
    """Steady training of both phases of the configuration `paper`, steps of both ways in turn.

    bundle: plays no part, for it is the paper's network that is trained. quick: two frames of 64 pixels in place of 15
    of 224, so its ratios say little.

    Raises Unavailable where Keras or TensorFlow is not installed.
    """
    missing = [name for name in ("keras", "tensorflow") if find_spec(name) is None]
    if missing:
        raise Unavailable(f"training: needs {', '.join(missing)}, not installed: pip install '.[train]'")
    amount = QUICK if quick else FULL
    config = load_config("paper", amount.overrides)
    done = 0

    def step_done() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(done, PHASES * (1 + amount.rounds) + 1)

    with TemporaryDirectory() as folder:
        render_clips(Path(folder), config, amount)
        arguments = [folder, list(amount.overrides), amount.sequences]
        with (
            Worker.calling(f"{__name__}:train_from_cache", arguments) as ours,
            Worker.calling(f"{__name__}:train_baseline", arguments) as theirs,
        ):
            phases = [_time_phase(k, amount, ours, theirs, step_done) for k in range(PHASES)]
            peaks = {OURS: ours.ask("peak_mb"), THEIRS: theirs.ask("peak_mb")}
        differences = call(f"{__name__}:compare_gradients", arguments)
        step_done()
    out = measures_of(phases, config, amount)
    for number, difference in enumerate(differences, 1):
        name = f"training, phase {number}: gradients, {OURS} less {THEIRS} with batch norm held"
        out.append(Measure(f"{name}, part of a variable's largest", rounded(difference, 2), "ratio"))
    for side, peak_mb in peaks.items():
        if peak_mb is not None:
            out.append(Measure(f"training, memory of the process at its most, {side}", peak_mb, "MB"))
    return out


@dataclass(frozen=True)
class PhaseTimes:
    """step_ms: of either way, float64 [rounds]; entries of one round were taken right after each other.

    first_step_s: of either way, with compiling. fill_ms: of the cache, a sequence, float64 [fills].
    """

    step_ms: Mapping[str, Times]
    first_step_s: Mapping[str, float]
    fill_ms: Times


def _time_phase(
    number: int, amount: Amount, ours: Worker, theirs: Worker, step_done: Callable[[], None]
) -> PhaseTimes:
    """Blocks of steps of both ways, turn and turn about; one waits while the other works."""
    fill_ms = ours.ask("fill", number, min(FILLS, amount.rounds))
    first_s = {OURS: ours.ask("begin", number), THEIRS: theirs.ask("begin", number)}
    step_done()
    sides = [(OURS, ours, amount.steps[0]), (THEIRS, theirs, amount.steps[1])]
    taken: dict[str, list[float]] = {OURS: [], THEIRS: []}
    for _ in range(amount.rounds):
        for side, worker, steps in sides:
            taken[side].append(worker.ask("steps", steps) / steps)
        sides.reverse()
        step_done()
    return PhaseTimes({side: np.array(ms) for side, ms in taken.items()}, first_s, np.array(fill_ms))


def measures_of(phases: Sequence[PhaseTimes], config: Config, amount: Amount) -> list[Measure]:
    """Epochs, fills and whole runs, as rows. phases: times of each phase."""
    out: list[Measure] = []
    of = f"of {config.sequence.frames} frames of {config.sequence.size} pixels"
    epochs_s: list[dict[str, float]] = []
    filled_s = 0.0
    for number, times in enumerate(phases):
        name = f"training, phase {number + 1}"
        batch = config.phases[number].batch
        epoch_s = {side: epoch_seconds(step_ms, batch) for side, step_ms in times.step_ms.items()}
        for side, steps in zip((OURS, THEIRS), amount.steps, strict=True):
            told_of = f"epoch of {EPOCH} sequences {of}, {side}, from {steps * amount.rounds} steps"
            out.append(measure_of(f"{name}: {told_of}", epoch_s[side], "s"))
            first_s = rounded(times.first_step_s[side], 3)
            out.append(Measure(f"{name}: first step, which compiles, {side}", first_s, "s"))
        fill_s = FILLED * float(np.median(times.fill_ms)) / 1000
        epochs_s.append({side: float(np.median(taken)) for side, taken in epoch_s.items()})
        filled_s += fill_s
        out += [
            measure_of(f"{name}: an epoch, {THEIRS} / {OURS}", epoch_s[THEIRS] / epoch_s[OURS], "ratio"),
            measure_of(f"{name}: filling the cache, a sequence {of}", times.fill_ms, "ms"),
            Measure(f"{name}: filling the cache, {FILLED:,} sequences, once a run", rounded(fill_s), "s"),
        ]
    for counts in RUNS:
        run = f"training, run of {counts[0]} and {counts[1]} epochs"
        ours_s, theirs_s = (
            sum(count * taken[side] for count, taken in zip(counts, epochs_s, strict=True))
            for side in (OURS, THEIRS)
        )
        ours_s += filled_s
        out += [
            Measure(f"{run}, {OURS}, filling it included", rounded(ours_s), "s"),
            Measure(f"{run}, {THEIRS}", rounded(theirs_s), "s"),
            Measure(f"{run}, {THEIRS} / {OURS}", rounded(theirs_s / ours_s), "ratio"),
        ]
    return out


def epoch_seconds(step_ms: Times, batch: int) -> Times:
    """Of `EPOCH` sequences, from milliseconds of a step."""
    seconds: Times = math.ceil(EPOCH / batch) * step_ms / 1000
    return seconds


def render_clips(folder: Path, config: Config, amount: Amount) -> None:
    """Rendered people as videos, decoded into the store as training does it."""
    from exerlitenet.synthetic.clip import render_clip
    from exerlitenet.synthetic.dataset import write_video

    seconds = (1 + amount.sequences * config.sequence.frames) / config.sequence.rate
    for k, path in enumerate(_videos(folder, amount.clips)):
        activity = ("squat", "biceps_curl")[k % 2]
        clip = render_clip(SEED + k, activity, seconds=seconds, fps=config.sequence.rate)
        write_video(clip.frames, clip.fps, path)
    stored_pixels(folder, config, amount.sequences)


def _videos(folder: Path, clips: int) -> list[Path]:
    return [folder / f"{k}.mp4" for k in range(clips)]


def stored_pixels(folder: Path, config: Config, sequences: int) -> SequencePixels:
    """So many sequences of every video in `folder`, augmented as the configuration says."""
    spec = config.sequence
    stored = store_clips(
        sorted(folder.glob("*.mp4")),
        folder / "frames",
        rate=spec.rate,
        side=max(spec.source_short_side, spec.size),
    )
    cut = [
        ClipSequence(clip, k * spec.frames, config.classes[clip % len(config.classes)], f"{clip}")
        for clip in range(len(stored))
        for k in range(sequences)
    ]
    return SequencePixels(cut, stored, spec, config.augment.ranges, config.seed)


class Trainer:
    """One way of training in its process. The first step of a phase, which compiles, is taken before any is timed."""

    def __init__(self, folder: str, overrides: Sequence[str], sequences: int) -> None:
        from exerlitenet.training.keras import import_keras

        import_keras()
        self.folder = Path(folder)
        self.config = load_config("paper", overrides)
        self.pixels = stored_pixels(self.folder, self.config, sequences)
        self._rng = np.random.default_rng(0)
        self._model: Any = None
        self._supply: Any = None
        self._batch = 0

    @property
    def items(self) -> list[Item]:
        """All sequences as they are, and their copies."""
        copies = range(self.config.augment.copies)
        return [(i, copy) for copy in (PLAIN, *copies) for i in range(len(self.pixels))]

    def start(self, model: Any, supply: Any, batch: int) -> float:
        """Takes the first step, and gives its seconds. model: compiled. supply: what it reads from."""
        self._model, self._supply, self._batch = model, supply, batch
        return self.steps(1) / 1000

    def steps(self, count: int) -> float:
        """Milliseconds of so many training steps, reading ahead as training does."""
        from exerlitenet.training.cnn_lstm.fit import batches_of
        from exerlitenet.training.loop import train_epoch

        copied = [item for item in self.items if item[1] != PLAIN]
        items = [copied[k] for k in self._rng.integers(len(copied), size=count * self._batch)]
        targets = np.eye(len(self.config.classes), dtype=np.float32)[self._rng.integers(2, size=len(items))]
        begin_s = time.perf_counter()
        train_epoch(self._model, batches_of(self._supply, items, targets, self._batch))
        return 1000 * (time.perf_counter() - begin_s)


def train_from_cache(folder: str, overrides: Sequence[str], sequences: int) -> None:
    """In a worker: our way. "fill" answers with milliseconds a sequence of so many fills; "begin" reads the last."""
    trainer = Trainer(folder, overrides, sequences)
    from exerlitenet.training.cnn_lstm.fit import compile_phase
    from exerlitenet.training.cnn_lstm.network import build, set_trainable, training_parts

    config = trainer.config
    network = build(config.model, config.sequence, config.classes, None)
    place = trainer.folder / "cache"

    def fixed_part(number: int) -> tuple[Any, Any]:
        set_trainable(network, config.phases[number].trainable)
        return training_parts(network, config.phases[number].trainable)

    def open_cache(fixed: Any, items: Sequence[Item]) -> FeatureCache:
        return FeatureCache.open(place, fixed, trainer.pixels, items, config.sequence.frames)

    def fill(number: int, fills: int) -> list[float]:
        fixed, _ = fixed_part(number)
        milliseconds = []
        open_cache(fixed, trainer.items[:1])  # compiles
        for _ in range(fills):
            open_cache(
                fixed, trainer.items[:1]
            )  # another list of items, so the next fill starts from nothing
            begin_s = time.perf_counter()
            open_cache(fixed, trainer.items)
            milliseconds.append(1000 * (time.perf_counter() - begin_s) / len(trainer.items))
        return milliseconds

    def begin(number: int) -> float:
        fixed, model = fixed_part(number)
        compile_phase(model, config.phases[number])
        return trainer.start(model, open_cache(fixed, trainer.items), config.phases[number].batch)

    serve({"fill": fill, "begin": begin, "steps": trainer.steps, "peak_mb": peak_mb})


def train_baseline(folder: str, overrides: Sequence[str], sequences: int) -> None:
    """In a worker: see `baseline`."""
    trainer = Trainer(folder, overrides, sequences)
    from benchmarks.baseline import build_baseline, compile_baseline
    from exerlitenet.training.cnn_lstm.network import set_trainable

    config = trainer.config
    network = build_baseline(config.model, config.sequence, config.classes, None)

    def begin(number: int) -> float:
        phase = config.phases[number]
        set_trainable(network, phase.trainable)
        compile_baseline(network, phase)
        return trainer.start(network.full, trainer.pixels, phase.batch)

    serve({"begin": begin, "steps": trainer.steps, "peak_mb": peak_mb})


def compare_gradients(folder: str, overrides: Sequence[str], sequences: int) -> list[float]:
    """In a fresh process: of each phase, see `baseline.gradient_difference`."""
    trainer = Trainer(folder, overrides, sequences)
    from benchmarks.baseline import gradient_difference

    place = trainer.folder / "compared"
    return [
        gradient_difference(trainer.config, phase.trainable, trainer.pixels, trainer.items[-2:], place)
        for phase in trainer.config.phases
    ]


def peak_mb(status: str | None = None) -> float | None:
    """Most resident memory so far, in MB, from a text such as /proc/self/status; None where the system has none."""
    if status is None and not STATUS.is_file():
        return None
    text = STATUS.read_text("utf-8") if status is None else status
    [line] = [line for line in text.splitlines() if line.startswith("VmHWM:")]
    return rounded(int(line.split()[1]) * 1024 / 1e6, 4)
