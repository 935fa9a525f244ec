"""What a training run is asked to do: TOML files read into frozen dataclasses, every key and value checked.

The dataclasses are the schema: msgspec checks types and limits by their annotations, and each class checks what
depends on several of its values. A configuration is stored with the run it made, so `Config.to_toml` writes every
value, defaults included, and `load_config` of what it wrote gives the same configuration again.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import msgspec
from msgspec import Meta

from exerlitenet.datasets.augment import Ranges
from exerlitenet.errors import InputError
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.video.sequence import SequenceSpec

BACKBONES = ("MobileNetV3Small", "ResNet50", "VGG16")

Text = Annotated[str, Meta(min_length=1)]
Seed = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Dropout = Annotated[float, Meta(ge=0, lt=1)]
LearningRate = Annotated[float, Meta(gt=0, le=10)]
FinalLearningRate = Annotated[float, Meta(ge=0, le=10)]

_SHIPPED = resources.files("exerlitenet") / "configs"
_CLASS_NAME = r"^[a-z][a-z0-9_]*\Z"
_TRAINABLE = r"^(none|all|last:[1-9][0-9]*)\Z"
_BARE_STRING = re.compile(r"[A-Za-z_./~][\w./:~+-]*")
# What msgspec calls a type, in the words of a TOML file.
_WORDS = {
    f"`str` matching regex {_CLASS_NAME!r}": "a name of small letters, digits and underscores",
    f"`str` matching regex {_TRAINABLE!r}": '"none", "last:N" (N from 1) or "all"',
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "a text",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "a table",
}


@dataclass(frozen=True)
class ModelConfig:
    """The network; the defaults are the paper's (figure 4).

    kind: a model type of `training.registry`. "recurrent" is the paper's: a backbone on every frame, then LSTMs
        over the frames; "posture" is the default model's.
    pooling: how a frame's feature map becomes a vector.
    lstm, dropout: units of each LSTM, and the dropout after each.
    dense, dense_dropout: units of each ReLU layer before the softmax, and the dropout after each.
    temporal: "none" leaves the LSTMs out: the dense layers classify every frame, a sequence is the frames' mean.
    time_distributed: the paper's wrapper, which runs the backbone frame by frame, in place of one call on
        all frames of a batch. Same weights, same numbers, several times slower to train.
    """

    kind: Literal["recurrent", "posture"] = "recurrent"
    backbone: Literal["MobileNetV3Small", "ResNet50", "VGG16"] = "MobileNetV3Small"
    pooling: Literal["flatten", "average"] = "flatten"
    lstm: tuple[Count, ...] = (128, 128)
    dropout: tuple[Dropout, ...] = (0.4, 0.3)
    dense: tuple[Count, ...] = (64,)
    dense_dropout: Dropout = 0.3
    temporal: Literal["lstm", "none"] = "lstm"
    time_distributed: bool = False

    def __post_init__(self) -> None:
        if len(self.dropout) != len(self.lstm):
            raise InputError(
                f"model.dropout must be one number for each of the {len(self.lstm)} LSTMs, got {list(self.dropout)}"
            )
        if (self.temporal == "none") != (not self.lstm):
            expected = "an empty list" if self.temporal == "none" else "at least one number of units"
            raise InputError(
                f'model.lstm must be {expected}, as temporal is "{self.temporal}", got {list(self.lstm)}'
            )


@dataclass(frozen=True)
class SplitConfig:
    """How clips are divided. "group" keeps a person or source on one side; "sequence" is the paper's.

    fractions: of training, validation and test; they add up to 1.
    """

    protocol: Literal["group", "sequence"] = "group"
    fractions: tuple[Share, Share, Share] = (0.7, 0.15, 0.15)
    seed: Seed = 0

    def __post_init__(self) -> None:
        if not math.isclose(sum(self.fractions), 1, abs_tol=1e-6) or self.fractions[0] == 0:
            raise InputError(
                f"split.fractions must add up to 1, the first above 0, got {list(self.fractions)}"
            )


@dataclass(frozen=True)
class AugmentConfig(Ranges):
    """Augmented copies of the training sequences, and what may happen to a copy (see `Ranges`).

    copies: copies kept of every training sequence; 0 = no augmentation.
    """

    copies: Annotated[int, Meta(ge=0)] = 0

    @property
    def ranges(self) -> Ranges:
        """What may happen, without the number of copies."""
        return Ranges(**{entry.name: getattr(self, entry.name) for entry in fields(Ranges)})


@dataclass(frozen=True)
class PhaseConfig:
    """One stretch of training of the paper's network.

    trainable: the backbone's part that learns: "none", "last:N" layers, or "all".
    patience: epochs without a lower validation loss before the phase ends.
    batch: sequences in a step.
    """

    name: Text
    trainable: Annotated[str, Meta(pattern=_TRAINABLE)]
    learning_rate: LearningRate
    epochs: Count
    patience: Count = 5
    batch: Count = 8


@dataclass(frozen=True)
class PostureStage:
    """Some steps of the frame network at one picture size. Small pictures first cost half and teach most.

    rendered: share of frames that show rendered people.
    """

    size: Annotated[int, Meta(ge=32, multiple_of=32)]
    steps: Count
    batch: Count
    learning_rate: LearningRate
    final_learning_rate: FinalLearningRate
    rendered: Share = 0.0


@dataclass(frozen=True)
class PostureConfig:
    """Table [posture]: how the default model's frame network learns to see joints.

    unlabelled, unlabelled_poses: folders of more videos and of their poses; both empty where there are none.
    """

    stages: tuple[PostureStage, ...] = ()
    unlabelled: str = ""
    unlabelled_poses: str = ""

    def __post_init__(self) -> None:
        if bool(self.unlabelled) != bool(self.unlabelled_poses):
            raise InputError("posture.unlabelled and posture.unlabelled_poses go together; one is missing")


@dataclass(frozen=True)
class HeadConfig:
    """Table [head]: the default model's sequence head. See configs/default.toml for what each value does."""

    copies: Count = 3
    lstm: tuple[Count, Count] = (128, 128)
    dense: Count = 64
    dropout: Dropout = 0.4
    noise: Share = 0.03
    weight_decay: Share = 0.02
    none_share: Dropout = 0.45
    label_smoothing: Dropout = 0.05
    phase_delay: Annotated[int, Meta(ge=0)] = 3
    phase_weight: Annotated[float, Meta(ge=0)] = 1.0
    epochs: Count = 12
    batch: Count = 64
    windows: Count = 12
    learning_rate: LearningRate = 1e-3
    final_learning_rate: FinalLearningRate = 1e-5
    seed: Seed = 0


