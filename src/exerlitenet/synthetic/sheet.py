"""Contact sheets: frames of a clip, or of several, side by side in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.synthetic.clip import RenderedClip, render_clip


def grid(
    pictures: Sequence[NDArray[np.uint8]], columns: int, cell: tuple[int, int], gap: int = 4
) -> NDArray[np.uint8]:
    """Pictures uint8 [h,w,3] of any size in rows of `columns` cells of `cell` = (width, height) pixels;
    uint8.

    Each picture fills its cell; what does not fit is cut evenly.
    """
    width, height = cell
    rows = -(-len(pictures) // columns)
    out = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        scale = max(width / picture.shape[1], height / picture.shape[0])
        size = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
        image = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
        left, top = (size[0] - width) // 2, (size[1] - height) // 2
        y, x = (k // columns) * (height + gap) + gap, (k % columns) * (width + gap) + gap
        out[y : y + height, x : x + width] = np.asarray(image.crop((left, top, left + width, top + height)))
    return out


def contact_sheet(clip: RenderedClip, columns: int, rows: int) -> NDArray[np.uint8]:
    """columns x rows frames of a clip, evenly spaced over it, in reading order; uint8 [h,w,3]."""
    chosen = np.linspace(0, len(clip.frames) - 1, columns * rows).round().astype(int)
    height, width = clip.frames.shape[1:3]
    return grid([clip.frames[k] for k in chosen], columns, (width, height))


def people_sheet(seeds: Sequence[int], columns: int, cell: tuple[int, int] = (132, 176)) -> NDArray[np.uint8]:
    """One person per seed at the peak of a repetition, squats and curls in turn; uint8 [h,w,3]."""
    pictures: list[NDArray[np.uint8]] = []
    for k, seed in enumerate(seeds):
        clip = render_clip(
            seed, ("squat", "biceps_curl")[k % 2], seconds=4.0, fps=8.0, width=2 * cell[0], height=2 * cell[1]
        )
        pictures.append(clip.frames[int(np.argmax(clip.phase))])
    return grid(pictures, columns, cell)


def save_png(picture: NDArray[np.uint8], path: Path, bits: int = 6) -> Path:
    """Write a picture as a PNG that keeps the upper `bits` (1 to 8) of each colour: small, and looks the same."""
    step = 1 << (8 - bits)
    coarse = picture // step * step + step // 2
    Image.fromarray(coarse.astype(np.uint8)).save(path, optimize=True)
    return path
