"""Running the command in tests: in this process, or as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner, Result

from exerlitenet.cli.app import app


def run(*arguments: object) -> Result:
    """In this process. A defect, unlike bad input, comes through as an exception."""
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def run_program(
    *arguments: object, cwd: Path | None = None, without: tuple[str, ...] = (), **more: str
) -> subprocess.CompletedProcess[str]:
    """As a program. without: packages that cannot be imported in it; more: environment."""
    environment: Mapping[str, str] = {**os.environ, **more}
    command = [sys.executable, "-m", "exerlitenet"]
    if without:
        blocked = "; ".join(f"sys.modules[{name!r}] = None" for name in without)
        code = f"import sys; {blocked}; from exerlitenet.cli import main; main()"
        command = [sys.executable, "-c", code]
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=dict(environment),
        timeout=120,
        check=False,
    )
