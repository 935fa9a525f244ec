"""Tables of a TOML file: read key by key with every fault named, and written back."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from exerlitenet.errors import InputError


class Table:
    """Reads one table key by key, and knows which keys were read."""

    def __init__(self, raw: Mapping[str, Any], source: str, path: str = "") -> None:
        self.raw, self.source, self.path = raw, source, path
        self.read: list[str] = []

    def fault(self, key: str, expected: str, got: object) -> InputError:
        return InputError(f"{self.source}: {self.path}{key} must be {expected}, got {got!r}")

    def unknown(self, key: str, known: list[str]) -> InputError:
        near = difflib.get_close_matches(key, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return InputError(
            f"{self.source}: unknown key {self.path}{key}; "
            f"expected one of {', '.join(sorted(set(known)))}{hint}"
        )

    def take(self, key: str, default: Any, expected: str, *types: type) -> Any:
        self.read.append(key)
        if key not in self.raw:
            if default is None:
                raise InputError(f"{self.source}: {self.path}{key} is missing; expected {expected}")
            return default
        value = self.raw[key]
        # bool is a subclass of int, yet `epochs = true` is a mistake
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise self.fault(key, expected, value)
        return value

    def string(self, key: str, default: str | None = None, choices: Sequence[str] = ()) -> str:
        expected = "one of " + ", ".join(f'"{choice}"' for choice in choices) if choices else "a text"
        value = self.take(key, default, expected, str)
        if (choices and value not in choices) or not value:
            raise self.fault(key, expected, value)
        return str(value)

    def boolean(self, key: str, default: bool) -> bool:
        return bool(self.take(key, default, "true or false", bool))

    def integer(self, key: str, default: int | None, low: int) -> int:
        expected = f"a whole number from {low}"
        value = self.take(key, default, expected, int)
        if value < low:
            raise self.fault(key, expected, value)
        return int(value)

    def number(
        self, key: str, default: float | None, low: float, high: float = math.inf, below: float = math.inf
    ) -> float:
        expected = f"a number {_range_text(low, high, below)}"
        value = self.take(key, default, expected, int, float)
        if not (low <= value <= high and value < below):
            raise self.fault(key, expected, value)
        return float(value)

    def integers(self, key: str, default: tuple[int, ...], low: int) -> tuple[int, ...]:
        expected = f"a list of whole numbers from {low}"
        values = self.take(key, list(default), expected, list)
        if any(isinstance(v, bool) or not isinstance(v, int) or v < low for v in values):
            raise self.fault(key, expected, values)
        return tuple(values)

    def numbers(
        self,
        key: str,
        default: tuple[float, ...],
        low: float,
        high: float = math.inf,
        below: float = math.inf,
    ) -> tuple[float, ...]:
        expected = f"a list of numbers {_range_text(low, high, below)}"
        values = self.take(key, list(default), expected, list)
        for value in values:
            right_type = isinstance(value, int | float) and not isinstance(value, bool)
            if not right_type or not (low <= value <= high and value < below):
                raise self.fault(key, expected, values)
        return tuple(float(value) for value in values)

    def strings(self, key: str, minimum: int) -> tuple[str, ...]:
        expected = f"a list of at least {minimum} texts"
        values = self.take(key, None, expected, list)
        if len(values) < minimum or not all(isinstance(value, str) for value in values):
            raise self.fault(key, expected, values)
        return tuple(values)

    def table(self, key: str) -> Table:
        return Table(self.take(key, {}, "a table", dict), self.source, f"{self.path}{key}.")

    def tables(self, key: str) -> list[Table]:
        values = self.take(key, [], "a list of tables", list)
        if not all(isinstance(value, dict) for value in values):
            raise self.fault(key, "a list of tables", values)
        return [Table(value, self.source, f"{self.path}{key}.{i}.") for i, value in enumerate(values)]

    def finish(self, more: Sequence[str] = ()) -> None:
        """Raises InputError for a key that nobody read. more: keys that might have been read too."""
        for key in self.raw:
            if key not in self.read:
                raise self.unknown(key, [*self.read, *more])


def _range_text(low: float, high: float, below: float) -> str:
    if below < math.inf:
        return f"from {low:g} to below {below:g}"
    return f"from {low:g} to {high:g}" if high < math.inf else f"from {low:g}"


def plain(value: Any) -> Any:
    """Tuples as lists, all the way down; a copy."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def tuples(value: Any) -> Any:
    return tuple(tuples(entry) for entry in value) if isinstance(value, list) else value


def _toml_table(table: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    """Lines of a table: its values first, as TOML wants, then the tables in it."""
    lines = []
    inner: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, dict) or _is_tables(value):
            inner.append((key, value))
        else:
            lines.append(f"{_toml_key(key)} = {_toml_value(value)}")
    for key, value in inner:
        below = (*path, key)
        name = ".".join(_toml_key(part) for part in below)
        for entry in value if isinstance(value, list) else [value]:
            lines += [
                "",
                f"[[{name}]]" if isinstance(value, list) else f"[{name}]",
                *_toml_table(entry, below),
            ]
    return lines


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml_value(key)


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = "".join(
            f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else "\\" + c if c in '"\\' else c
            for c in value
        )
        return f'"{escaped}"'
    if isinstance(value, list):
        return f"[{', '.join(_toml_value(entry) for entry in value)}]"
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{_toml_key(key)} = {_toml_value(entry)}" for key, entry in value.items()) + "}"
        )
    if isinstance(value, float):
        return repr(value)
    return str(value)  # whole numbers, dates and times


def to_toml(tables: dict[str, Any]) -> str:
    """TOML text of a dict of texts, numbers, booleans, lists and dicts; `tomllib.loads` reverses it."""
    return "\n".join(_toml_table(tables, ())).lstrip("\n") + "\n"
