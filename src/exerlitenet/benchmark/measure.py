"""A figure of the benchmark, all of them together, and the machine they were measured on."""

from __future__ import annotations

import csv
import io
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measure:
    """One figure. low, high: 10th and 90th percentile of its repetitions; None for what does not vary."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    repetitions: int = 1


@dataclass(frozen=True)
class Benchmark:
    """measures: in the order of the work. machine: what it was measured on."""

    model: str
    machine: dict[str, str]
    measures: tuple[Measure, ...]

    def __getitem__(self, name: str) -> Measure:
        return next(measure for measure in self.measures if measure.name == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "machine": self.machine,
            "measures": [asdict(measure) for measure in self.measures],
        }

    def to_csv(self) -> str:
        """One row per measure."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(
            text, ["name", "value", "unit", "low", "high", "repetitions"], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(asdict(measure) for measure in self.measures)
        return text.getvalue()


def measure_of(name: str, values: NDArray[np.float64], unit: str) -> Measure:
    """Median with the 10th and 90th percentile of repetitions. values: float64 [n]."""
    low, middle, high = (round(float(v), 4) for v in np.percentile(values, [10, 50, 90]))
    return Measure(name, middle, unit, low, high, len(values))


def machine() -> dict[str, str]:
    """Processor, cores, system and versions; no names."""
    found = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": ".".join(map(str, sys.version_info[:3])),
        "threads of the model": "1",
    }
    for package in ("exerlitenet", "onnxruntime", "numpy", "pillow", "av"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines: Sequence[str] = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = ()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
