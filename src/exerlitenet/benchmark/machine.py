"""The machine that is measured: processor, cores, system and versions; never a host's name."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "exerlitenet",
    "onnxruntime",
    "numpy",
    "pillow",
    "av",
    "onnx",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
)
UNKNOWN = "unknown"


def machine() -> dict[str, str]:
    """What the figures depend on; names of processor and versions, nothing that tells whose machine it is."""
    found = {
        "processor": processor(),
        "cores": str(cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": ".".join(map(str, sys.version_info[:3])),
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines: Sequence[str] = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = ()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or UNKNOWN


def file_name(found: Mapping[str, str]) -> str:
    """Of the CSV with the figures of a machine, such as "benchmark-amd-epyc-2.csv"."""
    name = re.sub(r"\((r|tm)\)|@.*|\bcpu\b", " ", found["processor"].lower())
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-") or UNKNOWN
    return f"benchmark-{slug}-{found['cores']}.csv"
