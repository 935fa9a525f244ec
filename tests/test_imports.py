"""The rooms and who may import whom, read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import exerlitenet

PACKAGE = Path(exerlitenet.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
COMMON = {"errors", "files", "results", "_version"}
EVERYTHING = {"video", "recognition", "synthetic", "training", "app", "benchmark", "demo"}
# Room -> rooms that it may import, itself and the common ones aside. Nothing may import cli.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "files": set(),
    "results": set(),
    "_version": set(),
    "video": set(),
    "recognition": {"video"},
    "synthetic": set(),
    "app": {"recognition", "video"},
    "training": {"video", "recognition", "synthetic"},
    "benchmark": EVERYTHING,
    "demo": EVERYTHING - {"benchmark"},
    "cli": EVERYTHING,
    "__init__": {"recognition"},
    "__main__": {"cli"},
}
LEARNING = {"keras", "tensorflow", "tf2onnx", "onnx", "matplotlib", "h5py", "jax", "torch"}
# Modules made of Keras classes, which cannot be written inside functions. Only functions import them.
MADE_OF_KERAS = {"training/networks/layers.py"}
# What starts a program slowly, room by room: only functions may import it.
LATE = {
    "results": {"onnxruntime", "av", "rich", "typer", "starlette"},
    "video": {"onnxruntime", "rich", "typer", "starlette"},
    "synthetic": {"onnxruntime", "rich", "typer", "starlette"},
    "recognition": {"onnxruntime", "rich", "typer", "starlette"},
    "training": {"onnxruntime", "rich", "typer", "starlette"},
    "cli": {"onnxruntime", "av", "numpy", "PIL", "rich", "starlette"},
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imports(tree: ast.AST, *, everywhere: bool) -> Iterator[tuple[str, int]]:
    """(module, line) of the imports: of the module level only, or also of functions and classes.

    What is imported for type checkers only does not count: it never runs.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            module = node.module or ""
            yield module, node.lineno
            for alias in node.names:
                yield f"{module}.{alias.name}", node.lineno
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(ast.Module(node.orelse, []), everywhere=everywhere)
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imports(node, everywhere=everywhere)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def test_every_room_has_a_rule() -> None:
    assert {room_of(path) for path in SOURCES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path)
    allowed = MAY_IMPORT[room] | COMMON | {room}
    for module, line in imports(tree_of(path), everywhere=True):
        parts = module.split(".")
        # `from exerlitenet import x` names the package alone first, then x.
        if parts[0] == "exerlitenet" and len(parts) > 1 and (PACKAGE / parts[1]).with_suffix("") in ROOMS:
            assert parts[1] in allowed, f"{name_of(path)}:{line}: {room} must not import {module}"


ROOMS = {(PACKAGE / room_of(path)) for path in SOURCES}


@pytest.mark.parametrize("path", [p for p in SOURCES if room_of(p) != "training"], ids=name_of)
def test_only_training_touches_keras(path: Path) -> None:
    for module, line in imports(tree_of(path), everywhere=True):
        assert module.split(".")[0] not in LEARNING, f"{name_of(path)}:{line} imports {module}"


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if room_of(p) == "training" and name_of(p) not in MADE_OF_KERAS],
    ids=name_of,
)
def test_training_loads_keras_inside_functions_only(path: Path) -> None:
    made_of_keras = {f"exerlitenet.{n.removesuffix('.py').replace('/', '.')}" for n in MADE_OF_KERAS}
    for module, line in imports(tree_of(path), everywhere=False):
        assert module.split(".")[0] not in LEARNING, f"{name_of(path)}:{line} imports {module}"
        assert module not in made_of_keras, f"{name_of(path)}:{line} imports {module}, which loads Keras"


@pytest.mark.parametrize("path", [p for p in SOURCES if room_of(p) in LATE], ids=name_of)
def test_what_is_slow_to_load_is_loaded_late(path: Path) -> None:
    # A command's own helper modules may use what every run of that command needs.
    late = LATE[room_of(path)]
    for module, line in imports(tree_of(path), everywhere=False):
        assert module.split(".")[0] not in late, f"{name_of(path)}:{line} imports {module}"


def test_the_reader_of_imports_sees_what_it_should() -> None:
    source = """
import keras
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import torch
else:
    import jax
try:
    import onnx
except ImportError:
    pass
class A:
    import h5py
    def f(self):
        from exerlitenet import cli
"""
    tree = ast.parse(source)
    top = {module for module, _ in imports(tree, everywhere=False)}
    assert top == {"keras", "typing", "typing.TYPE_CHECKING", "jax", "onnx", "h5py"}
    assert {m for m, _ in imports(tree, everywhere=True)} - top == {"exerlitenet", "exerlitenet.cli"}
