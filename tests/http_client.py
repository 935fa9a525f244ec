"""Starlette's client for tests, with whichever of its two HTTP libraries is installed."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # newer releases of Starlette deprecate httpx, for httpx2
    from starlette.testclient import TestClient

__all__ = ["TestClient"]
