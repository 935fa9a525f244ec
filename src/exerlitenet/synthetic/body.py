"""One person's build: segment lengths and thicknesses in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Body:
    """Lengths and radii in metres, after the segment fractions of Drillis and Contini (1966), varied per
    person.

    `girth` scales all thicknesses; `femininity` in 0..1 shifts width from the shoulders to the hips.
    """

    height: float
    girth: float
    femininity: float
    upper_arm: float
    forearm: float
    hand: float
    thigh: float
    shank: float
    foot: float
    ankle_height: float
    trunk: float
    neck: float
    head: float
    half_shoulders: float
    half_hips: float

    @property
    def arm(self) -> float:
        """Shoulder to wrist, stretched."""
        return self.upper_arm + self.forearm

    @property
    def leg(self) -> float:
        """Hip to ankle, stretched."""
        return self.thigh + self.shank

    @property
    def standing_pelvis(self) -> float:
        """Height of the hip joints over the floor with the legs almost stretched."""
        return self.ankle_height + 0.993 * self.leg


def draw_body(rng: np.random.Generator) -> Body:
    """A person drawn at random: 1.50 to 1.95 m, slight to heavy, proportions varied by a few per cent."""
    height = float(np.clip(rng.normal(1.71, 0.09), 1.5, 1.95))
    femininity = float(rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.7, 1.0)]))
    girth = float(np.clip(rng.normal(1.0, 0.12), 0.8, 1.4))

    def part(fraction: float, spread: float = 0.035) -> float:
        return float(fraction * height * np.clip(rng.normal(1.0, spread), 0.9, 1.1))

    shoulders = part(0.118) * (1.0 - 0.09 * femininity) * (0.6 + 0.4 * girth)
    hips = part(0.052) * (1.0 + 0.08 * femininity)
    return Body(
        height=height,
        girth=girth,
        femininity=femininity,
        upper_arm=part(0.172),
        forearm=part(0.148),
        hand=part(0.085),
        thigh=part(0.240),
        shank=part(0.243),
        foot=part(0.150),
        ankle_height=part(0.042),
        trunk=part(0.292),
        neck=part(0.055),
        head=part(0.125, 0.05),
        half_shoulders=shoulders,
        half_hips=hips,
    )
