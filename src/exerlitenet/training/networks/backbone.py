"""Image networks pretrained on ImageNet, fed with pixels in [0,1], and cut into a frozen and a learning
part.

Each of Keras' networks expects pixels in a range of its own; the step from [0,1] to it is part of what is
built here, so nothing outside has to know which network it feeds.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.errors import InputError
from exerlitenet.training.config import BACKBONES

if TYPE_CHECKING:
    import keras


class WeightsUnavailable(InputError):
    """ImageNet weights that could not be downloaded."""


def build_backbone(name: str, size: int, weights: str | Path | None) -> keras.Model:
    """A network without its top.

    Input: float32 [n, size, size, 3], RGB in [0,1]. Output: feature map, float32 [n, h, w, channels].

    name: "MobileNetV3Small" (224 -> [7, 7, 576]; 939,120 parameters), "ResNet50" or "VGG16".
    weights: "imagenet" downloads Keras' own; None or "none" leaves random ones; a path names a file written
        by `save_weights` of the same network of `keras.applications` with `include_top=False`.
    Raises InputError for an unknown name and a missing or unfit file, WeightsUnavailable for a download that
    fails.
    """
    import keras

    from exerlitenet.training.networks.layers import CaffePreprocessing

    if name not in BACKBONES:
        raise InputError(f"the backbone must be one of {', '.join(BACKBONES)}, got {name!r}")
    if weights == "none":
        weights = None
    path = None if weights in (None, "imagenet") else _weights_file(str(weights))
    pixels = keras.Input((size, size, 3), name="pixels")
    options: dict[str, Any] = {"include_top": False, "weights": weights if weights == "imagenet" else None}
    if name == "MobileNetV3Small":
        # Keras would rescale from 0..255 here; fed with [0,1] it sees an almost black, constant picture.
        options["include_preprocessing"] = False
        scaled = keras.layers.Rescaling(2.0, offset=-1.0, name="to_range")(pixels)
    else:
        scaled = CaffePreprocessing(name="to_range")(pixels)
    try:
        with warnings.catch_warnings():
            # ImageNet's weights fit any size; Keras warns when it is not 224.
            warnings.filterwarnings("ignore", message="`input_shape` is undefined or non-square")
            backbone = getattr(keras.applications, name)(input_tensor=scaled, **options)
    except Exception as fault:
        if "URL fetch failure" not in str(fault):
            raise
        raise WeightsUnavailable(
            f"ImageNet weights of {name} could not be downloaded; give a file with --weights, or "
            f"--weights none for random ones ({fault})"
        ) from fault
    if path is not None:
        _load(backbone, path, name)
    # With an input tensor Keras' networks take a list of one; a model over the same layers takes the tensor.
    return keras.Model(pixels, backbone.output, name=name)


def frozen_part(backbone: keras.Model, trainable_layers: int) -> tuple[keras.Model, keras.Model]:
    """Divides a backbone before its last `trainable_layers` layers; the parts share its layers and
    variables.

    Returns (lower, upper). lower: pixels -> what crosses the cut, a tensor, or a list of tensors where a skip
    connection passes it; upper: the same -> feature map. What lower gives does not
    change while its layers are frozen, so training may keep it. For MobileNetV3Small's last 20 layers it is
    the skip and the output of `expanded_conv_9_project`, 2 x [7, 7, 96] at size 224.
    """
    import keras

    layers = backbone.layers
    if not 1 <= trainable_layers < len(layers) - 1:
        raise InputError(
            f"{backbone.name} can train its last 1 to {len(layers) - 2} layers, got last:{trainable_layers}"
        )
    above = {id(layer) for layer in layers[-trainable_layers:]}
    depends: dict[int, bool] = {}

    def is_above(tensor: Any) -> bool:
        """Whether a tensor comes from an upper layer, directly or through operations that are no layers."""
        operation = tensor._keras_history.operation
        if id(operation) not in depends:
            if isinstance(operation, keras.layers.Layer):
                depends[id(operation)] = id(operation) in above
            else:
                depends[id(operation)] = any(is_above(source) for source in _sources(tensor))
        return depends[id(operation)]

    crossing: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = [backbone.output]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if is_above(tensor):
            waiting += _sources(tensor)
        else:
            crossing[id(tensor)] = tensor
    order = {id(operation): place for place, operation in enumerate(backbone.operations)}
    cut = sorted(crossing.values(), key=lambda tensor: order[id(tensor._keras_history.operation)])
    crossed = cut if len(cut) > 1 else cut[0]
    return keras.Model(backbone.input, crossed, name="lower"), keras.Model(
        crossed, backbone.output, name="upper"
    )


def _sources(tensor: Any) -> list[Any]:
    """The tensors that the operation behind a symbolic tensor reads."""
    operation, node_index, _ = tensor._keras_history
    return list(operation._inbound_nodes[node_index].input_tensors)


def _weights_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise InputError(f'weights must be "imagenet", "none" or a .weights.h5 file, found no file {text}')
    if not path.name.endswith(".weights.h5"):
        raise InputError(f"a weights file must end in .weights.h5 (written by Keras 3), got {path.name}")
    return path


def _load(backbone: keras.Model, path: Path, name: str) -> None:
    try:
        with warnings.catch_warnings():
            # Files of older Keras versions lack groups that only repeat the layers; a missing layer raises.
            warnings.filterwarnings("ignore", message="Skipping nested container")
            backbone.load_weights(path)
    except (OSError, ValueError, KeyError) as fault:
        raise InputError(
            f"{path} must hold weights of keras.applications.{name}(include_top=False): {str(fault)[:200]}"
        ) from fault
