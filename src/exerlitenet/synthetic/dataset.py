"""A folder of rendered clips as the training reads it: videos, manifest.csv and poses."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError
from exerlitenet.synthetic.clip import RenderedClip, render_clip

COLUMNS = (
    "file", "label", "activity", "group", "person", "view", "people", "kind", "overlay", "repetitions", "extremes_s",
    "seconds", "fps", "width", "height", "source", "commit", "path", "licence", "notes",
)  # fmt: skip
POSE_RATE = 7.5
"""Rows of a pose file per second."""
RESERVED_SEED = 1_000_000
"""Seeds from here on belong to the demo and the tests; training uses lower ones."""


def write_video(frames: NDArray[np.uint8], fps: float, path: Path, crf: int = 18) -> Path:
    """Write uint8 [n,h,w,3] as H.264 (yuv420p) in MP4; sides are cut to even lengths. Returns `path`.

    The same frames give the same file: one encoder thread, no time stamps of the day.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or 0 in frames.shape:
        raise InputError(
            f"frames must be uint8 [n, height, width, 3], got {frames.dtype} {list(frames.shape)}"
        )
    height, width = frames.shape[1] // 2 * 2, frames.shape[2] // 2 * 2
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(path), "w", options={"movflags": "faststart", "fflags": "bitexact"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast"}
        stream.codec_context.thread_count = 1
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def pose_rows(clip: RenderedClip) -> NDArray[np.float16]:
    """The clip's joints at 7.5 rows a second: float16 [rows,33,7], row k is the first frame at or after k /
    7.5 s.
    """
    frames = len(clip.frames)
    rows = np.arange(int((frames - 1) / clip.fps * POSE_RATE + 1e-6) + 1)
    indices = np.ceil(rows * clip.fps / POSE_RATE - 1e-6).astype(int)
    rows_of_joints: NDArray[np.float32] = clip.joints[np.minimum(indices, frames - 1)]
    return rows_of_joints.astype(np.float16)


def manifest_row(clip: RenderedClip, file: str) -> dict[str, str]:
    """The clip's row in manifest.csv."""
    name = f"rendered-{clip.seed:06d}"
    return {
        "file": file,
        "label": clip.label,
        "activity": clip.activity,
        "group": name,
        "person": name,
        "view": clip.view,
        "people": "0" if clip.view == "none" else "1",
        "kind": "rendered",
        "overlay": "no",
        "repetitions": str(clip.repetitions),
        "extremes_s": ";".join(f"{t:.2f}" for t in clip.extremes_s),
        "seconds": f"{clip.seconds:.2f}",
        "fps": f"{clip.fps:.2f}",
        "width": str(clip.frames.shape[2] // 2 * 2),
        "height": str(clip.frames.shape[1] // 2 * 2),
        "source": "exerlitenet.synthetic",
        "commit": "",
        "path": str(clip.seed),
        "licence": "Apache-2.0",
        "notes": clip.style,
    }


def write_dataset(
    folder: Path,
    seeds: Iterable[int],
    *,
    seconds: float | None = None,
    fps: float = 15.0,
    labels: Iterable[str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Render a clip per seed into `folder` and return the manifest's path.

    Writes NAME.mp4, poses/NAME.npy (float16 [rows,33,7] at 7.5 rows a second, see `pose_rows`) and
    manifest.csv. labels: one per seed; when None they are drawn in equal shares. seconds: length of every
    clip; None draws it. on_progress: called with clips done and clips in all.
    """
    wanted = list(seeds)
    if len(set(wanted)) != len(wanted):
        raise InputError(
            f"every seed makes one clip, got {len(wanted) - len(set(wanted))} seeds twice; drop them"
        )
    given = list(labels) if labels is not None else None
    if given is not None and len(given) != len(wanted):
        raise InputError(f"labels must be one per seed, got {len(given)} labels for {len(wanted)} seeds")
    folder = Path(folder)
    (folder / "poses").mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for done, seed in enumerate(wanted, 1):
            clip = render_clip(seed, given[done - 1] if given else None, seconds=seconds, fps=fps)
            name = f"{clip.label}_{seed:06d}"
            write_video(clip.frames, clip.fps, folder / f"{name}.mp4")
            np.save(folder / "poses" / f"{name}.npy", pose_rows(clip))
            writer.writerow(manifest_row(clip, f"{name}.mp4"))
            stream.flush()
            if on_progress is not None:
                on_progress(done, len(wanted))
    return manifest
