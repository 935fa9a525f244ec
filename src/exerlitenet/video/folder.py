"""A folder of images as a video."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from exerlitenet.errors import InputError
from exerlitenet.video.picture import Fit, over_black
from exerlitenet.video.track import Picture

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
# What Pillow raises on images that are cut off, garbled, of another kind or absurdly large.
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which frame2 comes before frame10, upper and lower case alike."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def image_files(folder: Path) -> list[Path]:
    """Images directly in a folder, in natural order by name; hidden files are left out."""
    files = [
        p
        for p in folder.iterdir()
        if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".") and p.is_file()
    ]
    return sorted(files, key=lambda p: (natural_key(p.name), p.name))


class FolderTrack:
    """Images of a folder, shown one after the other at a fixed rate (see `Track`)."""

    def __init__(self, folder: Path, name: str, *, fps: float, fit: Fit) -> None:
        if not (math.isfinite(fps) and fps > 0):
            raise InputError(f"folder_fps must be a positive number of images a second, got {fps}")
        try:
            self._files = image_files(folder)
        except PermissionError as error:
            raise InputError(f"{name}: no permission to read this folder; check its access rights") from error
        if not self._files:
            raise InputError(
                f"{name}: a folder without images; give a video file or a folder of"
                f" {', '.join(s[1:] for s in IMAGE_SUFFIXES)} files"
            )
        self.fps = fps
        self.fault: str | None = None
        self.live = False
        self._fit = fit
        # The video begins with the first image that can be read.
        size = None
        for first, file in enumerate(self._files):
            size = upright_size(file)
            if size is not None:
                self._first = first
                break
            self._note(0.0, file)
        if size is None:
            raise InputError(f"{name}: none of its {len(self._files)} images can be read; give intact ones")
        self.width, self.height = size
        self.duration_s: float | None = (len(self._files) - self._first) / fps

    def pictures(self) -> Iterator[Picture]:
        """One picture per file; a damaged one is left out and named in `fault`."""
        for index, file in enumerate(self._files[self._first :]):
            time_s = index / self.fps
            try:
                pixels = load_image(file, self._fit)
            except DAMAGE:
                self._note(time_s, file)
                continue
            yield Picture(time_s, 1 / self.fps, partial(np.asarray, pixels))

    def skip_unused(self, rate: float) -> None:
        """Every image is read, to know whether it can be."""

    def close(self) -> None:
        """Nothing stays open."""

    def _note(self, time_s: float, file: Path) -> None:
        if self.fault is None:
            self.fault = f"damaged at {time_s:.1f} s: {file.name} cannot be read and was left out"


def upright_size(file: Path) -> tuple[int, int] | None:
    """Width and height of an image; None if it cannot be decoded."""
    try:
        pixels = load_image(file, Fit())
    except DAMAGE:
        return None
    return pixels.shape[1], pixels.shape[0]


def load_image(file: Path, fit: Fit) -> NDArray[np.uint8]:
    """One image as uint8 [h, w, 3]: upright by its EXIF data, alpha over black, scaled as videos are."""
    with Image.open(file) as stored:
        image = ImageOps.exif_transpose(stored)
        if image.mode.startswith("I"):
            # 16-bit grey: Pillow would clip it instead of scaling it.
            image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
        alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
        image = image.convert("RGBA" if alpha else "RGB")
    size = fit.size(image.width, image.height)
    if size != image.size:
        image = image.resize(size, Image.Resampling.BOX)
    pixels = np.array(image)
    return over_black(pixels) if alpha else pixels
