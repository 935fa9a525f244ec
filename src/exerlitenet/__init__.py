"""ExerLiteNet knows which exercise a camera sees, and counts it.

    from exerlitenet import recognize
    workout = recognize("video.mp4")
    print(workout.exercise, workout.repetitions)

Names load when they are first used, so importing the package costs nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet._version import __version__

# ONNX Runtime from 1.29 on reports its use to its maker and keeps a device id on disk, unless this is set before it is
# imported. Here it does, for this process and every one that it starts.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    from exerlitenet.errors import InputError as InputError
    from exerlitenet.recognition.recognizer import Recognizer as Recognizer
    from exerlitenet.results import Frame as Frame
    from exerlitenet.results import Prediction as Prediction
    from exerlitenet.results import Segment as Segment
    from exerlitenet.results import Workout as Workout

_HOMES = {
    "InputError": "exerlitenet.errors",
    "Frame": "exerlitenet.results",
    "Prediction": "exerlitenet.results",
    "Segment": "exerlitenet.results",
    "Workout": "exerlitenet.results",
    "Recognizer": "exerlitenet.recognition.recognizer",
}

__all__ = [
    "Frame",
    "InputError",
    "Prediction",
    "Recognizer",
    "Segment",
    "Workout",
    "__version__",
    "recognize",
]


def recognize(
    source: str | Path, *, model: str | Path | None = None, seconds: float | None = None
) -> Workout:
    """Which exercise a video shows, from when to when, and how often.

    Args:
        source: a file, a folder of images, a URL or "camera:0".
        model: a folder; by default the model that ships.
        seconds: stop after so many.

    Raises:
        InputError: when the source or the model cannot be read.

    Examples:
        >>> from exerlitenet import recognize
        >>> workout = recognize("video.mp4", seconds=2.0)
        >>> workout.duration_s
        2.0
        >>> workout.exercise in ("squat", "biceps_curl", "none")
        True
    """
    from exerlitenet.recognition.recognizer import Recognizer

    return Recognizer.load(model).recognize(source, seconds=seconds)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
