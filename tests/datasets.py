"""A small data set whose pictures the models of `bundles` understand."""

from __future__ import annotations

import csv
from pathlib import Path

from bundles import CURL, NOTHING, SQUAT, still, swinging
from clips import write_clip


def write_dataset(folder: Path, clips: int = 9, groups: int = 3) -> Path:
    """Squats, curls and nothing in turn; `clips` in `groups`.

    The exercises: 2 s of nothing, three repetitions in 6 s, 1 s of nothing.
    """
    folder.mkdir(parents=True)
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "group", "repetitions"])
        for k in range(clips):
            label, colour = (("squat", SQUAT), ("biceps_curl", CURL), ("none", NOTHING))[k % 3]
            shade = (colour[0], colour[1] - k, 0)  # no two alike
            if label == "none":
                pictures, repetitions = [still(shade)] * 60, ""
            else:
                pause = [still(NOTHING)]
                pictures, repetitions = [*pause * 30, *swinging(shade, 3, 6), *pause * 15], "3"
            write_clip(folder / f"{k}.mp4", pictures, fps=15)
            writer.writerow([f"{k}.mp4", label, f"g{k // 3 % groups}", repetitions])
    return folder / "manifest.csv"
