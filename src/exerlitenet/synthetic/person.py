"""One person: build (segment lengths and thicknesses in metres), skin, hair and clothes."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Literal

import numpy as np

Colour = tuple[float, float, float]
Sleeve = Literal["none", "short", "long"]
Legs = Literal["trousers", "wide", "shorts", "leggings"]
Hair = Literal["short", "long", "tail", "bun", "bald", "cap", "afro"]


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


@dataclass(frozen=True)
class Look:
    """Colours are RGB in 0..1 under white light. shorts_end: where shorts end, as a share of the thigh."""

    skin: Colour
    hair: Colour
    hair_style: Hair
    shirt: Colour
    shirt_stripes: float
    print_colour: Colour | None
    sleeve: Sleeve
    midriff: bool
    legs: Legs
    legs_colour: Colour
    shorts_end: float
    shoe: Colour
    sole: Colour
    socks: Colour | None
    beard: bool
    metal: Colour
    weight: Colour


SKINS: tuple[Colour, ...] = (
    (0.96, 0.80, 0.70), (0.92, 0.72, 0.60), (0.87, 0.66, 0.52), (0.78, 0.57, 0.43),
    (0.66, 0.46, 0.33), (0.52, 0.35, 0.25), (0.40, 0.27, 0.20), (0.30, 0.20, 0.15),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (0.07, 0.06, 0.06), (0.14, 0.09, 0.06), (0.24, 0.15, 0.09), (0.38, 0.24, 0.12),
    (0.60, 0.44, 0.22), (0.80, 0.68, 0.42), (0.50, 0.20, 0.10), (0.55, 0.55, 0.55),
)  # fmt: skip


def shade(colour: Colour, by: float) -> Colour:
    """The colour made lighter (by > 1) or darker, within 0..1."""
    red, green, blue = (min(max(c * by, 0.0), 1.0) for c in colour)
    return (red, green, blue)


def cloth(rng: np.random.Generator) -> Colour:
    """A colour of clothes: often black, grey, white or navy, else any hue."""
    if rng.random() < 0.5:
        value = float(rng.choice([0.08, 0.13, 0.25, 0.45, 0.75, 0.92]))
        tint = rng.uniform(-0.03, 0.03, 3)
        red, green, blue = (float(np.clip(value + t, 0.03, 0.97)) for t in tint)
        return (red, green, blue)
    saturation = float(rng.uniform(0.25, 0.9))
    return colorsys.hsv_to_rgb(float(rng.random()), saturation, float(rng.uniform(0.25, 0.95)))


def draw_look(rng: np.random.Generator, femininity: float) -> Look:
    """Skin, hair and clothes drawn at random; `femininity` in 0..1 shifts hair styles and leggings."""
    tone = np.array(SKINS[int(rng.integers(len(SKINS)))]) * rng.uniform(0.94, 1.04)
    hair = HAIRS[int(rng.integers(len(HAIRS)))] if tone[0] > 0.6 else HAIRS[int(rng.integers(3))]
    woman = femininity > 0.5
    styles: list[Hair] = ["short", "long", "tail", "bun", "bald", "cap", "afro"]
    odds = [0.1, 0.2, 0.4, 0.2, 0.0, 0.05, 0.05] if woman else [0.64, 0.04, 0.02, 0.02, 0.12, 0.12, 0.04]
    style = styles[int(rng.choice(len(styles), p=odds))]
    kinds: list[Legs] = ["trousers", "wide", "shorts", "leggings"]
    legs = kinds[int(rng.choice(4, p=[0.15, 0.1, 0.15, 0.6] if woman else [0.32, 0.13, 0.45, 0.1]))]
    sleeves: list[Sleeve] = ["none", "short", "long"]
    sleeve = sleeves[int(rng.choice(3, p=[0.45, 0.35, 0.2] if woman else [0.2, 0.6, 0.2]))]
    shirt = cloth(rng)
    skin: Colour = (float(min(tone[0], 0.98)), float(tone[1]), float(tone[2]))
    if not woman and rng.random() < 0.06:
        shirt, sleeve = skin, "none"
    return Look(
        skin=skin,
        hair=hair,
        hair_style=style,
        shirt=shirt,
        shirt_stripes=float(rng.uniform(12, 40)) if rng.random() < 0.12 else 0.0,
        print_colour=cloth(rng) if rng.random() < 0.25 else None,
        sleeve=sleeve,
        midriff=woman and sleeve == "none" and bool(rng.random() < 0.4),
        legs=legs,
        legs_colour=shirt if rng.random() < 0.15 and shirt != skin else cloth(rng),
        shorts_end=float(rng.uniform(0.45, 0.95)),
        shoe=cloth(rng) if rng.random() < 0.9 else skin,
        sole=(0.9, 0.9, 0.88) if rng.random() < 0.6 else (0.12, 0.12, 0.12),
        socks=cloth(rng) if rng.random() < 0.4 else None,
        beard=not woman and bool(rng.random() < 0.3),
        metal=(0.62, 0.63, 0.66) if rng.random() < 0.7 else (0.2, 0.2, 0.22),
        weight=(0.12, 0.12, 0.13) if rng.random() < 0.6 else cloth(rng),
    )
