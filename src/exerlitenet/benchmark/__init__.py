"""Speed, memory and size on this machine, one measure a row."""

from exerlitenet.benchmark.measure import Benchmark, Measure
from exerlitenet.benchmark.run import PARTS, run_benchmark

__all__ = ["PARTS", "Benchmark", "Measure", "run_benchmark"]