@dataclass(frozen=True)
class RenderedConfig:
    """Table [rendered]: how many rendered clips the default model learns from, how long, from which seed on."""

    clips: Annotated[int, Meta(ge=0)] = 0
    seconds: Annotated[float, Meta(ge=1, le=600)] = 8.0
    first_seed: Seed = 1000


@dataclass(frozen=True)
class ThresholdsConfig:
    """What makes a segment and a repetition of the model's outputs; goes with the model into its bundle."""

    segments: SegmentThresholds = field(default_factory=SegmentThresholds)
    counting: CountingThresholds = field(default_factory=CountingThresholds)


@dataclass(frozen=True)
class Config:
    """A whole training run.

    phases: in their order, of the paper's network; posture, head, rendered: of the default model.
    stride: frames (at the model's rate) between the starts of two training windows; in table [sequence].
    """

    name: Text
    classes: Annotated[tuple[Annotated[str, Meta(pattern=_CLASS_NAME)], ...], Meta(min_length=2)]
    phases: tuple[PhaseConfig, ...] = ()
    seed: Seed = 0
    sequence: SequenceSpec = field(default_factory=SequenceSpec)
    stride: Count = 15
    model: ModelConfig = field(default_factory=ModelConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    posture: PostureConfig = field(default_factory=PostureConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    rendered: RenderedConfig = field(default_factory=RenderedConfig)
    thresholds: ThresholdsConfig = field(default_factory=ThresholdsConfig)

    def __post_init__(self) -> None:
        if len(set(self.classes)) != len(self.classes):
            raise InputError(f"classes must be different names, got {list(self.classes)}")
        if self.model.kind == "posture":
            _check_posture(self)
        elif not self.phases:
            raise InputError("at least one [[phases]] table is expected, none came")

    def to_dict(self) -> dict[str, Any]:
        """Every value under the keys of the TOML file, in lists, dicts, strings, numbers and booleans."""
        tables: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(asdict(self)))
        tables["sequence"]["stride"] = tables.pop("stride")
        unused = () if self.model.kind == "posture" else ("posture", "head", "rendered")
        return {key: value for key, value in tables.items() if key not in unused}

    def to_toml(self) -> str:
        """The configuration as TOML text that `load_config` reads back unchanged."""
        import tomli_w

        return tomli_w.dumps(self.to_dict())


def _check_posture(config: Config) -> None:
    """Raises InputError for what the default model has only one way of, set to another."""
    from exerlitenet.synthetic.dataset import RESERVED_SEED

    only = {
        "model.backbone": (config.model.backbone, "MobileNetV3Small"),
        "sequence.aspect": (config.sequence.aspect, "follow"),
        "split.protocol": (config.split.protocol, "group"),
    }
    for key, (got, expected) in only.items():
        if got != expected:
            raise InputError(f'{key} must be "{expected}" where model.kind is "posture", got "{got}"')
    if config.phases:
        raise InputError('[[phases]] is not for model.kind "posture"; set posture.stages and [head] instead')
    if not config.posture.stages:
        raise InputError("posture.stages must have at least one entry, got none")
    if config.sequence.size % 32:
        raise InputError(f"sequence.size must be a multiple of 32, got {config.sequence.size}")
    delay, frames = config.head.phase_delay, config.sequence.frames
    if delay >= frames:
        raise InputError(f"head.phase_delay must be less than sequence.frames, {frames}, got {delay}")
    if config.rendered.first_seed + config.rendered.clips > RESERVED_SEED:
        raise InputError(
            f"rendered.first_seed and rendered.clips must stay below seed {RESERVED_SEED}, which the demo and the "
            f"tests use; got {config.rendered.first_seed} and {config.rendered.clips}"
        )


def load_config(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """A configuration by name ("paper", "default") or path, with `key=value` overrides applied.

    Keys are dotted (`split.protocol`, `phases.0.epochs`), values are TOML; a string that reads like nothing
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
    names = [entry.name for entry in _SHIPPED.iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def parse_config(raw: Mapping[str, Any], source: str = "configuration") -> Config:
    """Checks a dict laid out like the TOML file. Raises InputError: the key, what it takes, what came."""
    tables = dict(raw)
    _check_keys(tables, msgspec.inspect.type_info(Config), source, "")
    sequence, model = dict(tables.get("sequence", {})), dict(tables.get("model", {}))
    if "stride" in sequence or "frames" in sequence:  # windows that do not overlap, where nothing is said
        tables["stride"] = sequence.pop("stride", sequence.get("frames"))
    if model.get("temporal") == "none":
        model = {"lstm": [], "dropout": []} | model
    if model.get("kind") == "posture":  # what is not named is as shipped; earlier versions named nothing
        shipped, given = tomllib.loads(_read("default")[0])["thresholds"], tables.get("thresholds", {})
        tables["thresholds"] = {name: values | given.get(name, {}) for name, values in shipped.items()}
    try:
        return msgspec.convert(tables | {"sequence": sequence, "model": model}, Config)
    except msgspec.ValidationError as fault:
        _explain(str(fault), tables, source)
    except InputError as fault:
        raise InputError(f"{source}: {fault}") from fault


def _check_keys(raw: Any, info: msgspec.inspect.Type, source: str, path: str) -> None:
    """Raises InputError for a table in the wrong place, an unknown key, a text that is none of a few, or infinity."""
    values = raw if isinstance(raw, list) else [raw]
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise InputError(f"{source}: {path} must be finite, got {raw!r}")
    if isinstance(info, msgspec.inspect.LiteralType) and raw not in info.values:
        choices = ", ".join(f'"{value}"' for value in info.values)
        raise InputError(f"{source}: {path} must be one of {choices}, got {raw!r}")
    if isinstance(info, msgspec.inspect.VarTupleType) and isinstance(raw, list):
        for number, entry in enumerate(raw):
            _check_keys(entry, info.item_type, source, f"{path}.{number}")
    if not isinstance(info, msgspec.inspect.DataclassType):
        return
    if not isinstance(raw, Mapping):
        raise InputError(f"{source}: {path} must be a table, got {raw!r}")
    inner = {entry.encode_name: entry.type for entry in info.fields}
    if info.cls in (Config, SequenceSpec):  # the one key that is elsewhere in the file
        stride = inner.pop("stride", msgspec.inspect.AnyType())
        inner |= {"stride": stride} if info.cls is SequenceSpec else {}
    for key, value in raw.items():
        name = f"{path}.{key}" if path else key
        if key not in inner:
            near = difflib.get_close_matches(key, list(inner), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(
                f"{source}: unknown key {name}; expected one of {', '.join(sorted(inner))}{hint}"
            )
        _check_keys(value, inner[key], source, name)


def _explain(fault: str, raw: Any, source: str) -> NoReturn:
    """Raises InputError in our words for a fault of msgspec, such as "Expected `int` >= 1 - at `$.seed`"."""
    expected, _, place = fault.partition(" - at `$")
    keys = re.findall(r"[^.\[\]`]+", place)
    path = ".".join("sequence.stride" if key == "stride" else key for key in keys)
    missing = re.match(r"Object missing required field `(\w+)`", expected)
    if missing:
        raise InputError(f"{source}: {'.'.join([*keys, missing[1]])} is missing")
    got = raw
    for key in keys:
        got = got[int(key) if isinstance(got, list) else key]
    expected = expected.removeprefix("Expected ").split(", got ")[0]
    for word, plain in _WORDS.items():
        expected = expected.replace(word, plain)
    raise InputError(f"{source}: {path} must be {expected}, got {got!r}")


def _read(name_or_path: str) -> tuple[str, str]:
    """Text of the configuration and what to call it in messages."""
    names = config_names()
    if name_or_path in names:
        return (_SHIPPED / f"{name_or_path}.toml").read_text("utf-8"), name_or_path
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
        where = ".".join(parts[: depth + 1])
        at: Any = part
        if isinstance(place, list):
            if not part.isdigit() or int(part) >= len(place):
                raise InputError(
                    f"--set {where}: expected a position from 0 to {len(place) - 1}, got {part!r}"
                )
            at = int(part)
        elif not isinstance(place, dict):
            raise InputError(f"--set {where}: {'.'.join(parts[:depth])} is a value, it has no keys")
        if depth == len(parts) - 1:
            place[at] = value
        else:
            place = place[at] if isinstance(place, list) else place.setdefault(at, {})


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
