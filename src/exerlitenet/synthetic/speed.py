"""How fast clips are rendered: `python -m exerlitenet.synthetic.speed`."""

from __future__ import annotations

import time

from exerlitenet.synthetic.clip import render_clip


def frames_per_second(clips: int = 12, size: int = 224, seconds: float = 8.0) -> float:
    """Frames rendered per second of processor time, backgrounds and truth included; squats, curls and others
    in turn.
    """
    render_clip(0, seconds=1.0, width=size, height=size)
    frames = 0
    start = time.process_time()
    for seed in range(clips):
        label = ("squat", "biceps_curl", "none")[seed % 3]
        frames += len(render_clip(seed, label, seconds=seconds, width=size, height=size).frames)
    return frames / (time.process_time() - start)


if __name__ == "__main__":
    print(f"{frames_per_second():.0f} frames/s at 224x224, one process")
