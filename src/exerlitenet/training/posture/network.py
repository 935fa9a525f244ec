"""The default model's frame network: where a person's joints are, in the picture and in space, from one frame.

Posture before exercise: a backbone that has learned to see joints tells people apart from rooms, and a sequence head
on joints and their angles generalises to people it has never seen far better than one on ImageNet's features. At run
time nothing but RGB goes in; the joints are what the network itself thinks.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.datasets.landmarks import ANGLES, LANDMARKS, TRUNK
from exerlitenet.errors import InputError

if TYPE_CHECKING:
    import keras

FUSED_CHANNELS = 64
CONTEXT_UNITS = 128
JOINT_VALUES = 6  # x, y, visibility, world x, y, z
# Where the stride-16 feature map of MobileNetV3Small ends; finer than the last one, so joints are placed better.
FINE_LAYER = "expanded_conv_7_add"


def build_posture(size: int, weights: str | Path | None) -> keras.Model:
    """float32 [n, size, size, 3] in [0,1] -> {"joints": [n, 13, 6], "context": [n, 128]}.

    joints: x and y (0 to 1 across the view), visibility (0 to 1), world x, y, z in metres about the hips.
    context: what the whole picture says beside the joints.
    weights: of the backbone (see `build_backbone`). Same weights fit every size that 32 divides; another size
    raises InputError.

    A joint is read off as an expectation: a heat map says where it is, and offset, visibility and place in space
    are averaged there (integral regression), so nothing has to be decoded and moving the person moves the answer.
    """
    import keras
    from keras import ops

    from exerlitenet.training.networks.backbone import build_backbone

    if size % 32:
        raise InputError(f"the frame network takes pictures of a size that 32 divides, got {size}")
    backbone = build_backbone("MobileNetV3Small", size, weights)
    pixels = backbone.input
    fine = backbone.get_layer(FINE_LAYER).output
    coarse = backbone.output
    joints = len(LANDMARKS)
    cells = fine.shape[1]

    def conv(channels: int, name: str, activation: str | None = None) -> Any:
        return keras.layers.Conv2D(channels, 1, activation=activation, name=name)

    up = keras.layers.UpSampling2D(2, name="coarse_up")(conv(FUSED_CHANNELS, "coarse")(coarse))
    fused = keras.layers.Add(name="fused")([up, conv(FUSED_CHANNELS, "fine")(fine)])
    fused = keras.layers.Activation("hard_silu", name="fused_activation")(fused)
    fused = keras.layers.DepthwiseConv2D(3, padding="same", name="spread")(fused)
    fused = conv(96, "mix", "hard_silu")(fused)
    maps = conv(joints * (1 + JOINT_VALUES), "maps")(fused)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(coarse)
    context = keras.layers.Dense(CONTEXT_UNITS, activation="hard_silu", name="context")(pooled)
    lift = keras.layers.Dense(joints * 3, name="lift")(context)

    centres = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    grid = np.stack(np.meshgrid(centres, centres, indexing="xy"), -1).reshape(1, cells * cells, 1, 2)

    maps = keras.layers.Reshape((cells * cells, joints, 1 + JOINT_VALUES), name="cells")(maps)
    heat = ops.softmax(maps[..., 0], axis=1)
    place = maps[..., 1:3] * 0.25 + grid
    values = ops.concatenate([place, maps[..., 3:]], axis=-1)
    read = ops.sum(heat[..., None] * values, axis=1)
    world = read[..., 3:6] + ops.reshape(lift, (-1, joints, 3))
    out = ops.concatenate([read[..., :2], ops.sigmoid(read[..., 2:3]), world], axis=-1)
    return keras.Model(pixels, {"joints": out, "context": context}, name="posture")


def posture_loss(target: Any, joints: Any) -> Any:
    """Mean over a batch. target: [n, 13, 9] (see `landmarks.TARGETS`); joints: [n, 13, 6] as the network gives."""
    from keras import ops

    place_weight, seen_weight, world_weight = target[..., 6], target[..., 7], target[..., 8]
    place = ops.mean(ops.abs(joints[..., :2] - target[..., :2]), axis=-1)
    visible = ops.clip(joints[..., 2], 1e-4, 1 - 1e-4)
    seen = -(target[..., 2] * ops.log(visible) + (1 - target[..., 2]) * ops.log(1 - visible))
    world = ops.mean(ops.abs(joints[..., 3:] - target[..., 3:6]), axis=-1)

    def mean(values: Any, weights: Any) -> Any:
        return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1.0)

    return 10.0 * mean(place, place_weight) + 0.3 * mean(seen, seen_weight) + 4.0 * mean(world, world_weight)


def in_picture(joints: Any, views: Any) -> Any:
    """Joints [n, 13, 6] with x and y in picture units in place of parts of the view. views: [n, 3], x, y, side."""
    from keras import ops

    place = (joints[..., :2] - 0.5) * views[:, None, 2:3] + views[:, None, :2]
    return ops.concatenate([place, joints[..., 2:]], axis=-1)


def joint_features(joints: Any) -> Any:
    """What the sequence head reads off a frame's joints, x and y in picture units: [..., 13, 6] -> [..., 89].

    Places relative to the body's middle in units of its spread (so neither distance nor place in the picture
    matters), visibility, places in space, cosines of eight joint angles in space, and where and how large the body
    is in the picture, which movement alone makes informative.
    """
    from keras import ops

    xy, visibility, world = joints[..., :2], joints[..., 2], joints[..., 3:6]
    count = len(LANDMARKS)
    # Constants stay NumPy arrays: as tensors they would become inputs of the exported graph.
    little = np.full(1, 1e-4, np.float32)
    trunk = np.zeros((1, count), np.float32)
    trunk[0, list(TRUNK)] = 1 / len(TRUNK)
    middle = ops.matmul(trunk, xy)
    offset = xy - middle
    spread = ops.sqrt(ops.mean(ops.square(offset), axis=(-2, -1), keepdims=True) + little)
    # Limbs from the vertex of each angle, by a matrix of -1, 0 and 1.
    first, second = (np.zeros((len(ANGLES), count), np.float32) for _ in range(2))
    for row, (end, vertex, other) in enumerate(ANGLES):
        first[row, end], second[row, other] = 1, 1
        first[row, vertex] = second[row, vertex] = -1
    a = ops.matmul(first, world)
    b = ops.matmul(second, world)
    length = ops.sqrt((ops.sum(a * a, axis=-1) + little) * (ops.sum(b * b, axis=-1) + little))
    lead = joints.shape[1:-2]

    def flat(values: Any, width: int) -> Any:
        return ops.reshape(values, (-1, *lead, width))

    return ops.concatenate(
        [
            flat(offset / spread, 2 * count),
            visibility,
            flat(world, 3 * count) * 2.0,
            ops.sum(a * b, axis=-1) / length,
            flat(middle, 2) * 2.0,
            flat(spread, 1) * 4.0,
        ],
        axis=-1,
    )
