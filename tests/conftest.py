"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# Tests run side by side, a process a core, and their networks are tiny: more threads only wait for one another.
# Set before anything imports TensorFlow or NumPy, and inherited by the programs that tests start.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from shared import model, video  # noqa: E402

__all__ = ["model", "video"]

# No test depends on time: machines that run tests are often busy.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
