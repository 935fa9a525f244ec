"""Rendered people among the training clips: table [rendered] of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exerlitenet.datasets import rendered
from exerlitenet.datasets.clips import Clip
from exerlitenet.errors import InputError
from exerlitenet.progress import Progress
from exerlitenet.training.config import Config
from exerlitenet.training.tables import Table

# Rendered clips count less than real ones in the head's windows.
RENDERED_WEIGHT = 0.5


@dataclass(frozen=True)
class RenderedTable:
    """How many rendered clips, how long, from which seed on."""

    clips: int = 0
    seconds: float = 8.0
    first_seed: int = 1000

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> RenderedTable:
        """InputError names what is unknown or unfit, seeds that training must not use among it."""
        from exerlitenet.synthetic.dataset import RESERVED_SEED

        read, base = Table(table, "configuration", "rendered."), cls()
        found = cls(
            clips=read.integer("clips", base.clips, low=0),
            seconds=read.number("seconds", base.seconds, low=1, high=600),
            first_seed=read.integer("first_seed", base.first_seed, low=0),
        )
        read.finish()
        if found.first_seed + found.clips > RESERVED_SEED:
            raise InputError(
                f"rendered.first_seed and rendered.clips must stay below seed {RESERVED_SEED}, which the demo and "
                f"the tests use; got {found.first_seed} and {found.clips}"
            )
        return found


def rendered_clips(config: Config, progress: Progress) -> tuple[Clip, ...]:
    """The rendered people that a configuration asks for; see `datasets.rendered`."""
    table = RenderedTable.from_mapping(config.extra.get("rendered", {}))
    seeds = range(table.first_seed, table.first_seed + table.clips)
    return rendered.rendered_clips(seeds, table.seconds, config.classes, progress)
