"""Makes the moving picture of README: the sample's rendered person, what the model sees of the body, and the count.

    python tools/picture.py                                       # writes docs/pictures/demo.webp
    python tools/picture.py docs/pictures/demo.webp --frames OUT  # single frames as PNG beside it, to look at

Left are some of the sample's squats, right some of its curls; both play at the same time. Nothing is drawn by hand: the
skeleton is the frame encoder's joints, the count and its time are the recogniser's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from exerlitenet.recognition.frame_encoder import FrameEncoder
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.results import Frame
from exerlitenet.synthetic.sample import sample_clip
from exerlitenet.video.overlay import Overlay

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/pictures/demo.webp"

STARTS_S, SECONDS, EVERY = (5.0, 24.6), 8.0, 2
"""Where the two parts of the sample begin, how long both are, and that each second frame of 15 a second is shown."""

BONES = (
    (1, 2), (7, 8), (1, 7), (2, 8), (1, 3), (3, 5), (2, 4), (4, 6), (7, 9), (9, 11), (8, 10), (10, 12),
)  # fmt: skip
"""Pairs of the model's 13 joints: nose, then left and right shoulder, elbow, wrist, hip, knee, ankle."""

VISIBLE = 0.5
LIMB, JOINT, EDGE = (255, 255, 255), (86, 180, 233), (12, 14, 18)
SMOOTH = 3


def pictures() -> list[Image.Image]:
    """The frames of the moving picture, both parts side by side."""
    clip = sample_clip()
    recognizer = Recognizer.load()
    frames = [Frame(number / clip.fps, rgb) for number, rgb in enumerate(clip.frames)]
    workout = recognizer.recognize_frames(frames, duration_s=clip.seconds)
    height, width = clip.frames.shape[1:3]
    overlay = Overlay(workout, clip.seconds, width, height)
    bodies = joints_of(recognizer, clip.frames)
    first = [round(start * clip.fps) for start in STARTS_S]
    out = []
    for step in range(0, round(SECONDS * clip.fps), EVERY):
        both = []
        for number in (start + step for start in first):
            drawn = skeleton(clip.frames[number], bodies[number])
            both.append(overlay.draw(drawn, frames[number].time_s))
        out.append(Image.fromarray(np.concatenate(both, axis=1)))
    return out


def joints_of(recognizer: Recognizer, frames: Iterable[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    """What the frame encoder sees of the body in each frame: float32 [13, 3], x and y in pixels, and visibility."""
    encoder = FrameEncoder(recognizer.engine)
    out = []
    for rgb in frames:
        encoder.encode(rgb)
        assert encoder.crop is not None, "the model that ships follows a person"
        assert encoder.joints is not None, "the model that ships sees joints"
        height, width = rgb.shape[:2]
        places = encoder.crop.to_picture(encoder.joints[:, :2]) * min(height, width) + (width / 2, height / 2)
        out.append(np.concatenate([places, encoder.joints[:, 2:3]], axis=1).astype(np.float32))
    return out


def skeleton(rgb: NDArray[np.uint8], joints: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A copy of the frame with the visible joints and the limbs between them. joints: float32 [13, 3]."""
    image = Image.fromarray(rgb)
    large = image.resize((image.width * SMOOTH, image.height * SMOOTH), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(large)
    places = [(float(x) * SMOOTH, float(y) * SMOOTH) for x, y in joints[:, :2]]
    seen = joints[:, 2] >= VISIBLE
    limbs = [(places[a], places[b]) for a, b in BONES if seen[a] and seen[b]]
    for colour, thick in ((EDGE, 5.0), (LIMB, 2.6)):
        for limb in limbs:
            draw.line(limb, colour, round(thick * SMOOTH))
        reach = (thick + (2.5 if colour == EDGE else 2.9)) / 2 * SMOOTH
        for (x, y), visible in zip(places, seen, strict=True):
            if visible:
                fill = EDGE if colour == EDGE else JOINT
                draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=fill)
    return np.asarray(large.resize(image.size, Image.Resampling.BOX))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, nargs="?", default=TARGET)
    parser.add_argument("--frames", type=Path, help="a folder for every tenth frame as PNG")
    parser.add_argument("--quality", type=int, default=60, help="of WebP, 0 to 100")
    asked = parser.parse_args()
    drawn = pictures()
    drawn[0].save(
        asked.out,
        save_all=True,
        append_images=drawn[1:],
        duration=round(1000 * EVERY / 15),
        loop=0,
        quality=asked.quality,
        method=6,
    )
    print(f"{asked.out}: {len(drawn)} frames, {asked.out.stat().st_size:,} bytes")
    if asked.frames is not None:
        asked.frames.mkdir(parents=True, exist_ok=True)
        for number, picture in list(enumerate(drawn))[::10]:
            picture.save(asked.frames / f"{number:03d}.png")


if __name__ == "__main__":
    main()
