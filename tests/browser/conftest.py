"""A real browser for these tests."""

from __future__ import annotations

from browser_window import open_window, playwright

__all__ = ["open_window", "playwright"]
