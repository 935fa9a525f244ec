"""One movement over the frames of a clip."""

from __future__ import annotations

from dataclasses import dataclass

from exerlitenet.synthetic.kinematics import Controls
from exerlitenet.synthetic.props import Props
from exerlitenet.synthetic.tempo import Schedule


@dataclass(frozen=True)
class Motion:
    """What the person does, when, with what; activity as in a manifest, style in words of the movement."""

    controls: Controls
    plan: Schedule
    props: Props
    activity: str
    style: str
