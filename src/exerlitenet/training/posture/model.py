"""The default model as a whole: frame network and sequence head joined, built, loaded and taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from exerlitenet.errors import InputError
from exerlitenet.training.config import Config
from exerlitenet.training.engine import TrainedParts
from exerlitenet.training.posture.head import Head, build_head, frame_encoder, head_weights, sequence_head
from exerlitenet.training.posture.network import build_posture, in_picture
from exerlitenet.training.run import Run

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class PostureNetwork:
    """full: pixels [b, frames, size, size, 3] in [0,1] and views [b, frames, 3] -> probabilities [b, classes].
    posture, head: its parts. backbone: what runs on one frame, as descriptions call it.
    phases: of training; all of the frame network learns, then the head alone.
    """

    phases: ClassVar[tuple[str, str]] = ("posture", "head")

    full: keras.Model
    posture: keras.Model
    head: Head

    @property
    def backbone(self) -> keras.Model:
        return self.posture

    def set_trainable(self, phase: str) -> None:
        """Sets what learns in one of `phases`."""
        if phase not in self.phases:
            raise InputError(f"the phases of this network are {' and '.join(self.phases)}, got {phase!r}")
        self.posture.trainable = phase == "posture"
        self.head.network.trainable = phase == "head"


def build_posture_network(config: Config) -> PostureNetwork:
    """An untrained default model of a configuration with `model.kind = "posture"`."""
    import keras
    from keras import ops

    spec = config.sequence
    posture = build_posture(spec.size, None)
    head = build_head(config.head, spec.frames, len(config.classes))
    pixels = keras.Input((spec.frames, spec.size, spec.size, 3), name="sequence")
    views = keras.Input((spec.frames, 3), name="views")
    seen = posture(ops.reshape(pixels, (-1, spec.size, spec.size, 3)), training=False)
    joints = in_picture(seen["joints"], ops.reshape(views, (-1, 3)))
    inputs = [
        ops.reshape(values, (-1, spec.frames, *values.shape[1:])) for values in (joints, seen["context"])
    ]
    probabilities = head.network(inputs)["classes"]
    return PostureNetwork(keras.Model([pixels, views], probabilities, name="default"), posture, head)


def load_posture_network(run: Run) -> PostureNetwork:
    """A run's network with its weights. Raises InputError when they are missing or do not fit."""
    network = build_posture_network(run.config)
    run.load_best(network.full)
    return network


def parts_of(run: Run) -> TrainedParts:
    """A trained run's network as recognition and an export need it."""
    network = load_posture_network(run)
    head = network.head
    encoder = frame_encoder(network.posture, head)
    return TrainedParts(
        encoder, sequence_head(head), head_weights(head), network.full, head.config.phase_delay
    )
