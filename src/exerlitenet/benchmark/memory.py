"""Memory of a live stream: at rest, and along an hour of frames that come as fast as they can be taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.benchmark.live import SEED, render_activity
from exerlitenet.benchmark.measure import Measure, OnProgress, Unavailable, ignore, rounded
from exerlitenet.benchmark.process import call
from exerlitenet.recognition.bundle import Bundle

STATUS = Path("/proc/self/status")
MEGABYTE = 1e6
HOUR_S = 3600.0
QUICK_S = 60.0
SAMPLES = 120
SETTLED = 0.1
"""Part of the stream after which memory should be flat: buffers have grown to their size by then."""


@dataclass(frozen=True)
class MemoryTrack:
    """Resident memory of a process with one stream, in MB.

    rest_mb: model loaded and first prediction made. seconds, mb: float64 [n], stream time and memory along it.
    """

    rest_mb: float
    seconds: NDArray[np.float64]
    mb: NDArray[np.float64]

    @property
    def slope_mb_an_hour(self) -> float:
        """Of the line through what came after the first tenth, by least squares; 0 for fewer than two samples."""
        late = self.seconds >= SETTLED * self.seconds[-1]
        hours, mb = self.seconds[late] / HOUR_S, self.mb[late]
        if len(hours) < 2:
            return 0.0
        centred = hours - hours.mean()
        return float(centred @ (mb - mb.mean()) / (centred @ centred))

    def measures(self) -> list[Measure]:
        """The growth an hour is given for a whole hour only: less of a stream says nothing of it."""
        minutes = f"{self.seconds[-1] / 60:g} minutes"
        rows = {
            "live stream, at rest": (self.rest_mb, "MB"),
            f"live stream, after {minutes}": (float(self.mb[-1]), "MB"),
            f"live stream, highest in {minutes}": (max(self.rest_mb, float(self.mb.max())), "MB"),
        }
        if self.seconds[-1] >= HOUR_S:
            rows["live stream, growth"] = (self.slope_mb_an_hour, "MB an hour")
        return [Measure(name, rounded(value, 4), unit) for name, (value, unit) in rows.items()]


def measure_memory(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """Follows a fresh process that takes an hour of pictures as the live page does; a minute with `quick`.

    Raises Unavailable where the system does not tell a process's memory in /proc.
    """
    if not STATUS.is_file():
        raise Unavailable(f"memory: this system has no {STATUS}, so resident memory cannot be read")
    stream_s = QUICK_S if quick else HOUR_S
    with TemporaryDirectory() as folder:
        write_pictures(Path(folder), bundle, quick=quick)
        rest_mb, samples = call(
            "exerlitenet.benchmark.memory:follow_stream", [str(bundle.folder), folder, stream_s]
        )
    seconds, mb = np.array(samples).T
    return MemoryTrack(rest_mb, seconds, mb).measures()


def write_pictures(folder: Path, bundle: Bundle, *, quick: bool) -> None:
    """JPEGs of squats, curls and an empty room, one after another, so that sets begin and end."""
    seconds = 4.0 if quick else 24.0
    written = 0
    for k, activity in enumerate(("squat", "no_person", "biceps_curl", "no_person")):
        for frame in render_activity(bundle.spec, activity, seconds=seconds, seed=SEED + k):
            Image.fromarray(frame).save(folder / f"{written:05}.jpg", quality=80)
            written += 1


def follow_stream(model: str, pictures: str, stream_s: float) -> tuple[float, list[tuple[float, float]]]:
    """In a fresh process, with the live page's server loaded: (MB at rest, [(stream seconds, MB)])."""
    import exerlitenet.app.server  # noqa: F401
    from exerlitenet.app.limits import Limits
    from exerlitenet.app.pictures import decode_jpeg
    from exerlitenet.recognition.recognizer import Recognizer
    from exerlitenet.results import Frame

    paths = sorted(Path(pictures).iterdir())
    recognizer, limits = Recognizer.load(model), Limits()
    tracker = recognizer.tracker()
    rate = recognizer.engine.spec.rate
    rest_mb: float | None = None
    samples: list[tuple[float, float]] = []
    ticks = max(1, round(stream_s * rate))
    for k in range(ticks):
        jpeg = paths[k % len(paths)].read_bytes()
        progress = tracker.push(Frame(k / rate, decode_jpeg(jpeg, limits)))
        if rest_mb is None and progress.status != "warming":
            rest_mb = resident_mb()
        if k % max(1, ticks // SAMPLES) == 0 or k == ticks - 1:
            samples.append(((k + 1) / rate, resident_mb()))
    return rest_mb or samples[-1][1], samples


def resident_mb(status: str | None = None) -> float:
    """Resident memory in MB, from a text such as /proc/self/status; by default that of this process."""
    text = STATUS.read_text("utf-8") if status is None else status
    [line] = [line for line in text.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024 / MEGABYTE
