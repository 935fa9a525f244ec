"""What a training run is told: TOML files read into frozen dataclasses, every key checked.

A configuration is stored with the run it made, so `Config.to_toml` writes every value, defaults included,
and `load_config` of what it wrote gives the same configuration again.
"""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from exerlitenet.datasets.augment import Ranges
from exerlitenet.errors import InputError
from exerlitenet.training.tables import Table, plain, to_toml, tuples
from exerlitenet.video.sequence import ASPECTS, SequenceSpec

BACKBONES = ("MobileNetV3Small", "ResNet50", "VGG16")
KINDS = ("recurrent", "posture")
POOLINGS = ("flatten", "average")
TEMPORAL = ("lstm", "none")
PROTOCOLS = ("group", "sequence")
# Tables of the second model family. They are carried as they are; their own modules check them.
EXTRA_TABLES = ("posture", "head", "rendered")

_BARE_STRING = re.compile(r"[A-Za-z_./~][\w./:~+-]*")
_CLASS_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TRAINABLE = re.compile(r"none|all|last:[1-9]\d*")


@dataclass(frozen=True)
class ModelConfig:
    """The network; the defaults are the paper's (figure 4).

    kind: "recurrent" is the family of the paper: a backbone on every frame, then LSTMs over the frames.
    pooling: how a frame's feature map becomes a vector.
    lstm, dropout: units of each LSTM, and the dropout after each.
    dense, dense_dropout: units of each ReLU layer before the softmax, and the dropout after each.
    temporal: "none" leaves the LSTMs out: the dense layers judge every frame, a sequence is the frames'
        mean.
    time_distributed: the paper's wrapper, which runs the backbone frame by frame, in place of one call on
        all frames of a batch. Same weights, same numbers, several times slower to train.
    """

    kind: str = "recurrent"
    backbone: str = "MobileNetV3Small"
    pooling: str = "flatten"
    lstm: tuple[int, ...] = (128, 128)
    dropout: tuple[float, ...] = (0.4, 0.3)
    dense: tuple[int, ...] = (64,)
    dense_dropout: float = 0.3
    temporal: str = "lstm"
    time_distributed: bool = False


@dataclass(frozen=True)
class SplitConfig:
    """How clips are divided. "group" keeps a person or source on one side; "sequence" is the paper's.

    fractions: of training, validation and test; they add up to 1.
    """

    protocol: str = "group"
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)
    seed: int = 0


@dataclass(frozen=True)
class AugmentConfig:
    """Augmented copies of the training sequences.

    copies: copies kept of every training sequence; 0 = no augmentation.
    ranges: what may happen to a copy: every field of `exerlitenet.datasets.augment.Ranges`, which checks
        them. In the file they stand beside `copies`; those left out keep their defaults.
    """

    copies: int = 0
    ranges: dict[str, Any] = field(default_factory=lambda: dataclasses.asdict(Ranges()))


@dataclass(frozen=True)
class Phase:
    """One stretch of training.

    trainable: the backbone's part that learns: "none", "last:N" layers, or "all".
    patience: epochs without a lower validation loss before the phase ends.
    batch: sequences in a step.
    """

    name: str
    trainable: str
    learning_rate: float
    epochs: int
    patience: int = 5
    batch: int = 8


