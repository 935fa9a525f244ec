"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# No test judges by time: machines that run tests are often busy.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
