"""Numbers that decide, stored with a model: checked, and written and read as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from exerlitenet.errors import InputError


@dataclass(frozen=True)
class Thresholds:
    """Base of a frozen dataclass of numbers. Raises InputError for what is no finite number, or negative."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise InputError(f"threshold {field.name} must be a finite number, got {value!r}")
            if value < 0:
                raise InputError(f"threshold {field.name} must not be negative, got {value}")

    def to_dict(self) -> dict[str, float]:
        """Plain numbers for JSON."""
        return {name: float(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From JSON; what is missing has its default, an unknown name is an `InputError`."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(f"unknown threshold {unknown[0]!r}; known are {', '.join(sorted(known))}")
        return cls(**values)