@dataclass(frozen=True)
class Config:
    """A whole training run.

    phases: in their order; the posture family has none, but tables of its own.
    stride: frames (at the model's rate) between the starts of two training windows.
    extra: the tables named in EXTRA_TABLES, as they were read.
    """

    name: str
    classes: tuple[str, ...]
    phases: tuple[Phase, ...]
    seed: int = 0
    sequence: SequenceSpec = field(default_factory=SequenceSpec)
    stride: int = 15
    model: ModelConfig = field(default_factory=ModelConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Every value under the keys of the TOML file, in lists, dicts, strings, numbers and booleans."""
        raw: dict[str, Any] = plain(dataclasses.asdict(self))
        stride, extra = raw.pop("stride"), raw.pop("extra")
        raw["sequence"]["stride"] = stride
        raw["augment"] = {"copies": self.augment.copies} | raw["augment"]["ranges"]
        order: tuple[str, ...] = (
            "name",
            "classes",
            "seed",
            "sequence",
            "model",
            "split",
            "augment",
            "phases",
        )
        tables: dict[str, Any] = {key: raw[key] for key in order}
        return tables | dict(extra)

    def to_toml(self) -> str:
        """The configuration as TOML text that `load_config` reads back unchanged."""
        return to_toml(self.to_dict())


def load_config(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """A configuration by name ("paper", "default") or path, with `key=value` overrides applied.

    Keys are dotted (`split.protocol`, `phases.0.epochs`), values are TOML; a string that looks like nothing
    else needs no quotes. Raises InputError for a file that cannot be read and for any unknown or unfit key.
    """
    text, source = _read(str(name_or_path))
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise InputError(f"{source} is not valid TOML: {fault}") from fault
    for override in overrides:
        _override(raw, override)
    return parse_config(raw, source)


def config_names() -> list[str]:
    """Names of the configurations that come with the package."""
    folder = resources.files("exerlitenet") / "configs"
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def parse_config(raw: Mapping[str, Any], source: str = "configuration") -> Config:
    """Checks a dict laid out like the TOML file. Raises InputError: the key, what it takes, what came."""
    top = Table(raw, source)
    name = top.string("name")
    classes = top.strings("classes", minimum=2)
    if len(set(classes)) != len(classes):
        raise top.fault("classes", "different names", list(classes))
    for label in classes:
        if not _CLASS_NAME.fullmatch(label):
            raise top.fault("classes", "names of small letters, digits and underscores", label)
    phases = tuple(_phase(table) for table in top.tables("phases"))
    kind = raw["model"].get("kind") if isinstance(raw.get("model"), dict) else None
    if not phases and kind != "posture":  # whose phases are the tables of its own
        raise InputError(f"{source}: at least one [[phases]] table is expected, none came")
    seed = top.integer("seed", 0, low=0)
    sequence, stride = _sequence(top.table("sequence"))
    model = _model(top.table("model"))
    split = _split(top.table("split"))
    augment = _augment(top.table("augment"))
    extra = {key: table for key in EXTRA_TABLES if (table := plain(top.take(key, {}, "a table", dict)))}
    top.finish(EXTRA_TABLES)
    return Config(name, classes, phases, seed, sequence, stride, model, split, augment, extra)


def _sequence(table: Table) -> tuple[SequenceSpec, int]:
    base = SequenceSpec()
    spec = SequenceSpec(
        frames=table.integer("frames", base.frames, low=1),
        rate=table.number("rate", base.rate, low=0.1, high=240),
        size=table.integer("size", base.size, low=32),
        least_frames=table.integer("least_frames", base.least_frames, low=0),
        aspect=table.string("aspect", base.aspect, ASPECTS),  # type: ignore[arg-type]
        source_short_side=table.integer("source_short_side", base.source_short_side, low=32),
    )
    stride = table.integer("stride", spec.frames, low=1)
    table.finish()
    return spec, stride


def _model(table: Table) -> ModelConfig:
    base = ModelConfig()
    temporal = table.string("temporal", base.temporal, TEMPORAL)
    model = ModelConfig(
        kind=table.string("kind", base.kind, KINDS),
        backbone=table.string("backbone", base.backbone, BACKBONES),
        pooling=table.string("pooling", base.pooling, POOLINGS),
        lstm=table.integers("lstm", base.lstm if temporal == "lstm" else (), low=1),
        dropout=table.numbers("dropout", base.dropout if temporal == "lstm" else (), low=0, below=1),
        dense=table.integers("dense", base.dense, low=1),
        dense_dropout=table.number("dense_dropout", base.dense_dropout, low=0, below=1),
        temporal=temporal,
        time_distributed=table.boolean("time_distributed", base.time_distributed),
    )
    if len(model.dropout) != len(model.lstm):
        raise table.fault(
            "dropout", f"one number for each of the {len(model.lstm)} LSTMs", list(model.dropout)
        )
    if (temporal == "none") != (not model.lstm):
        expected = (
            'an empty list, as temporal is "none"' if temporal == "none" else "at least one number of units"
        )
        raise table.fault("lstm", expected, list(model.lstm))
    table.finish()
    return model


def _split(table: Table) -> SplitConfig:
    base = SplitConfig()
    fractions = table.numbers("fractions", base.fractions, low=0, high=1)
    if len(fractions) != 3 or not math.isclose(sum(fractions), 1, abs_tol=1e-6) or fractions[0] == 0:
        expected = "three numbers (training above 0, validation, test) that add up to 1"
        raise table.fault("fractions", expected, list(fractions))
    protocol = table.string("protocol", base.protocol, PROTOCOLS)
    seed = table.integer("seed", base.seed, low=0)
    table.finish()
    return SplitConfig(protocol, (fractions[0], fractions[1], fractions[2]), seed)


def _augment(table: Table) -> AugmentConfig:
    copies = table.integer("copies", AugmentConfig().copies, low=0)
    names = [entry.name for entry in dataclasses.fields(Ranges)]
    numbers = "a number or a range [low, high]"
    values = {key: table.take(key, None, numbers, int, float, list) for key in names if key in table.raw}
    table.finish(names)
    ranges = Ranges(**{key: tuples(value) for key, value in values.items()})
    return AugmentConfig(copies, dataclasses.asdict(ranges))


def _phase(table: Table) -> Phase:
    phase = Phase(
        name=table.string("name"),
        trainable=table.string("trainable"),
        learning_rate=table.number("learning_rate", None, low=1e-12, high=10),
        epochs=table.integer("epochs", None, low=1),
        patience=table.integer("patience", 5, low=1),
        batch=table.integer("batch", 8, low=1),
    )
    if not _TRAINABLE.fullmatch(phase.trainable):
        raise table.fault("trainable", '"none", "last:N" (N from 1) or "all"', phase.trainable)
    table.finish()
    return phase


def _read(name_or_path: str) -> tuple[str, str]:
    """Text of the configuration and what to call it in messages."""
    names = config_names()
    if name_or_path in names:
        return (resources.files("exerlitenet") / "configs" / f"{name_or_path}.toml").read_text(
            "utf-8"
        ), name_or_path
    path = Path(name_or_path)
    if not path.is_file():
        raise InputError(
            f"a configuration is one of {', '.join(names)} or a TOML file, found no file {name_or_path}"
        )
    try:
        return path.read_text("utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} cannot be read as a text file in UTF-8: {fault}") from fault


def _override(raw: dict[str, Any], text: str) -> None:
    """Writes one `key=value` into the raw tables. Whether the key exists is found out by the later check."""
    key, equals, value_text = text.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise InputError(f"--set takes key=value, such as split.seed=1, got {text!r}")
    value = _override_value(key.strip(), value_text.strip())
    place: Any = raw
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        where = ".".join(parts[: depth + 1])
        if isinstance(place, list):
            if not part.isdigit() or int(part) >= len(place):
                raise InputError(
                    f"--set {where}: expected a position from 0 to {len(place) - 1}, got {part!r}"
                )
            if last:
                place[int(part)] = value
            else:
                place = place[int(part)]
        elif isinstance(place, dict):
            if last:
                place[part] = value
            else:
                place = place.setdefault(part, {})
        else:
            raise InputError(f"--set {where}: {'.'.join(parts[:depth])} is a value, it has no keys")


def _override_value(key: str, text: str) -> Any:
    try:
        values = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError as fault:
        if _BARE_STRING.fullmatch(text):
            return text
        raise InputError(f"--set {key}: expected a TOML value (texts in quotes), got {text!r}") from fault
    if set(values) != {"value"}:  # a line break in the text would start another key
        raise InputError(f"--set {key}: expected one TOML value, got {text!r}")
    return values["value"]
