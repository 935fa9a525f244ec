"""From nothing to help and to a first prediction, each in fresh processes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from exerlitenet.benchmark.measure import Measure, OnProgress, ignore, measure_of
from exerlitenet.benchmark.process import run
from exerlitenet.recognition.bundle import Bundle

STEPS = ("import exerlitenet", "load the model", "first prediction")

# Black pictures until the model speaks; kept out of this package, which would be loaded with it.
FIRST_PREDICTION = """
import json, sys, time
times = [time.perf_counter()]
from exerlitenet import Frame, Recognizer
times.append(time.perf_counter())
recognizer = Recognizer.load(sys.argv[1])
times.append(time.perf_counter())
import numpy as np
tracker, picture, k = recognizer.tracker(), np.zeros((256, 454, 3), np.uint8), 0
while not tracker.push(Frame(k / recognizer.engine.spec.rate, picture)).predictions:
    k += 1
times.append(time.perf_counter())
print(json.dumps([after - before for before, after in zip(times, times[1:])]))
"""


def measure_startup(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """Wall time of `exerlitenet --help`, and of a process that imports, loads and predicts once.

    The first round does not count: it finds files that the system has not read yet. So this is a cold program,
    not a cold disk.
    """
    rounds = 3 if quick else 11
    helps: list[float] = []
    wholes: list[float] = []
    steps: list[list[float]] = []
    for k in range(1 + rounds):
        help_s, _ = _time_of(help_command())
        whole_s, said = _time_of([sys.executable, "-c", FIRST_PREDICTION, str(bundle.folder)])
        if k > 0:
            helps.append(help_s)
            wholes.append(whole_s)
            steps.append(json.loads(said))
        on_progress(k + 1, 1 + rounds)
    out = [measure_of("exerlitenet --help", np.array(helps), "s")]
    out += [
        measure_of(f"cold start: {name}", values, "s")
        for name, values in zip(STEPS, np.array(steps).T, strict=True)
    ]
    out.append(measure_of("cold start to the first prediction", np.array(wholes), "s"))
    return out


def help_command() -> list[str]:
    """The command as a user runs it; where it is not installed as one, the package as a program."""
    script = Path(sys.executable).with_name("exerlitenet")
    command = [str(script)] if script.is_file() else [sys.executable, "-m", "exerlitenet"]
    return [*command, "--help"]


def _time_of(command: list[str]) -> tuple[float, str]:
    """Wall seconds of a program from its start to its end, and what it said."""
    begin_s = time.perf_counter()
    said = run(command).stdout
    return time.perf_counter() - begin_s, said
