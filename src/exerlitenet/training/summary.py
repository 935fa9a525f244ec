"""What a configuration builds: layers, parameters before and after unfreezing, operations and sizes.

The content of `exerlitenet model`. Nothing here depends on the values of weights, so none are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from exerlitenet.training.config import Config
from exerlitenet.training.networks.operations import (
    CONVENTION,
    LayerCost,
    Operations,
    Parameters,
    count,
    parameters,
)


class Describable(Protocol):
    """A network of any model type, as far as a description needs it.

    full: `keras.Model`, the model's whole input, a sequence, to probabilities. backbone: what runs on one frame.
    """

    @property
    def full(self) -> Any: ...
    @property
    def backbone(self) -> Any: ...


# Sets which part of a network learns, as a phase's `trainable` says it, or by a phase's name where the
# model type has phases of its own.
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
            "layers": [vars(layer) | {"output_shape": list(layer.output_shape)} for layer in self.layers],
            "macs": {"frame": self.frame.macs, "sequence": self.sequence.macs},
            "flops_sequence": self.sequence.flops,
            "convention": CONVENTION,
            "size": {
                "weights_bytes": self.before.weights_bytes,
                "checkpoint_bytes_before": self.before.checkpoint_bytes,
                "checkpoint_bytes_after": self.after.checkpoint_bytes,
            },
        }


def describe_network(config: Config, network: Describable, set_trainable: SetTrainable) -> ModelDescription:
    """Describes a network already built, and leaves it as the last phase of the configuration sets it."""
    own: tuple[str, ...] = getattr(network, "phases", ())
    phases = [(phase.name, phase.trainable) for phase in config.phases] or [(name, name) for name in own]
    states = []
    for name, trainable in phases[:1] + phases[-1:]:
        set_trainable(trainable)
        states.append((name, parameters(network.full)))
    if not states:  # a model type without phases: as it was built
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
