"""TOML tables written and read back."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.errors import InputError
from exerlitenet.training.tables import Table, to_toml

LEAVES = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text())
TABLES = st.dictionaries(
    st.text(),
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_size=5,
)


@given(TABLES)
def test_toml_text_gives_the_tables_back(tables: dict[str, Any]) -> None:
    read = tomllib.loads(to_toml(tables))
    assert read == tables


def test_types_are_kept() -> None:
    read = tomllib.loads(to_toml({"whole": 1, "real": 1.0, "yes": True, "small": 1e-5, "huge": 1e30}))
    assert {key: type(value) for key, value in read.items()} == {
        "whole": int,
        "real": float,
        "yes": bool,
        "small": float,
        "huge": float,
    }


def test_the_table_knows_what_nobody_read() -> None:
    table = Table({"a": 1, "b": 2}, "file.toml", "part.")
    assert table.integer("a", 0, low=0) == 1
    with pytest.raises(InputError, match=r"file\.toml: unknown key part\.b; expected one of a, c"):
        table.finish(["c"])
    assert table.integer("b", 0, low=0) == 2
    table.finish()
