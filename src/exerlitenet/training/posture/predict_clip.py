"""What a sequence head makes of a clip that the frame network has looked at, as a stream would have it.

The recogniser takes one frame after the other; here the frame network's output is there already, so all windows of
a clip pass the head in one call. Predictions and phases are the same (a test compares them).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.results import Prediction
from exerlitenet.training.posture.head import Head
from exerlitenet.training.posture.head_data import Copy
from exerlitenet.video.sequence import SequenceSpec, window_indices


def watch(head: Head, copy: Copy, classes: Sequence[str], spec: SequenceSpec) -> ClipPredictions:
    """Every window of a clip as it is, from the first that is judged to the one that ends with the clip."""
    frames, rate, first, delay = spec.frames, spec.rate, spec.first_window, head.config.phase_delay
    ticks = len(copy.joints)
    # Ends of the windows. Behind the clip its last frame is held: only then is the phase of the last frames known.
    ends = np.arange(first - 1, max(ticks, first) + delay)
    index = np.stack([window_indices(int(end) - frames + 1, ticks, frames) for end in ends])
    out = head.network.predict_on_batch(
        [copy.joints[index].astype(np.float32), copy.context[index].astype(np.float32)]
    )
    probabilities, phase = np.asarray(out["classes"]), np.asarray(out["phase"])
    predictions = []
    for k, end in enumerate(ends[: len(ends) - delay]):
        named = dict(zip(classes, (float(p) for p in probabilities[k]), strict=True))
        time_s = float(min(end, ticks - 1) / rate)
        predictions.append(Prediction(time_s, named, max(named, key=lambda name: named[name])))
    # The first window tells the phases of all its frames, each later one that of its newest.
    told = [(t - (frames - first) - delay, float(phase[0, t])) for t in range(frames - first + delay, frames)]
    told += [(int(end) - delay, float(phase[k, -1])) for k, end in enumerate(ends) if k > 0]
    phases = [(tick / rate, value) for tick, value in told if 0 <= tick < ticks]
    return ClipPredictions(predictions, phases, ticks / rate)
