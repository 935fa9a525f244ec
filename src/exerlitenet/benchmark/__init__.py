"""Speed, memory, size and operations on this machine, one measure a row."""

from exerlitenet.benchmark.live import run_benchmark
from exerlitenet.benchmark.measure import Benchmark, Measure

__all__ = ["Benchmark", "Measure", "run_benchmark"]
