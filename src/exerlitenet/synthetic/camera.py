"""A pinhole camera. World axes: x right as seen by a camera on the +z side, y up, floor y = 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """position [3] in metres; axes [3,3]: rows right, down, away; focal in pixels; centre (x, y) in pixels."""

    position: Array
    axes: Array
    focal: float
    centre: tuple[float, float]
    width: int
    height: int

    def seen(self, points: Array) -> Array:
        """World points [..., 3] in the camera's axes: x right, y down, z away from the camera, in metres."""
        return (points - self.position) @ self.axes.T

    def project(self, points: Array) -> tuple[Array, Array]:
        """World points [..., 3] -> pixels [..., 2] (x right, y down) and depth [...] in metres."""
        seen = self.seen(points)
        depth = np.maximum(seen[..., 2], 0.05)
        xy = seen[..., :2] * (self.focal / depth[..., None]) + np.array(self.centre)
        return xy, depth

    def rays(self, margin: int = 0) -> Array:
        """World direction through every pixel, with `margin` more on each side: [h+2m, w+2m, 3], not
        normalised.
        """
        x = (np.arange(-margin, self.width + margin) + 0.5 - self.centre[0]) / self.focal
        y = (np.arange(-margin, self.height + margin) + 0.5 - self.centre[1]) / self.focal
        grid = np.stack(np.broadcast_arrays(x[None, :], y[:, None], np.ones((1, 1))), -1)
        return grid @ self.axes


def aim(position: Array, target: Array, focal: float, width: int, height: int, roll: float = 0.0) -> Camera:
    """A camera at `position` that looks at `target`, rolled by `roll` radians."""
    away = target - position
    away = away / np.linalg.norm(away)
    right = np.cross(away, [0.0, 1.0, 0.0])
    right = right / np.linalg.norm(right)
    down = np.cross(away, right)
    c, s = np.cos(roll), np.sin(roll)
    axes = np.stack([c * right + s * down, -s * right + c * down, away])
    return Camera(position, axes, focal, (width / 2.0, height / 2.0), width, height)


def frame_person(
    points: Array,
    *,
    field_of_view: float,
    fill: float,
    offset: tuple[float, float],
    width: int,
    height: int,
    camera_height: float,
    roll: float = 0.0,
) -> Camera:
    """A camera on the +z side from which `points` [m,3] fill the share `fill` of the picture.

    field_of_view: vertical, radians; offset: where the middle of the points is, as a share of the picture,
    from its middle; camera_height: metres; roll: radians.
    """
    middle = (points.min(0) + points.max(0)) / 2.0
    focal = height / 2.0 / np.tan(field_of_view / 2.0)
    distance = 3.0
    camera = aim(middle + np.array([0.0, 0.0, distance]), middle, focal, width, height, roll)
    for _ in range(5):
        # A camera far above or below the middle of a near person would show little but feet or hair.
        up = float(np.clip(camera_height - middle[1], -0.45 * distance, 0.55 * distance))
        back = np.sqrt(max(distance**2 - up**2, 0.5))
        position = middle + np.array([0.0, up, back])
        position[1] = max(position[1], 0.12)
        camera = aim(position, middle, focal, width, height, roll)
        xy, _ = camera.project(points)
        span = xy.max(0) - xy.min(0)
        share = max(span[1] / height, span[0] / width)
        distance = float(np.clip(distance * share / fill, 1.2, 12.0))
    xy, _ = camera.project(points)
    box = (xy.max(0) + xy.min(0)) / 2.0
    centre = (
        width / 2.0 + (width / 2.0 - box[0]) + offset[0] * width,
        height / 2.0 + (height / 2.0 - box[1]) + offset[1] * height,
    )
    return Camera(camera.position, camera.axes, focal, centre, width, height)
