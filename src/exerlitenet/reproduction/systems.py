"""What the study compares: the paper's systems and two controls, and the networks that have to be trained for
them.

A learner is one configuration that is trained; a system is one row of the tables. The frozen network is the
first phase of the proposed one, so both rows come of one learner.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from exerlitenet.datasets.split import Protocol
from exerlitenet.datasets.windows import FrameOrder
from exerlitenet.errors import InputError
from exerlitenet.training.config import Config, load_config

SPLITS: tuple[Protocol, ...] = ("sequence", "group")
"""The paper's random split first."""

SPLIT_NAMES = {"sequence": "random split", "group": "split by group"}

SEEDS = (0, 1, 2)

# Set by the study itself, for each learner and unit.
_OWN_KEYS = re.compile(r"(name|seed|model|split\.(protocol|seed)|split)(\..*)?")


@dataclass(frozen=True)
class Learner:
    """config: name of the configuration. order: of the frames, in training and in evaluation."""

    name: str
    config: str
    order: FrameOrder = "true"

    def configuration(self, overrides: Sequence[str] = ()) -> Config:
        """The learner's configuration. overrides: `key=value`, as far as they are about phases it has.

        Raises InputError as `load_config` does, and for keys that the study sets.
        """
        for text in overrides:
            key = text.partition("=")[0].strip()
            if _OWN_KEYS.fullmatch(key) and key != "split.fractions":
                raise InputError(
                    f"--set {key}: the study sets this itself; "
                    "it takes seeds, splits, systems and the other keys of a configuration"
                )
        phases = len(load_config(self.config).phases)
        config = load_config(self.config, [text for text in overrides if phase_of(text) < phases])
        return replace(config, name=self.name)


@dataclass(frozen=True)
class System:
    """A row of the tables.

    short, title: for people. phase: position among the learner's phases whose best weights are evaluated.
    published: it is in the paper. disordered: it is evaluated on frames in an order drawn by chance.
    """

    name: str
    short: str
    title: str
    learner: Learner
    phase: int = 0
    published: bool = False
    disordered: bool = False


PAPER = Learner("paper", "paper")
SINGLE_FRAME, SHUFFLED = Learner("single_frame", "single_frame"), Learner("shuffled", "paper", "shuffled")
RESNET50, VGG16 = Learner("resnet50", "resnet50"), Learner("vgg16", "vgg16")
LEARNERS = (PAPER, SINGLE_FRAME, SHUFFLED, RESNET50, VGG16)

_SINGLE = "control: MobileNetV3Small frozen, dense, single frames"
_SHUFFLED = "control: proposed, trained and evaluated on shuffled frames"
_DISORDERED = "control: proposed as it was trained, evaluated on shuffled frames"
_PROPOSED = "MobileNetV3Small fine-tuned, LSTM (proposed)"
SYSTEMS = (
    System("resnet50", "ResNet50", "ResNet50 frozen, dense, single frames", RESNET50, published=True),
    System("vgg16", "VGG16 + LSTM", "VGG16 frozen, LSTM", VGG16, published=True),
    System("frozen", "frozen", "MobileNetV3Small frozen, LSTM", PAPER, published=True),
    System("proposed", "proposed", _PROPOSED, PAPER, phase=1, published=True),
    System("single_frame", "single frames", _SINGLE, SINGLE_FRAME),
    System("shuffled", "shuffled frames", _SHUFFLED, SHUFFLED, phase=1),
    System("disordered", "disordered frames", _DISORDERED, PAPER, phase=1, disordered=True),
)


def system(name: str) -> System:
    """A system by its name. Raises InputError for an unknown one."""
    known = {found.name: found for found in SYSTEMS}
    if name not in known:
        raise InputError(f"the study's systems are {', '.join(known)}, got {name!r}")
    return known[name]


def phase_of(override: str) -> int:
    """The phase that `phases.N.key=value` is about; 0 for every other key."""
    found = re.match(r"phases\.(\d+)\.", override.strip())
    return int(found[1]) if found else 0
