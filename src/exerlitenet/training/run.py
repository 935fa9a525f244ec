"""The folder of a training run: what is in it, how it begins, and how it is opened again.

    config.toml        the whole configuration, defaults included
    run.json           marks the folder as a run: versions of the packages, first weights
    split.json         the clips, what was trained on, validated and tested, and the sentence that says how
    history.csv        one row an epoch
    best.weights.h5    the whole network at its best, as Keras saves it
    metrics.json       how good it is; written last, so a run that has it is finished
    report.html        the same as a page
    log.txt            what the run said, with times
    sequences.npz      some of the dataset's sequences, for an export to be compared on
    posture/, head/    weights of the default model's two phases

While it trains: checkpoint.npz and cache/. They go when it ends.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.datasets.clips import Clip, digest_of
from exerlitenet.datasets.manifest import Manifest, read_manifest
from exerlitenet.datasets.split import Split
from exerlitenet.errors import InputError
from exerlitenet.files import TEMPORARY, make_folder, write_atomically
from exerlitenet.progress import Progress
from exerlitenet.training.config import Config, load_config
from exerlitenet.training.keras import load_weights

if TYPE_CHECKING:
    import keras

MARKER = "run.json"
FORMAT = 1
COLUMNS = ("phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds")
# What a run's results may depend on, where installed.
PACKAGES = ("exerlitenet", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy", "pillow", "av")


@dataclass(frozen=True)
class RunClip:
    """A clip as a run remembers it. digest: sha256 of its content."""

    name: str
    label: str
    group: str
    digest: str

    @classmethod
    def of(cls, clip: Clip) -> RunClip:
        return cls(clip.name or clip.path.name, clip.label, clip.group, clip.digest)


@dataclass(frozen=True)
class RunSplit:
    """What a run was trained, validated and tested on.

    split: its items are `clips` for the protocol "group" and `sequences` for "sequence".
    sequences: (clip, first tick) of every sequence that was cut; may be empty for the protocol "group".
    """

    split: Split
    clips: tuple[RunClip, ...]
    sequences: tuple[tuple[int, int], ...] = ()

    def sequences_of(self, part: str) -> tuple[int, ...]:
        """Rising indices into `sequences`."""
        items = self.split.parts[part]
        if self.split.protocol == "sequence":
            return items
        members = set(items)
        return tuple(i for i, (clip, _) in enumerate(self.sequences) if clip in members)

    def clips_of(self, part: str) -> tuple[int, ...]:
        """Rising indices into `clips`: those of which anything is in the part."""
        items = self.split.parts[part]
        if self.split.protocol == "group":
            return items
        return tuple(sorted({self.sequences[i][0] for i in items}))

    @property
    def train_groups(self) -> list[str]:
        return sorted({self.clips[i].group for i in self.clips_of("train")})

    def digests(self, part: str) -> list[str]:
        """sha256 of the content of `clips_of` the part, each once, in order."""
        return sorted({self.clips[i].digest for i in self.clips_of(part)})

    def to_json(self) -> dict[str, Any]:
        return self.split.to_json() | {
            "clips": [vars(clip) for clip in self.clips],
            "sequences": [list(sequence) for sequence in self.sequences],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSplit:
        """What `to_json` wrote. Raises InputError for anything else."""
        split = Split.from_json(data)
        try:
            clips = tuple(RunClip(**clip) for clip in data["clips"])
            sequences = tuple((int(clip), int(start)) for clip, start in data["sequences"])
        except (KeyError, TypeError, ValueError) as fault:
            raise InputError(f"expected the split of a training run, got a fault in it: {fault}") from fault
        items = len(clips) if split.protocol == "group" else len(sequences)
        if any(not 0 <= i < items for part in split.parts.values() for i in part):
            raise InputError(f"the split names items beyond its {items} {split.protocol}s")
        return cls(split, clips, sequences)


@dataclass(frozen=True)
class Run:
    """A training run on disk, of any model type.

    facts: content of run.json. Files of the module's list are found by the properties below.
    """

    folder: Path
    config: Config
    facts: Mapping[str, Any]

    @classmethod
    def create(
        cls, out: Path, config: Config, *, weights: str | Path | None = None, resume: bool = False
    ) -> Run:
        """A new run in `out`; with `resume` the one that is there, if there is one.

        weights: what the backbone starts from; remembered as "none", "imagenet" or a file's digest.
        Raises InputError when `out` holds anything and `resume` is not set, when it holds something that is
        no run, and when the run there has another configuration or other first weights.
        """
        first_weights = _describe_weights(weights)
        if out.exists() and not out.is_dir():
            raise InputError(f"expected a folder for the run, but {out} is a file; name another")
        files = out.iterdir() if out.exists() else ()
        there = {path.name for path in files if not path.name.startswith(TEMPORARY)}
        if there and not resume:
            raise InputError(f"{out} is not empty; name another folder, or continue a run by --resume")
        # A run killed while it was being made has no marker yet; nothing is lost by beginning again.
        if there - {"config.toml"}:
            run = cls.open(out)
            run._check_same(config, first_weights)
            run.remove_temporary_files()
            return run
        make_folder(out)
        facts: dict[str, Any] = {"format": FORMAT, "kind": config.model.kind, "weights": first_weights}
        facts["versions"] = _versions()
        write_atomically(out / "config.toml", config.to_toml())
        write_atomically(out / MARKER, json.dumps(facts, indent=1) + "\n")
        return cls(out, config, facts)

    @classmethod
    def open(cls, out: Path) -> Run:
        """The run in a folder. Raises InputError when it is none."""
        marker = out / MARKER
        if not marker.is_file():
            raise InputError(f"expected the folder of a training run, but {out} holds no {MARKER}")
        facts = _read_json(marker)
        if not isinstance(facts, dict) or facts.get("format") != FORMAT:
            raise InputError(f"{marker} is of no known format; expected format {FORMAT}")
        return cls(out, load_config(out / "config.toml"), facts)

    @property
    def best_weights(self) -> Path:
        return self.folder / "best.weights.h5"

    def load_best(self, network: keras.Model) -> None:
        """Sets the best weights. Raises InputError when there are none yet, or another network's."""
        if not self.best_weights.is_file():
            raise InputError(f"{self.folder} has no trained weights yet; train it with --resume")
        load_weights(network, self.best_weights, "the run's network")

    @property
    def metrics_file(self) -> Path:
        return self.folder / "metrics.json"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.npz"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def finished(self) -> bool:
        return self.metrics_file.is_file()

    @property
    def split(self) -> RunSplit:
        """Raises InputError when the run was killed before it had one."""
        return RunSplit.from_json(_read_json(self.folder / "split.json"))

    def keep_split(self, split: RunSplit, dataset: Path) -> None:
        """Writes the split of a new run; that of a resumed one must be the same, or InputError names the dataset."""
        if not (self.folder / "split.json").is_file():
            write_atomically(self.folder / "split.json", json.dumps(split.to_json()) + "\n")
        elif self.split != split:
            raise InputError(
                f"{self.folder} was begun with other clips than {dataset} now holds, or with other --folds; give the "
                "same, or begin anew in another folder"
            )

    @property
    def metrics(self) -> dict[str, Any]:
        """Raises InputError when the run is not finished."""
        return dict(_read_json(self.metrics_file))

    def write_metrics(self, metrics: Mapping[str, Any], page: str) -> None:
        """Ends the run. page: of its report, as HTML."""
        write_atomically(self.folder / "report.html", page)
        write_atomically(self.metrics_file, json.dumps(metrics, indent=1) + "\n")

    @property
    def history(self) -> list[dict[str, Any]]:
        """Rows of history.csv, numbers as numbers; none when no epoch was completed."""
        path = self.folder / "history.csv"
        if not path.is_file():
            return []
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""))
        return [{key: _number(value) for key, value in row.items()} for row in rows]

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        text = io.StringIO(newline="")
        columns = [name for name in COLUMNS if any(name in row for row in rows)]
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.folder / "history.csv", text.getvalue())

    def log(self, line: str) -> None:
        """Adds a line to log.txt."""
        with (self.folder / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")

    def provenance(self) -> dict[str, Any]:
        """Where the model comes from, for its bundle: no paths, no machine.

        dataset: sha256 of every clip; train_digests, train_groups: those that were trained on; seconds: spent
        on epochs.
        """
        split = self.split
        return {
            "name": self.config.name,
            "seed": self.config.seed,
            "config": self.config.to_dict(),
            "split": split.split.statement,
            "dataset": [clip.digest for clip in split.clips],
            "train_groups": split.train_groups,
            "train_digests": split.digests("train"),
            "first_weights": self.facts["weights"],
            "versions": dict(self.facts["versions"]),
            "seconds": round(sum(float(row.get("seconds") or 0) for row in self.history), 1),
        }

    @contextmanager
    def training(self) -> Iterator[None]:
        """Around a training: what only an unfinished run needs goes at its end, and a run that ends with an
        InputError before it has learned anything leaves nothing.
        """
        try:
            yield
        except InputError:
            if not any(self.folder.rglob("*.weights.h5")) and not any(self.folder.rglob("*checkpoint.npz")):
                self.discard()
            raise
        self.finish()

    def remove_temporary_files(self) -> None:
        """What a killed program left half-written."""
        for path in self.folder.rglob(f"{TEMPORARY}*"):
            path.unlink()

    def finish(self) -> None:
        """Removes what only an unfinished run needs."""
        self.checkpoint.unlink(missing_ok=True)
        shutil.rmtree(self.cache, ignore_errors=True)
        self.remove_temporary_files()

    def discard(self) -> None:
        """Takes back `create`: removes the run's own files, and the folder when nothing else is in it."""
        self.finish()
        shutil.rmtree(self.folder / "posture", ignore_errors=True)
        for name in ("config.toml", MARKER, "split.json", "log.txt"):
            (self.folder / name).unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _check_same(self, config: Config, weights: str) -> None:
        different = _first_difference(self.config.to_dict(), config.to_dict())
        if different:
            raise InputError(
                f"{self.folder} was begun with another configuration: {different}; give the same one, or "
                "another folder"
            )
        if weights != self.facts["weights"]:
            raise InputError(
                f"{self.folder} was begun with weights {self.facts['weights']}, got {weights}; give the same "
                "ones, or another folder"
            )


def read_clips(dataset: Path, config: Config, progress: Progress) -> Manifest:
    """A dataset's usable clips; says what is not used. Raises InputError when a class has none."""
    manifest = read_manifest(
        dataset, classes=config.classes, on_progress=partial(progress.step, "reading the clips")
    )
    for fault in manifest.faults:
        progress.say(f"not used: {fault.file}: {fault.problem}")
    if manifest.left_out:
        shown = ", ".join(f"{name} {count}" for name, count in manifest.left_out.items())
        progress.say(f"not used, since their classes were not asked for: {shown}")
    missing = [name for name in config.classes if all(clip.label != name for clip in manifest.clips)]
    if missing:
        raise InputError(
            f"{dataset} has no clips of class {missing[0]}; add some, or set classes to those it has"
        )
    return manifest


def _describe_weights(weights: str | Path | None) -> str:
    if weights is None or str(weights) in ("none", "imagenet"):
        return str(weights or "none")
    path = Path(weights)
    if not path.is_file():
        raise InputError(f'weights must be "imagenet", "none" or a .weights.h5 file, found no file {path}')
    return f"sha256:{digest_of(path)}"


def _versions() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as fault:
        raise InputError(f"{path} is missing; train the run to its end with --resume") from fault
    except (OSError, ValueError) as fault:
        raise InputError(f"{path} cannot be read as JSON: {fault}") from fault


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _first_difference(old: Any, new: Any, where: str = "") -> str | None:
    """The first key at which two configurations differ, with both values."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs = [(str(key), old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new])]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(str(i), a, b) for i, (a, b) in enumerate(zip(old, new, strict=True))]
    else:
        return None if old == new else f"{where} was {old!r}, got {new!r}"
    found = (_first_difference(a, b, f"{where}.{key}" if where else key) for key, a, b in pairs)
    return next((difference for difference in found if difference), None)
