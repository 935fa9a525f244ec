"""Units of a study, one after the other in this process or several at once in processes of their own.

A training step of a network this small does not keep many cores busy, so on a machine with several cores units
side by side, each with its share of them, take less time than one after the other.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exerlitenet.datasets.manifest import Manifest
from exerlitenet.progress import Progress
from exerlitenet.reproduction.plan import Plan
from exerlitenet.reproduction.units import Unit, train_unit

# TensorFlow reads it once, when it begins.
THREADS = "TF_NUM_INTRAOP_THREADS"
# How long the last lines of ended processes are waited for.
LAST_LINES_S = 5.0

Done = Callable[[Unit], None]


def train_units(
    units: Sequence[Unit],
    plan: Plan,
    manifest: Manifest,
    study: Path,
    features: Path,
    progress: Progress,
    *,
    jobs: int,
    done: Done,
) -> None:
    """Trains units to their end, `jobs` at a time; `done` is called with each.

    A unit that fails ends the others, and its error is raised; all of them can be resumed later.
    """
    if jobs <= 1 or len(units) <= 1:
        for unit in units:
            progress.say(f"unit {unit.name}")
            train_unit(unit, plan, manifest, study, progress, features)
            done(unit)
        return
    context = multiprocessing.get_context("spawn")
    lines = context.Queue()
    listener = threading.Thread(target=_listen, args=(lines, progress), daemon=True)
    listener.start()
    with _threads_of_each(jobs):
        # A process for each unit: TensorFlow never gives back what it took.
        pool = ProcessPoolExecutor(
            jobs, mp_context=context, initializer=_begin, initargs=(lines,), max_tasks_per_child=1
        )
        try:
            waiting: dict[Future[None], Unit] = {
                pool.submit(_train, unit, plan, manifest, study, features): unit for unit in units
            }
            while waiting:
                finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    unit = waiting.pop(future)
                    future.result()
                    done(unit)
        except BaseException:
            # A pool has no way of its own, before Python 3.14, to end what is under way.
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            pool.shutdown()
            lines.put(None)
            # A process that was ended in the middle of a line holds the queue for ever.
            listener.join(timeout=LAST_LINES_S)
            lines.cancel_join_thread()


@contextmanager
def _threads_of_each(jobs: int) -> Iterator[None]:
    """Shares the cores among the processes that are begun inside, unless the user has."""
    before = os.environ.get(THREADS)
    if before is None:
        os.environ[THREADS] = str(max(1, (os.cpu_count() or 1) // jobs))
    try:
        yield
    finally:
        if before is None:
            del os.environ[THREADS]


class _ToParent:
    """In a unit's process: its lines go to the process that shows them."""

    def __init__(self, lines: Any, name: str) -> None:
        self._lines, self._name = lines, name

    def step(self, what: str, done: float, total: float | None, note: str = "") -> None:
        pass

    def say(self, line: str) -> None:
        self._lines.put(f"{self._name}: {line}")


_lines: Any = None


def _begin(lines: Any) -> None:
    """In a unit's process, first of all: it ends when the process that began it does, however that ends."""
    global _lines
    _lines = lines
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _train(unit: Unit, plan: Plan, manifest: Manifest, study: Path, features: Path) -> None:
    from exerlitenet.training.keras import import_keras

    import_keras()
    quieten()
    train_unit(unit, plan, manifest, study, _ToParent(_lines, unit.name), features)


def quieten() -> None:
    """TensorFlow remarks on every network after the fifth that it has to trace anew, and on its own profiler."""
    import logging

    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _listen(lines: Any, progress: Progress) -> None:
    while (line := lines.get()) is not None:
        progress.say(line)
