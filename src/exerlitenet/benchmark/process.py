"""Measuring in a fresh process: nothing that this one has loaded or warmed is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from exerlitenet.errors import InputError


def call(
    function: str, arguments: Sequence[object] = (), *, environment: Mapping[str, str] | None = None
) -> Any:
    """Calls "module:function" in a fresh process, with arguments that JSON can hold; returns what it returns.

    Raises InputError with the process's last line when it fails.
    """
    done = run(calling(function, arguments), environment)
    return json.loads(done.stdout.splitlines()[-1])


def calling(function: str, arguments: Sequence[object] = ()) -> list[str]:
    """The command of a fresh Python that calls "module:function" and prints what it returns, as JSON.

    It looks for modules where this process does, and finds what is beside the package in a checkout.
    """
    code = (
        "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[3]); "
        "module, name = sys.argv[1].split(':'); "
        "found = getattr(importlib.import_module(module), name)(*json.loads(sys.argv[2])); "
        "print(json.dumps(found))"
    )
    return [sys.executable, "-c", code, function, json.dumps(list(arguments)), json.dumps(sys.path)]


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end. Raises InputError with its last line when it fails."""
    done = subprocess.run(
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"measuring in a fresh process ended with status {done.returncode}: {last}")
    return done
