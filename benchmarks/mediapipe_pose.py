"""MediaPipe Pose, timed frame by frame: `mediapipe_pose.py FRAMES.npz COMPLEXITY`.

Runs in an environment of its own, which has MediaPipe and not ExerLiteNet; see `benchmarks.peers`.
FRAMES.npz: "frames", uint8 [n, height, width, 3], RGB, taken over and over. COMPLEXITY: 0 lite, 1 full, 2 heavy.

Requests and answers are lines of JSON: ["time", n] gives the milliseconds of each of the next n frames, ["found"] the
part of all frames so far in which a pose was found.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import mediapipe
import numpy as np

NAMES = ("lite", "full", "heavy")


def main() -> None:
    complexity = int(sys.argv[2])
    name = f"pose_landmark_{NAMES[complexity]}.tflite"
    if not (Path(mediapipe.__file__).parent / "modules" / "pose_landmark" / name).is_file():
        # MediaPipe would download it now, in the middle of a measurement.
        raise SystemExit(
            f"{name} is not in this environment's MediaPipe; it comes once Pose(model_complexity={complexity}) "
            "was made there with a network"
        )
    frames = np.load(sys.argv[1])["frames"]
    pose = mediapipe.solutions.pose.Pose(static_image_mode=False, model_complexity=complexity)
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        answer_requests(pose, frames, out)


def answer_requests(pose, frames, out) -> None:  # type: ignore[no-untyped-def]
    seen = found = 0
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer: object
        if name == "time":
            answer = milliseconds = []
            for _ in range(arguments[0]):
                frame = frames[seen % len(frames)]
                begin_s = time.perf_counter()
                result = pose.process(frame)
                milliseconds.append(1000 * (time.perf_counter() - begin_s))
                seen += 1
                found += result.pose_landmarks is not None
        elif name == "found":
            answer = found / seen
        else:
            raise SystemExit(f"no such request: {name}")
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
