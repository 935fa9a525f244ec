"""Loading Keras: silent when it works, and with everything that was said when it does not."""

from __future__ import annotations

import subprocess
import sys

import pytest


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )


def test_nothing_is_said_where_it_works() -> None:
    pytest.importorskip("keras", reason="training needs Keras")
    result = python(
        "import sys; from exerlitenet.training.keras import import_keras; import_keras(); import_keras();"
        "print('keras' in sys.modules); print('after', file=sys.stderr)"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "True\n", "after\n")


def test_what_was_said_is_shown_where_it_fails(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "keras.py").write_text(
        "import os\nos.write(2, b'said before\\n')\nraise RuntimeError('broken')\n"
    )
    result = python(
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "from exerlitenet.training.keras import import_keras\n"
        "try:\n    import_keras()\n"
        "except RuntimeError as error:\n    print(error)\n"
        "print('after', file=sys.stderr)"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "broken\n", "said before\nafter\n")
