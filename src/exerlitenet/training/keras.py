"""Keras without the start-up talk of its backend, which no environment variable turns off."""

from __future__ import annotations

import os
import sys
import tempfile


def import_keras() -> None:
    """Imports Keras; what its backend's libraries write to standard error meanwhile is shown only if that fails.

    TensorFlow's later remarks below warnings are turned off, unless TF_CPP_MIN_LOG_LEVEL says otherwise.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "keras" in sys.modules:
        return
    sys.stderr.flush()
    # The libraries write to the file descriptor itself, past sys.stderr.
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import keras  # noqa: F401
        except BaseException:
            os.dup2(kept, 2)
            said.seek(0)
            os.write(2, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
