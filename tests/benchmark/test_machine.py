"""What is reported of a machine, and under which name."""

from __future__ import annotations

import platform
import socket

import pytest

from exerlitenet.benchmark.machine import file_name, machine


def test_it_says_what_it_was_measured_on_and_never_a_host() -> None:
    found = machine()
    assert {"processor", "cores", "system", "python", "onnxruntime", "numpy"} <= set(found)
    assert int(found["cores"]) >= 1
    for name in (socket.gethostname(), platform.node()):
        assert name not in found.values()


@pytest.mark.parametrize(
    ("processor", "name"),
    [
        ("AMD EPYC", "benchmark-amd-epyc-2.csv"),
        ("Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz", "benchmark-intel-core-i7-8650u-2.csv"),
        ("Apple M2 Pro", "benchmark-apple-m2-pro-2.csv"),
        ("../\u00e9", "benchmark-unknown-2.csv"),
    ],
)
def test_files_are_named_by_processor_and_cores(processor: str, name: str) -> None:
    assert file_name({"processor": processor, "cores": "2"}) == name
