"""Augmentation that changes nothing."""

from __future__ import annotations

from exerlitenet.datasets.augment import Ranges

NO_AUGMENTATION = Ranges(
    flip_chance=0, brightness=(1.0, 1.0), contrast=(1.0, 1.0), blur_chance=0, motion_blur_chance=0
)
