"""An ONNX graph that can be rewritten: who makes a value, who uses it, what is constant, and its shape.

What rewrites a graph (`frame_graph`, `head_graph`) changes how it is computed, never what.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]

MOST_SHAPE_VALUES = 64
"""A constant with more values is no shape."""

OPEN = -1
"""In a shape: the number of pictures or windows, which a graph leaves open."""


class Graph:
    """An ONNX model in the course of being rewritten. Values go by their names.

    A node of this class's making has one output. Nodes may be added in any order: `save` sorts them.
    """

    def __init__(self, model: Any) -> None:
        """model: onnx.ModelProto; it is not changed."""
        graph = model.graph
        self.nodes: list[Any] = [_copy(node) for node in graph.node]
        self.inputs: list[str] = [value.name for value in graph.input]
        self.outputs: list[str] = [value.name for value in graph.output]
        self._constants = {tensor.name: _copy(tensor) for tensor in graph.initializer}
        # What is neither nodes nor weights: names, versions, inputs and outputs.
        self._frame = _copy(model)
        del self._frame.graph.node[:], self._frame.graph.initializer[:], self._frame.graph.value_info[:]
        self._taken = {value.name for value in graph.input} | set(self._constants)
        self._index: tuple[dict[str, Any], dict[str, list[Any]]] | None = None
        self._shapes: dict[str, Shape] | None = None

    @classmethod
    def load(cls, path: Path) -> Graph:
        """From an ONNX file."""
        import onnx

        return cls(onnx.load(str(path)))

    def maker(self, name: str, operator: str | None = None) -> Any | None:
        """The node that makes a value; None for a constant, an input, or a node of another operator."""
        node = self._indexed()[0].get(name)
        return node if node is not None and operator in (None, node.op_type) else None

    def users(self, name: str) -> list[Any]:
        """The nodes that take a value."""
        return self._indexed()[1].get(name, [])

    def only_user(self, name: str, operator: str | None = None) -> Any | None:
        """The one node that takes a value, which is no output; None where there are several, or is another."""
        users = self.users(name)
        if len(users) != 1 or name in self.outputs or operator not in (None, users[0].op_type):
            return None
        return users[0]

    def constant(self, name: str) -> NDArray[Any] | None:
        """A constant's values; None for what is computed or given."""
        from onnx import numpy_helper

        tensor = self._constants.get(name)
        return None if tensor is None else np.asarray(numpy_helper.to_array(tensor))

    def number(self, name: str) -> float | None:
        """A constant that holds one number."""
        values = self.constant(name)
        return float(values.reshape(-1)[0]) if values is not None and values.size == 1 else None

    def with_number(self, node: Any, number: float) -> str | None:
        """Of a node that takes a value and this constant number, in either order, the value."""
        if len(node.input) != 2:
            return None
        for value, constant in (node.input, reversed(node.input)):
            found = self.number(constant)
            if found is not None and abs(found - number) <= 1e-6 * max(1.0, abs(number)):
                return str(value)
        return None

    def with_constant(self, node: Any) -> tuple[str, NDArray[Any]] | None:
        """Of a node that takes a value and a constant, in either order, both."""
        if len(node.input) == 2:
            for value, constant in (node.input, reversed(node.input)):
                values = self.constant(constant)
                if values is not None and self.constant(value) is None:
                    return str(value), values
        return None

    def shape(self, name: str) -> Shape | None:
        """A value's shape, `OPEN` for its first side where that is open; None where another side is open, too."""
        if self._shapes is None:
            found = dict(self._infer())
            self._shapes = found
        return self._shapes.get(name)

    def keep(self, values: NDArray[Any], hint: str) -> str:
        """A new constant. Returns its name."""
        from onnx import numpy_helper

        name = self._name(hint)
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def keep_named(self, name: str, values: NDArray[Any]) -> str:
        """A new constant whose name matters, such as the default of an input. Returns the name."""
        from onnx import numpy_helper

        if name in self._taken or self.maker(name) is not None:
            raise ValueError(f"the graph has a value called {name} already")
        self._taken.add(name)
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def add(self, operator: str, inputs: Sequence[str], hint: str, **attributes: Any) -> str:
        """A new node with one output. Returns the output's name."""
        return self.add_many(operator, inputs, [hint], **attributes)[0]

    def add_many(
        self, operator: str, inputs: Sequence[str], hints: Sequence[str], **attributes: Any
    ) -> list[str]:
        """A new node with several outputs. Returns their names."""
        from onnx import helper

        names = [self._name(hint) for hint in hints]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=names[0], **attributes))
        self._changed()
        return names

    def replace(self, old: str, new: str) -> None:
        """Puts the value that a node of `add` makes in the place of another, whose name it takes.

        What nobody needs any more is dropped.
        """
        for node in self.nodes:
            node.output[:] = ["" if name == old else old if name == new else name for name in node.output]
            node.input[:] = [old if name == new else name for name in node.input]
        self.clean()

    def rename(self, old: str, new: str) -> None:
        """Gives a computed value a name that matters, such as that of an output."""
        for node in self.nodes:
            node.output[:] = [new if name == old else name for name in node.output]
            node.input[:] = [new if name == old else name for name in node.input]
        self._changed()

    def pass_on(self, old: str, new: str) -> None:
        """Lets all users of a value take another one. `old` must be no output of the graph."""
        for node in self.users(old):
            node.input[:] = [new if name == old else name for name in node.input]
        self.clean()

    def clean(self) -> None:
        """Drops nodes whose values nobody takes."""
        kept: list[Any] = []
        needed = set(self.outputs)
        for node in reversed(self._sorted()):
            if needed.intersection(filter(None, node.output)):
                kept.append(node)
                needed.update(taken(node))
        self.nodes = kept[::-1]
        self._changed()

    def model(self, inputs: Sequence[Any] = (), outputs: Sequence[Any] = ()) -> Any:
        """The rewritten onnx.ModelProto.

        inputs, outputs: further ones, onnx.ValueInfoProto. An input with a constant's name may be left out in use.
        """
        self.outputs += [value.name for value in outputs]
        self.clean()
        model = _copy(self._frame)
        graph = model.graph
        graph.input.extend(inputs)
        graph.output.extend(outputs)
        graph.node.extend(self.nodes)
        needed = {name for node in self.nodes for name in taken(node)}
        graph.initializer.extend(tensor for name, tensor in self._constants.items() if name in needed)
        return model

    def _changed(self) -> None:
        self._index = self._shapes = None

    def _indexed(self) -> tuple[dict[str, Any], dict[str, list[Any]]]:
        """Value -> the node that makes it, and value -> the nodes that take it."""
        if self._index is None:
            makers = {name: node for node in self.nodes for name in node.output if name}
            users: dict[str, list[Any]] = {}
            for node in self.nodes:
                for name in dict.fromkeys(taken(node)):
                    users.setdefault(name, []).append(node)
            self._index = makers, users
        return self._index

    def _sorted(self) -> list[Any]:
        """Every node after those whose values it takes, otherwise in the order in which they stand."""
        missing = {name for node in self.nodes for name in node.output if name}
        waiting, out = self.nodes, []
        while waiting:
            later = []
            for node in waiting:
                if missing.isdisjoint(taken(node)):
                    out.append(node)
                    missing.difference_update(node.output)
                else:
                    later.append(node)
            if len(later) == len(waiting):
                raise ValueError(f"the graph runs in a circle through {later[0].name}")
            waiting = later
        return out

    def _infer(self) -> Iterator[tuple[str, Shape]]:
        """Shapes with everything known but the first side of the inputs."""
        from onnx import helper, shape_inference

        model = _copy(self._frame)
        graph = model.graph
        for value in graph.input:
            value.type.tensor_type.shape.dim[0].dim_param = "open"
        # What was stored may name the open side otherwise, value by value.
        for value in graph.output:
            value.type.tensor_type.ClearField("shape")
        graph.node.extend(self._sorted())
        for name, tensor in self._constants.items():
            # Of weights only the shape matters here; copying them for every rewrite would take its time.
            if math.prod(tensor.dims) > MOST_SHAPE_VALUES:
                graph.input.append(helper.make_tensor_value_info(name, tensor.data_type, tensor.dims))
            else:
                graph.initializer.append(tensor)
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
        for value in (*graph.input, *graph.value_info, *graph.output):
            sides = value.type.tensor_type.shape.dim
            if all(side.HasField("dim_value") for side in sides[1:]):
                known = [side.dim_value for side in sides]
                if sides and not sides[0].HasField("dim_value"):
                    known[0] = OPEN
                yield value.name, tuple(known)
        for tensor in graph.initializer:
            yield tensor.name, tuple(tensor.dims)

    def _name(self, hint: str) -> str:
        number = 1
        makers = self._indexed()[0]
        while (name := f"{hint}_{number}") in self._taken or name in makers:
            number += 1
        self._taken.add(name)
        return name


def attribute(node: Any, name: str, default: Any = None) -> Any:
    """An attribute of a node: a number, text or a list of numbers."""
    from onnx import helper

    for entry in node.attribute:
        if entry.name == name:
            value = helper.get_attribute_value(entry)
            return list(value) if isinstance(value, Sequence) and not isinstance(value, bytes) else value
    return default


def taken(node: Any) -> Iterator[str]:
    """Names of the values that a node takes, those that its inner graphs take from outside among them."""
    yield from filter(None, node.input)
    for entry in node.attribute:
        if entry.HasField("g"):
            inner = {value.name for value in entry.g.input}
            for child in entry.g.node:
                yield from (name for name in taken(child) if name not in inner)
                inner.update(child.output)


def _copy(message: Any) -> Any:
    return type(message).FromString(message.SerializeToString())
