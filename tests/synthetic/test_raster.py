from __future__ import annotations

import numpy as np

from exerlitenet.synthetic.camera import Camera, aim
from exerlitenet.synthetic.raster import Light, Solid, draw, outline

LIGHT = Light(np.array([0.0, -1.0, 0.0]), 0.6, 0.4)


def looking() -> Camera:
    return aim(np.array([0.0, 1.0, 4.0]), np.array([0.0, 1.0, 0.0]), 100.0, 80, 60)


def drawn(solids: list[Solid]) -> tuple[np.ndarray, np.ndarray]:
    picture, depth = np.zeros((60, 80, 3), np.float32), np.full((60, 80), 1e9, np.float32)
    seen = outline(solids, looking(), LIGHT)
    draw(picture, depth, seen, 0, LIGHT, 0, 0)
    return picture, depth


def at(*places: tuple[float, float, float]) -> list[np.ndarray]:
    return [np.array([p]) for p in places]


def test_a_ball_is_a_disc_of_its_projected_size_lit_from_above() -> None:
    start, end = at((0.0, 1.0, 0.0), (0.0, 1.0001, 0.0))
    picture, depth = drawn([Solid(start, end, (0.4, 0.4), (255.0, 255.0, 255.0))])
    covered = depth < 1e8
    assert abs(covered.sum() - np.pi * 10**2) < 25
    ys, xs = np.nonzero(covered)
    assert abs(xs.mean() + 0.5 - 40) < 0.3
    assert abs(ys.mean() + 0.5 - 30) < 0.3
    assert abs(depth.min() - 3.6) < 0.02
    assert picture[23, 40, 0] > picture[37, 40, 0] + 20


def test_what_is_nearer_hides_what_is_behind_in_any_order() -> None:
    red = Solid(*at((0.0, 0.6, 0.0), (0.0, 1.4, 0.0)), (0.2, 0.2), (255.0, 0.0, 0.0))
    green = Solid(*at((-0.5, 1.0, 0.5), (0.5, 1.0, 0.5)), (0.1, 0.1), (0.0, 255.0, 0.0))
    for solids in ([red, green], [green, red]):
        picture, _ = drawn(solids)
        assert picture[30, 40, 1] > 100 > picture[30, 40, 0]
        assert picture[22, 40, 0] > 100 > picture[22, 40, 1]


def test_an_elliptic_solid_is_wide_from_the_front_and_thin_from_the_side() -> None:
    across = np.array([[1.0, 0.0, 0.0]])
    body = Solid(
        *at((0.0, 0.7, 0.0), (0.0, 1.3, 0.0)), (0.4, 0.4), (255.0,) * 3, (0.1, 0.1), across, (0.0, 0.0)
    )
    turned = Solid(*at((0.0, 0.7, 0.0), (0.0, 1.3, 0.0)), (0.4, 0.4), (255.0,) * 3, (0.1, 0.1),
                   np.array([[0.0, 0.0, 1.0]]), (0.0, 0.0))  # fmt: skip
    front, side = ((drawn([s])[1][30] < 1e8).sum() for s in (body, turned))
    assert abs(front - 20) <= 2
    assert abs(side - 5) <= 2


def test_solids_behind_the_camera_are_not_drawn() -> None:
    _, depth = drawn([Solid(*at((0.0, 1.0, 5.0), (0.0, 1.2, 5.0)), (0.3, 0.3), (255.0, 0.0, 0.0))])
    assert (depth > 1e8).all()
