"""Rendered people among the training clips: how many, and where they are kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.errors import InputError
from exerlitenet.files import TEMPORARY
from exerlitenet.progress import Progress, Stretch
from exerlitenet.training.cnn_lstm.features import cache_folder
from exerlitenet.training.config import Config
from exerlitenet.training.tables import Table

# Rendered clips count less than real ones in the head's windows.
RENDERED_WEIGHT = 0.5


@dataclass(frozen=True)
class RenderedTable:
    """Table [rendered] of a configuration: how many rendered clips, how long, from which seed on."""

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
    """Rendered people with exact poses, made once for the table's values and kept in the cache."""
    from exerlitenet.synthetic.dataset import write_dataset

    table = RenderedTable.from_mapping(config.extra.get("rendered", {}))
    if table.clips == 0:
        return ()
    parent = cache_folder() / "rendered"
    folder = parent / f"{table.first_seed}-{table.clips}-{table.seconds:g}"
    if not (folder / "manifest.csv").is_file():
        # Elsewhere first: a killed run leaves no half set, and of two runs at once neither reads the other's.
        parent.mkdir(parents=True, exist_ok=True)
        seeds = range(table.first_seed, table.first_seed + table.clips)
        with TemporaryDirectory(prefix=TEMPORARY, dir=parent) as work:
            made = Path(work) / "clips"
            write_dataset(made, seeds, seconds=table.seconds, progress=Stretch(progress, "rendering people"))
            _put_in_place(made, folder)
    return read_manifest(folder, classes=config.classes, check=False).clips


def _put_in_place(made: Path, folder: Path) -> None:
    """Another run may have done the same at any moment; its clips are equal, perhaps already read, and stay."""
    try:
        made.rename(folder)
    except OSError:
        if (folder / "manifest.csv").is_file():
            return
        shutil.rmtree(folder)  # of an interrupted run of an older version
        made.rename(folder)
