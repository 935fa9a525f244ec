"""What a configuration builds: layers, parameters before and after unfreezing, operations and sizes.

The content of `exerlitenet model`. Nothing here depends on the values of weights, so none are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from exerlitenet.errors import InputError
from exerlitenet.training.config import Config
from exerlitenet.training.networks.operations import (
    CONVENTION,
    LayerCost,
    Operations,
    Parameters,
    count,
    parameters,
)

if TYPE_CHECKING:
    from rich.console import Group


class Describable(Protocol):
    """A network of any family, as far as a description needs it."""

    @property
    def full(self) -> Any:
        """`keras.Model`: the model's whole input, a sequence, to probabilities."""

    @property
    def backbone(self) -> Any:
        """`keras.Model`: what runs on one frame."""


# Sets which part of a network learns, told as a phase's `trainable` says it, or by a phase's name where the
# family has phases of its own.
SetTrainable = Callable[[str], object]


@dataclass(frozen=True)
class ModelDescription:
    """A network in figures. before, after: in the first and the last phase of training.

    layers: rows as in the paper's figure 4; shapes without the batch, MACs of one sequence.
    frame: operations of the backbone on one frame. sequence: of the whole network on one sequence.
    """

    name: str
    phases: tuple[str, str]
    before: Parameters
    after: Parameters
    frame: Operations
    sequence: Operations

    @property
    def layers(self) -> tuple[LayerCost, ...]:
        return self.sequence.layers

    def to_json(self) -> dict[str, Any]:
        """The description as what `json` takes; whole numbers, bytes and MACs."""
        return {
            "name": self.name,
            "total_parameters": self.before.total,
            "trainable_parameters_before": self.before.trainable,
            "trainable_parameters_after": self.after.trainable,
            "parameters": {
                "total": self.before.total,
                "trainable_before": self.before.trainable,
                "trainable_after": self.after.trainable,
                "non_trainable_before": self.before.non_trainable,
                "non_trainable_after": self.after.non_trainable,
            },
            "layers": [
                {
                    "name": layer.name,
                    "type": layer.type,
                    "output_shape": list(layer.output_shape),
                    "parameters": layer.parameters,
                    "macs": layer.macs,
                }
                for layer in self.layers
            ],
            "macs": {"frame": self.frame.macs, "sequence": self.sequence.macs},
            "flops_sequence": self.sequence.flops,
            "convention": CONVENTION,
            "size": {
                "weights_bytes": self.before.weights_bytes,
                "checkpoint_bytes_before": self.before.checkpoint_bytes,
                "checkpoint_bytes_after": self.after.checkpoint_bytes,
            },
        }

    def __rich__(self) -> Group:
        """Two tables and the convention, for a terminal."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        rows = Table(title=f"{self.name}: layers", title_justify="left")
        rows.add_column("layer")
        rows.add_column("type")
        for heading in ("output", "parameters", "MACs a sequence"):
            rows.add_column(heading, justify="right")
        for layer in self.layers:
            shape = "(" + ", ".join(str(size) for size in layer.output_shape) + ")"
            rows.add_row(layer.name, layer.type, shape, f"{layer.parameters:,}", f"{layer.macs:,}")
        sums = Table(title="sums", title_justify="left")
        sums.add_column("")
        for phase in self.phases:
            sums.add_column(f'phase "{phase}"', justify="right")
        for label, before, after in (
            ("parameters", self.before.total, self.after.total),
            ("trainable", self.before.trainable, self.after.trainable),
            ("non-trainable", self.before.non_trainable, self.after.non_trainable),
            ("MACs of the backbone, one frame", self.frame.macs, self.frame.macs),
            ("MACs, one sequence", self.sequence.macs, self.sequence.macs),
            ("FLOPs, one sequence", self.sequence.flops, self.sequence.flops),
        ):
            sums.add_row(label, f"{before:,}", f"{after:,}")
        for label, small, large in (
            ("weights", self.before.weights_bytes, self.after.weights_bytes),
            ("checkpoint with Adam's moments", self.before.checkpoint_bytes, self.after.checkpoint_bytes),
        ):
            sums.add_row(label, f"{small / 1e6:.1f} MB", f"{large / 1e6:.1f} MB")
        return Group(rows, sums, Text(CONVENTION, style="dim"))


def describe_model(config: Config) -> ModelDescription:
    """Builds a configuration's network with random weights and describes it.

    Raises InputError for a model kind that has no entry in FAMILIES.
    """
    family = FAMILIES.get(config.model.kind)
    if family is None:
        raise InputError(
            f'model.kind "{config.model.kind}" cannot be described, only {", ".join(sorted(FAMILIES))}'
        )
    return describe_network(config, *family(config))


def describe_network(config: Config, network: Describable, set_trainable: SetTrainable) -> ModelDescription:
    """Describes a network already built, and leaves it as the last phase of the configuration sets it."""
    own: tuple[str, ...] = getattr(network, "phases", ())
    phases = [(phase.name, phase.trainable) for phase in config.phases] or [(name, name) for name in own]
    states = []
    for name, trainable in phases[:1] + phases[-1:]:
        set_trainable(trainable)
        states.append((name, parameters(network.full)))
    if not states:  # a family without phases: as it was built
        states = 2 * [("as built", parameters(network.full))]
    (first, before), (last, after) = states
    return ModelDescription(
        name=config.name,
        phases=(first, last),
        before=before,
        after=after,
        frame=count(network.backbone),
        sequence=count(network.full),
    )


def _recurrent(config: Config) -> tuple[Describable, SetTrainable]:
    from exerlitenet.training.cnn_lstm.network import build, set_trainable

    network = build(config.model, config.sequence, config.classes, weights=None)
    return network, lambda trainable: set_trainable(network, trainable)


def _posture(config: Config) -> tuple[Describable, SetTrainable]:
    from exerlitenet.training.posture.engine import build_posture_network

    network = build_posture_network(config)
    return network, network.set_trainable


# model.kind -> what builds its network without pretrained weights, and sets what learns.
FAMILIES: dict[str, Callable[[Config], tuple[Describable, SetTrainable]]] = {
    "recurrent": _recurrent,
    "posture": _posture,
}
