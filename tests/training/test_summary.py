"""What `exerlitenet model` tells of a configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from exerlitenet.training.config import load_config, parse_config
from exerlitenet.training.networks.operations import CONVENTION
from exerlitenet.training.registry import describe_model
from exerlitenet.training.summary import ModelDescription, describe_network
from tiny_posture import tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def paper() -> ModelDescription:
    return describe_model(load_config("paper"))


def test_the_papers_figures(paper: ModelDescription) -> None:
    found = paper.to_json()
    assert json.loads(json.dumps(found)) == found
    layers = found.pop("layers")
    assert found == {
        "name": "paper",
        "total_parameters": 15_595_826,
        "trainable_parameters_before": 14_656_706,
        "trainable_parameters_after": 15_007_442,
        "parameters": {
            "total": 15_595_826,
            "trainable_before": 14_656_706,
            "trainable_after": 15_007_442,
            "non_trainable_before": 939_120,
            "non_trainable_after": 588_384,
        },
        "macs": {"frame": 54_896_576, "sequence": 1_043_166_400},
        "flops_sequence": 2_086_332_800,
        "convention": CONVENTION,
        "size": {
            "weights_bytes": 62_383_304,
            "checkpoint_bytes_before": 179_636_952,
            "checkpoint_bytes_after": 182_442_840,
        },
    }
    assert [(row["name"], row["output_shape"], row["parameters"]) for row in layers] == [
        ("input_layer_1", [15, 224, 224, 3], 0),
        ("time_distributed", [15, 7, 7, 576], 939_120),
        ("time_distributed_1", [15, 28224], 0),
        ("lstm", [15, 128], 14_516_736),
        ("dropout", [15, 128], 0),
        ("lstm_1", [128], 131_584),
        ("dropout_1", [128], 0),
        ("dense", [64], 8_256),
        ("dropout_2", [64], 0),
        ("dense_1", [2], 130),
    ]
    assert sum(row["macs"] for row in layers) == 1_043_166_400
    assert {row["name"]: row["type"] for row in layers}["lstm"] == "ProjectedLSTM"


def small(**changes: Any) -> Any:
    tables = {
        "name": "small",
        "classes": ["a", "b"],
        "sequence": {"frames": 2, "size": 32},
        "phases": [{"name": "only", "trainable": "none", "learning_rate": 1e-3, "epochs": 1}],
    }
    return parse_config(tables | changes)


def test_one_phase_is_first_and_last() -> None:
    found = describe_model(small(model={"lstm": [4], "dropout": [0.0], "dense": []}))
    assert found.phases == ("only", "only")
    assert found.before == found.after
    assert found.before.non_trainable == 939_120


def test_a_baseline_without_lstms() -> None:
    found = describe_model(
        small(model={"temporal": "none", "pooling": "average", "dense": [128, 64]})
    ).to_json()
    assert found["total_parameters"] == 939_120 + 576 * 128 + 128 + 128 * 64 + 64 + 64 * 2 + 2
    assert found["layers"][-1]["name"] == "mean_of_frames"


def test_a_network_of_another_family_plugs_in() -> None:
    pixels = keras.Input((8, 8, 3))
    frame = keras.Model(pixels, keras.layers.Conv2D(2, 8)(pixels))
    video = keras.Input((2, 8, 8, 3))
    maps = keras.layers.TimeDistributed(frame)(video)
    full = keras.Model(video, keras.layers.Dense(2)(keras.layers.Flatten()(maps)))
    asked: list[str] = []
    config = replace(
        small(), phases=(*small().phases, replace(small().phases[0], name="second", trainable="all"))
    )
    network = SimpleNamespace(full=full, backbone=frame)
    found = describe_network(config, network, asked.append)
    assert asked == ["none", "all"]
    assert found.phases == ("only", "second")
    assert (found.frame.macs, found.sequence.macs) == (8 * 8 * 3 * 2, 2 * 8 * 8 * 3 * 2 + 4 * 2)
    network.phases = ()
    without = describe_network(tiny_config(), network, asked.append)
    assert len(asked) == 2
    assert without.before.total == full.count_params()
