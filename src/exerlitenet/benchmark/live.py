"""A live frame: what it costs, part by part, against recomputing its window; int8."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.benchmark.measure import Measure, OnProgress, ignore, measure_of
from exerlitenet.benchmark.size import int8_bundle
from exerlitenet.benchmark.stopwatch import PARTS, LiveFrames
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.video.sequence import SequenceSpec

# Not the demo's seed and none of training's.
SEED = 1_000_001
FRAMES_A_ROUND = 5
PAPER_WINDOW = 15
"""Frames of the paper's window."""

Pictures = Sequence[NDArray[np.uint8]]


def render_pictures(spec: SequenceSpec, *, quick: bool) -> Pictures:
    """A rendered person's squats, as `render_activity` gives them."""
    return render_activity(spec, "squat", seconds=2.0 if quick else 6.0)


def render_activity(spec: SequenceSpec, activity: str, *, seconds: float, seed: int = SEED) -> Pictures:
    """A rendered clip at the model's rate, of the short side that sources are brought to, at most 256 pixels."""
    from exerlitenet.synthetic.clip import render_clip

    height = min(256, spec.source_short_side)
    width = height * 16 // 9 // 2 * 2
    fps = min(max(spec.rate, 2.0), 120.0)
    clip = render_clip(seed, activity=activity, seconds=seconds, fps=fps, width=width, height=height)
    return list(clip.frames)


def measure_live_frame(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """One live frame and its parts, one thread, in turn with recomputing its window in one call.

    A window as long as the paper's is recomputed too, since the model's own may be longer, which flatters a live frame.
    """
    pictures = render_pictures(bundle.spec, quick=quick)
    live = LiveFrames(OnnxEngine(bundle, threads=1), pictures)
    rounds = 8 if quick else 60

    def frames() -> None:
        for _ in range(FRAMES_A_ROUND):
            live()

    windows = {
        f"window of {count} recomputed": partial(live.recompute_window, count)
        for count in dict.fromkeys((bundle.spec.frames, PAPER_WINDOW))
    }
    in_turn = time_in_turn({"frames": frames, **windows}, rounds, on_progress=on_progress)
    whole = np.array(live.whole[-rounds * FRAMES_A_ROUND :])
    out = [
        measure_of(f"live frame: {part}", np.array(live.parts[part][-len(whole) :]), "ms") for part in PARTS
    ]
    out.append(measure_of("live frame", whole, "ms"))
    for window in windows:
        out.append(in_turn.measure(window, window))
        ratios = in_turn["frames"] / FRAMES_A_ROUND / in_turn[window]
        own = window == f"window of {bundle.spec.frames} recomputed"
        out.append(measure_of(f"live frame / {'window recomputed' if own else window}", ratios, "ratio"))
    return out


def measure_decoding(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """A picture of the live page, JPEG to pixels: outside a live frame, since a camera in Python needs none."""
    from exerlitenet.app.limits import Limits
    from exerlitenet.app.pictures import decode_jpeg

    picture = render_pictures(bundle.spec, quick=True)[0]
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=80)
    jpeg, limits = buffer.getvalue(), Limits()
    in_turn = time_in_turn(
        {"decode": lambda: decode_jpeg(jpeg, limits)}, 20 if quick else 200, on_progress=on_progress
    )
    height, width = picture.shape[:2]
    return [in_turn.measure("decode", f"decode a JPEG of {width} x {height}, apart")]


def measure_int8(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """The live frame of the model with int8 weights, in turn with float32; one thread.

    Raises Unavailable where such a model cannot be made.
    """
    pictures = render_pictures(bundle.spec, quick=quick)
    with TemporaryDirectory() as folder:
        small = int8_bundle(bundle, Path(folder))
        sides = {
            "float32": LiveFrames(OnnxEngine(bundle, threads=1), pictures),
            "int8": LiveFrames(OnnxEngine(small, threads=1, check=False), pictures),
        }
        in_turn = time_in_turn(sides, 15 if quick else 200, on_progress=on_progress)
    return [
        in_turn.measure("int8", "live frame, int8 weights"),
        in_turn.ratio("live frame, int8 weights / float32", "int8", "float32"),
    ]
