"""The rooms and who may import whom, read from the sources."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import exerlitenet

PACKAGE = Path(exerlitenet.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

# The table of rooms: which may import which, itself aside. Nothing may import cli.
GROUND = {"errors", "files", "folders", "progress", "results", "_version"}
SHOWN = GROUND | {"pages", "video"}
PREPARED = SHOWN | {"recognition", "synthetic", "datasets", "evaluation", "export"}
ANYTHING = PREPARED | {"app", "training", "reproduction", "benchmark"}
MAY_IMPORT: dict[str, set[str]] = {
    **{module: {"errors"} for module in GROUND},
    "pages": {"errors"},
    "video": GROUND,
    "synthetic": GROUND,
    "recognition": SHOWN,
    "app": GROUND | {"recognition", "video"},
    "datasets": GROUND | {"pages.text", "video", "synthetic"},
    "evaluation": SHOWN | {"datasets", "recognition"},
    "export": GROUND | {"recognition", "video"},
    "training": PREPARED,
    "training.networks": GROUND | {"training.config"},
    "reproduction": GROUND | {"pages", "datasets", "evaluation", "export", "training"},
    "benchmark": ANYTHING,
    "cli": ANYTHING,
    "__init__": GROUND | {"recognition"},
    "__main__": {"cli"},
}
# Networks of one model type each. Besides the rooms that may import anything, only these know them by name.
MODEL_TYPES = ("training.cnn_lstm", "training.posture")
KNOW_MODEL_TYPES = ("training.registry", "reproduction", "cli")

LEARNING = {"keras", "tensorflow", "tf2onnx", "onnx", "onnxscript", "matplotlib", "h5py", "jax", "torch"}
MAY_LEARN = {"training", "export", "reproduction"}
# Modules made of Keras classes, which cannot be written inside functions. Only functions import them.
MADE_OF_KERAS = {"training.networks.layers"}
# What starts a program slowly, room by room: only functions may import it.
SLOW = {"onnxruntime", "rich", "typer", "starlette"}
LATE = {
    "results": SLOW | {"av"},
    **dict.fromkeys(
        ("video", "recognition", "datasets", "evaluation", "export", "training", "reproduction"), SLOW
    ),
    "synthetic": SLOW,
    "pages": SLOW,
    "cli": SLOW - {"typer"} | {"av", "numpy", "PIL"},
}

MOST_FILES = 15


def name_of(path: Path) -> str:
    """Dotted, below the package: "training.config". A folder's own module goes by the folder's name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def room_of(path: Path) -> str:
    return name_of(path).split(".")[0]


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


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


MODULES = {name_of(path) for path in SOURCES}


def own_imports(path: Path, *, everywhere: bool) -> Iterator[tuple[str, int]]:
    """(module of the package, line) as `name_of` calls them, without what comes of `exerlitenet` itself.

    Of `from exerlitenet.video import crop` that is video.crop alone, where there is such a module.
    """
    found = [
        (m.removeprefix("exerlitenet."), line) for m, line in imports(tree_of(path), everywhere=everywhere)
    ]
    found = [(name, line) for name, line in found if name in MODULES]
    for name, line in found:
        if not any(at == line and other != name and within(other, name) for other, at in found):
            yield name, line


def test_every_room_has_a_rule() -> None:
    assert {room_of(path) for path in SOURCES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    room = max((room for room in MAY_IMPORT if within(name_of(path), room)), key=len)
    for module, line in own_imports(path, everywhere=True):
        allowed = any(within(module, other) for other in MAY_IMPORT[room] | {room})
        assert allowed, f"{name_of(path)}:{line}: {room} must not import {module}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_model_types_do_not_know_each_other(path: Path) -> None:
    name = name_of(path)
    if any(within(name, room) for room in KNOW_MODEL_TYPES):
        return
    for module, line in own_imports(path, everywhere=True):
        for model_type in MODEL_TYPES:
            assert within(name, model_type) or not within(module, model_type), (
                f"{name}:{line} must not import {module}"
            )


@pytest.mark.parametrize("path", [p for p in SOURCES if room_of(p) == "datasets"], ids=name_of)
def test_data_sets_are_read_without_the_renderer(path: Path) -> None:
    for module, line in own_imports(path, everywhere=False):
        assert not within(module, "synthetic"), f"{name_of(path)}:{line} imports {module} outside a function"


def test_no_modules_import_each_other_in_a_circle() -> None:
    after = {name_of(path): {m for m, _ in own_imports(path, everywhere=False)} for path in SOURCES}
    TopologicalSorter(after).prepare()  # raises CycleError, which names the circle


def test_no_folder_holds_too_many_files() -> None:
    files = [p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".js") and p.name != "__init__.py"]
    crowded = {
        f"{folder.relative_to(PACKAGE)}: {count} files"
        for folder, count in Counter(path.parent for path in files).items()
        if count > MOST_FILES
    }
    assert not crowded


@pytest.mark.parametrize("path", [p for p in SOURCES if room_of(p) not in MAY_LEARN], ids=name_of)
def test_only_learning_touches_keras(path: Path) -> None:
    for module, line in imports(tree_of(path), everywhere=True):
        assert module.split(".")[0] not in LEARNING, f"{name_of(path)}:{line} imports {module}"


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if room_of(p) in MAY_LEARN and name_of(p) not in MADE_OF_KERAS], ids=name_of
)
def test_keras_is_loaded_inside_functions_only(path: Path) -> None:
    for module, line in imports(tree_of(path), everywhere=False):
        assert module.split(".")[0] not in LEARNING, f"{name_of(path)}:{line} imports {module}"
    for module, line in own_imports(path, everywhere=False):
        assert module not in MADE_OF_KERAS, f"{name_of(path)}:{line} imports {module}, which loads Keras"


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
