"""Poses of a folder's videos, made with MediaPipe Pose, as a teacher for the default model's first phase.

Runs in an environment of its own, since MediaPipe needs older packages than the project:

    python3.11 -m venv mp && mp/bin/pip install mediapipe==0.10.21
    mp/bin/python tools/poses_with_mediapipe.py VIDEOS POSES

Writes POSES/NAME.npy for every VIDEOS/NAME.mp4: float16 [rows, 33, 7], row k is the first frame at or after k / 7.5 s;
a landmark is x and y in units of the image height, z, visibility, and world x, y, z in metres; NaN where nobody was
found. About 15 ms a frame on one core. Videos that are done already are skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np

RATE = 7.5


def poses_of(video: Path) -> np.ndarray:
    """float16 [rows, 33, 7] of one video."""
    capture = cv2.VideoCapture(str(video))
    fps = capture.get(cv2.CAP_PROP_FPS) or 30.0
    rows: list[np.ndarray] = []
    with mp.solutions.pose.Pose(model_complexity=1) as model:
        frame = 0
        while True:
            good, bgr = capture.read()
            if not good:
                break
            time_s = frame / fps
            frame += 1
            if time_s + 0.002 < len(rows) / RATE:
                continue
            height, width = bgr.shape[:2]
            found = model.process(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
            row = np.full((33, 7), np.nan, np.float32)
            if found.pose_landmarks:
                for k, (p, w) in enumerate(
                    zip(found.pose_landmarks.landmark, found.pose_world_landmarks.landmark, strict=True)
                ):
                    row[k] = (p.x * width / height, p.y, p.z, p.visibility, w.x, w.y, w.z)
            while len(rows) / RATE <= time_s + 0.002:
                rows.append(row)
    capture.release()
    return np.array(rows, np.float16).reshape(-1, 33, 7)


def main() -> None:
    videos, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    todo = sorted(videos.glob("*.mp4"))
    for number, video in enumerate(todo, 1):
        target = out / (video.stem + ".npy")
        if not target.exists():
            np.save(target, poses_of(video))
        print(f"\r{number}/{len(todo)}", end="", flush=True)


if __name__ == "__main__":
    main()
