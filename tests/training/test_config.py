"""Configurations: the paper's values, every key checked, overrides, and storing one with its run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exerlitenet.errors import InputError
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.training.config import Config, PhaseConfig, config_names, load_config, parse_config
from exerlitenet.video.sequence import SequenceSpec

MINIMAL: dict[str, Any] = {
    "name": "small",
    "classes": ["squat", "biceps_curl"],
    "phases": [{"name": "only", "trainable": "none", "learning_rate": 1e-3, "epochs": 2}],
}


STAGE = {"size": 64, "steps": 2, "batch": 4, "learning_rate": 1e-3, "final_learning_rate": 1e-4}


def raw(**changes: Any) -> dict[str, Any]:
    return MINIMAL | changes


def test_paper_has_the_values_of_table_1_and_figure_4() -> None:
    config = load_config("paper")
    assert config.sequence == SequenceSpec(frames=15, rate=7.5, size=224, aspect="squash")
    assert config.stride == 15
    assert set(config.classes) == {"squat", "biceps_curl"}
    assert config.model.backbone == "MobileNetV3Small"
    assert (config.model.lstm, config.model.dropout) == ((128, 128), (0.4, 0.3))
    assert (config.model.dense, config.model.dense_dropout) == ((64,), 0.3)
    assert [(p.trainable, p.learning_rate, p.patience, p.batch) for p in config.phases] == [
        ("none", 1e-4, 5, 8),
        ("last:20", 1e-5, 5, 8),
    ]
    assert config.split.protocol == "sequence"
    assert config.split.fractions == (0.7, 0.15, 0.15)
    assert config.augment.copies == 2
    happens = config.augment.ranges
    assert min(happens.flip_chance, happens.blur_chance, happens.motion_blur_chance) > 0
    assert happens.brightness[0] < 1 < happens.brightness[1]
    assert happens.contrast[0] < 1 < happens.contrast[1]
    assert (happens.speed, happens.rotate_degrees) == ((1, 1), 0)  # nothing that the paper does not name


def test_every_shipped_configuration_loads() -> None:
    assert "paper" in config_names()
    for name in config_names():
        assert load_config(name).name == name


def test_defaults_fill_what_a_file_leaves_out() -> None:
    config = parse_config(raw(sequence={"frames": 20}))
    assert config.stride == 20  # windows that do not overlap
    assert config.model.kind == "recurrent"
    assert config.split.protocol == "group"
    assert config.augment.copies == 0
    assert config.phases[0] == PhaseConfig("only", "none", 1e-3, 2, patience=5, batch=8)


def test_without_lstms_no_units_and_no_dropout_are_expected() -> None:
    model = parse_config(raw(model={"temporal": "none", "dense": [128, 64]})).model
    assert (model.lstm, model.dropout, model.dense) == ((), (), (128, 64))


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"clases": []}, ["unknown key clases", "did you mean classes?"]),
        ({"split": {"protocl": "group"}}, ["unknown key split.protocl", "did you mean protocol?"]),
        ({"augment": {"flip": 1.0}}, ["unknown key augment.flip", "flip_chance"]),
        ({"augment": {"flip_chance": 2}}, ["augment.flip_chance", "2"]),
        ({"augment": {"brightness": [1.2, 0.8]}}, ["augment.brightness", "1.2"]),
        ({"augment": {"flip_chance": "often"}}, ["augment.flip_chance", "'often'"]),
        ({"augment": {"copies": -1}}, ["augment.copies", "whole number >= 0", "-1"]),
        ({"name": 3}, ["name must be a text", "3"]),
        ({"name": ""}, ["name must be"]),
        ({"seed": 1.5}, ["seed", "whole number", "1.5"]),
        ({"seed": True}, ["seed", "True"]),
        ({"classes": ["squat"]}, ["classes", ">= 2", "['squat']"]),
        ({"classes": ["squat", "squat"]}, ["classes", "different names"]),
        ({"classes": ["squat", "Biceps Curl"]}, ["classes", "small letters", "Biceps Curl"]),
        ({"sequence": {"frames": 0}}, ["frames=0", "at least 1"]),
        ({"sequence": {"rate": 0}}, ["rate=0", "0.1 to 240"]),
        ({"sequence": {"rate": 1000}}, ["rate=1000", "0.1 to 240"]),
        ({"sequence": {"source_short_side": 4}}, ["source_short_side=4", "32"]),
        ({"sequence": {"rate": float("nan")}}, ["sequence.rate", "finite"]),
        ({"augment": {"shift": float("inf")}}, ["augment.shift", "finite"]),
        ({"augment": {"zoom": [1.0, float("inf")]}}, ["augment.zoom", "finite"]),
        ({"head": {"phase_weight": float("inf")}}, ["head.phase_weight", "finite"]),
        ({"classes": ["squat", "none\n"]}, ["classes.1", "small letters"]),
        ({"sequence": {"size": 16}}, ["size=16", "32"]),
        ({"sequence": {"least_frames": -1}}, ["least_frames=-1", "from 0"]),
        ({"sequence": {"frames": 6, "least_frames": 7}}, ["least_frames", "from 0 to frames, 6", "7"]),
        ({"sequence": {"aspect": "crop"}}, ["sequence.aspect", '"follow", "pad", "squash"', "'crop'"]),
        ({"sequence": []}, ["sequence must be a table"]),
        ({"model": {"backbone": "VGG19"}}, ["model.backbone", "VGG16", "'VGG19'"]),
        ({"model": {"lstm": [128, 0]}}, ["model.lstm.1", "whole number >= 1", "got 0"]),
        ({"model": {"lstm": [64]}}, ["model.dropout", "each of the 1 LSTMs"]),
        ({"model": {"dropout": [0.4, 1.0]}}, ["model.dropout.1", "< 1"]),
        ({"model": {"lstm": [], "dropout": []}}, ["model.lstm", "at least one"]),
        ({"model": {"temporal": "none", "lstm": [8], "dropout": [0.1]}}, ["model.lstm", "empty list"]),
        ({"model": {"time_distributed": 1}}, ["model.time_distributed", "true or false"]),
        ({"split": {"fractions": [0.7, 0.2, 0.2]}}, ["split.fractions", "add up to 1"]),
        ({"split": {"fractions": [0.5, 0.5]}}, ["split.fractions", "length 3"]),
        ({"phases": []}, ["at least one [[phases]]"]),
        ({"phases": {"name": "x"}}, ["phases must be a list"]),
        ({"posture": 1}, ["posture must be a table"]),
        ({"thresholds": {"segments": {"entr": 0.5}}}, ["unknown key thresholds.segments.entr", "enter?"]),
        ({"thresholds": {"segments": {"enter": 2.0}}}, ["enter", "2.0"]),
        ({"head": {"epoch": 3}}, ["unknown key head.epoch", "did you mean epochs?"]),
        ({"head": {"lstm": [128]}}, ["head.lstm", "length 2", "[128]"]),
        ({"head": {"copies": 0}}, ["head.copies", "whole number >= 1", "got 0"]),
        ({"head": {"dropout": 1.0}}, ["head.dropout", "< 1"]),
        ({"head": {"epochs": "many"}}, ["head.epochs", "whole number", "'many'"]),
        ({"posture": {"stages": [STAGE | {"stepz": 3}]}}, ["unknown key posture.stages.0.stepz", "steps?"]),
        ({"posture": {"stages": [STAGE | {"size": 40}]}}, ["posture.stages.0.size", "32", "40"]),
        ({"posture": {"stages": [STAGE | {"batch": "8"}]}}, ["posture.stages.0.batch", "whole number"]),
        ({"posture": {"stages": [STAGE | {"rendered": 1.5}]}}, ["posture.stages.0.rendered", "<= 1"]),
        ({"posture": {"stages": [{"size": 64}]}}, ["posture.stages.0.steps is missing"]),
        ({"posture": {"unlabelled": "x"}}, ["posture.unlabelled", "go together"]),
        ({"rendered": {"clip": 2}}, ["unknown key rendered.clip", "clips?"]),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_was_expected(
    changes: dict[str, Any], parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        parse_config(raw(**changes), "my.toml")
    for part in ("my.toml", *parts):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("trainable", "last", "last:N"),
        ("trainable", "last:0", "last:N"),
        ("learning_rate", 0, "learning_rate"),
        ("epochs", 0, "phases.0.epochs"),
        ("patience", "five", "phases.0.patience"),
        ("momentum", 0.9, "unknown key phases.0.momentum"),
    ],
)
def test_a_wrong_phase_is_named_by_its_place(key: str, value: object, part: str) -> None:
    with pytest.raises(InputError, match=r"phases\.0\.") as caught:
        parse_config(raw(phases=[MINIMAL["phases"][0] | {key: value}]))
    assert part in str(caught.value)


@pytest.mark.parametrize("key", ["name", "classes"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(InputError, match=f"{key} is missing"):
        parse_config({k: v for k, v in MINIMAL.items() if k != key})


def test_overrides_reach_every_depth_and_keep_their_types() -> None:
    config = load_config(
        "paper",
        [
            'classes=["squat","biceps_curl","none"]',
            "split.protocol=group",
            "split.seed = 7",
            "phases.1.trainable=last:5",
            "phases.0.epochs=3",
            "model.time_distributed=true",
            "augment.brightness=[0.5, 1.5]",
            "thresholds.counting.rise=0.4",
        ],
    )
    assert config.classes == ("squat", "biceps_curl", "none")
    assert (config.split.protocol, config.split.seed) == ("group", 7)
    assert (config.phases[1].trainable, config.phases[0].epochs) == ("last:5", 3)
    assert config.model.time_distributed is True
    assert config.augment.brightness == (0.5, 1.5)
    assert config.thresholds.counting.rise == 0.4
    untouched = load_config("paper")
    assert config.sequence == untouched.sequence
    assert config.phases[1].epochs == untouched.phases[1].epochs


def test_later_overrides_win() -> None:
    assert load_config("paper", ["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("seed", "key=value"),
        ("=3", "key=value"),
        ("split..seed=3", "key=value"),
        ("phases.2.epochs=3", "0 to 1"),
        ("phases.first.epochs=3", "0 to 1"),
        ("name.first=3", "name is a value"),
        ("classes=squat,biceps_curl", "TOML value"),
        ("classes=[squat]", "TOML value"),
        ("seed=1\nname='x'", "one TOML value"),
        ("sed=1", "unknown key sed"),
    ],
)
def test_an_override_that_cannot_be_used_says_why(override: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        load_config("paper", [override])
    assert part in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"one of .*paper.* or a TOML file"):
        load_config(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(InputError, match=r"broken\.toml is not valid TOML"):
        load_config(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load_config(broken)


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("model.backbone=VGG16", 'model.backbone must be "MobileNetV3Small"'),
        ("sequence.aspect=squash", 'sequence.aspect must be "follow"'),
        ("split.protocol=sequence", 'split.protocol must be "group"'),
        ("sequence.size=48", "sequence.size must be a multiple of 32, got 48"),
        ("head.phase_delay=30", "phase_delay must be less than sequence.frames, 30, got 30"),
        ("posture.stages=[]", "posture.stages must have at least one entry"),
        ('phases=[{name="p", trainable="all", learning_rate=1.0, epochs=1}]', "[[phases]] is not for"),
    ],
)
def test_what_the_default_model_cannot_follow_is_said(override: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        load_config("default", [override])
    assert part in str(caught.value)


def test_a_run_of_an_earlier_version_has_the_thresholds_of_its_time() -> None:
    """They were constants then, and the shipped configuration has kept them."""
    default = load_config("default")
    tables = default.to_dict()
    del tables["thresholds"]
    assert parse_config(tables) == default
    assert default.thresholds.segments != SegmentThresholds()
    assert load_config("paper").thresholds.segments == SegmentThresholds()


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_config("paper").seed = 3  # type: ignore[misc]


def stored(config: Config, tmp_path: Path) -> Config:
    path = tmp_path / "stored.toml"
    path.write_text(config.to_toml(), encoding="utf-8")
    return load_config(path)


def test_a_stored_configuration_reads_back_the_same(tmp_path: Path) -> None:
    for name in config_names():
        config = load_config(name, ["seed=3"])
        assert stored(config, tmp_path) == config


def test_every_value_is_stored_defaults_included() -> None:
    tables = parse_config(MINIMAL).to_dict()
    assert tables["sequence"]["stride"] == 15
    assert tables["augment"]["copies"] == 0
    assert tables["augment"]["flip_chance"] == 0.5
    assert tables["model"]["lstm"] == [128, 128]
    assert tables["phases"][0]["patience"] == 5


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {
            "name": st.text(min_size=1),
            "classes": st.lists(
                st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True), min_size=2, max_size=4, unique=True
            ),
            "seed": st.integers(0, 2**40),
            "phases": st.lists(
                st.fixed_dictionaries(
                    {
                        "name": st.text(min_size=1),
                        "trainable": st.sampled_from(["none", "all", "last:20"]),
                        "learning_rate": st.floats(1e-8, 1),
                        "epochs": st.integers(1, 10**6),
                    }
                ),
                min_size=1,
                max_size=3,
            ),
        }
    )
)
def test_any_valid_configuration_survives_storing(
    tmp_path_factory: pytest.TempPathFactory, tables: Any
) -> None:
    config = parse_config(tables)
    assert stored(config, tmp_path_factory.mktemp("config")) == config


def test_thresholds_that_are_not_named_are_as_shipped() -> None:
    shipped = load_config("default").thresholds
    found = load_config("default", ["thresholds.segments.enter=0.8"]).thresholds
    assert found.segments == dataclasses.replace(shipped.segments, enter=0.8)
    assert found.counting == shipped.counting
    raw = load_config("default").to_dict()
    raw["thresholds"] = {"segments": {"enter": 0.8}}
    assert parse_config(raw).thresholds == found
    del raw["thresholds"]
    assert parse_config(raw).thresholds == shipped
