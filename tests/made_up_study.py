"""Results of a study that no network was trained for: what the page and the tables are tested on."""

from __future__ import annotations

from typing import Any

from exerlitenet.reproduction import paper
from exerlitenet.reproduction.results import FORMAT, NO_WEIGHTS
from exerlitenet.reproduction.systems import SYSTEMS


def share(value: float, half: float = 0.02) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": min(1.0, value + half)}


def split_of(accuracy: float, difference: float = 0.05, best: int = 12) -> dict[str, Any]:
    scores = {key: share(accuracy) for key in ("precision", "recall", "f1")}
    evaluated = {
        "unit": "sequences",
        "classes": ["biceps_curl", "squat"],
        "confusion": [[85, 15], [8, 92]],
        "items": 200,
        "accuracy": share(accuracy),
        "balanced_accuracy": share(accuracy - 0.01),
        "positive": {"class": "biceps_curl", **scores},
    }
    seed = {"seed": 0, "epochs": best + 5, "best_epoch": best, "sequences": 200, "accuracy": accuracy}
    seed |= {"validation_at_best": 0.61, "validation_highest": 0.74}
    return {
        "sequences": evaluated,
        "clips": evaluated | {"unit": "clips", "items": 40},
        "seeds": [seed | {"clips": 40, "clip_accuracy": accuracy}],
        "last": {"balanced": share(accuracy - 0.05), "clips": share(accuracy)},
        "errors": {"biceps_curl": share(0.10), "squat": share(0.02)},
        "curls_over_squats": share(difference),
        "rest": {
            "sequences": 100,
            "errors": 30,
            "rows": [{"distance": "in the window", "sequences": 100, "error": share(0.1)}],
            "difference": share(-difference),
        },
    }


def _numbers(shape: str) -> list[int]:
    return [int(number) for number in shape.strip("()").split(", ")]


def network(name: str) -> dict[str, Any]:
    layers_of_figure_4 = {
        row.what.removeprefix("layer "): row.paper for row in paper.ROWS if row.what.startswith("layer ")
    }
    layers = [
        {"name": n, "output_shape": _numbers(shape), "parameters": int(p.replace(",", "")), "macs": 0}
        for n, (shape, p) in layers_of_figure_4.items()
        if name != "resnet50" or n != "lstm"
    ]
    if name == "vgg16":
        layers[1]["parameters"] = 14_714_688
    frame = {"paper": 54_896_576, "vgg16": 15_346_630_656, "resnet50": 3_857_973_248}[name]
    return {
        "total_parameters": 15_595_826,
        "parameters": {
            row.ours.rsplit("/", 1)[1]: row.paper for row in paper.ROWS if "/parameters/" in row.ours
        },
        "layers": layers,
        "macs": {"frame": frame, "sequence": 15 * frame},
        "flops_sequence": 30 * frame,
        "size": {
            "weights_bytes": 95_433_480 if name == "resnet50" else 62_383_304,
            "checkpoint_bytes_before": 179_636_952,
            "checkpoint_bytes_after": 182_442_840,
        },
        "frames": 15,
        "forward_s": {"value": 0.1, "low": 0.09, "high": 0.12, "repetitions": 5},
        "profiler_flops": 1_797_569_828,
    }


def made_up_results() -> dict[str, Any]:
    """Content of reproduction.json, without the rows."""
    from exerlitenet.training.config import load_config

    systems: dict[str, Any] = {
        s.name: {
            "short": s.short,
            "title": s.title,
            "learner": s.learner.name,
            "published": s.published,
            "note": None,
            "splits": {"sequence": split_of(0.99), "group": split_of(0.7)},
            "overstated": {key: share(0.29) for key in ("balanced", "sequences", "clips")},
        }
        for s in SYSTEMS
    }
    for name in ("resnet50", "vgg16"):
        systems[name] |= {"note": NO_WEIGHTS, "splits": {}}
        del systems[name]["overstated"]
    rows = [{"epoch": e, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.1, "val_accuracy": 0.9} for e in (1, 2)]
    tested = {
        "sequences": {"biceps_curl": 60, "squat": 140},
        "clips": {"biceps_curl": 18, "squat": 22},
        "groups": 25,
        "largest_group": 0.24,
        "always": {"class": "squat", "sequences": 0.7, "clips": 0.55},
    }
    return {
        "format": FORMAT,
        "quick": False,
        "tested": {"sequence": tested, "group": tested},
        "dataset": {
            "clips": 250,
            "groups": 71,
            "seconds": 2392.0,
            "sequences": 1307,
            "classes": {
                "biceps_curl": {"clips": 118, "groups": 40, "sequences": 700},
                "squat": {"clips": 132, "groups": 35, "sequences": 607},
            },
        },
        "networks": {name: network(name) for name in ("paper", "vgg16", "resnet50")},
        "systems": systems,
        "pairs": [
            {
                "split": "group",
                "first": "proposed",
                "second": control,
                "clips": 90,
                "only_first": 12,
                "only_second": 3,
                "p_value": 0.035,
                "difference": share(0.1),
                "seeds": [],
            }
            for control in ("single_frame", "shuffled", "disordered")
        ],
        "curves": [
            {
                "learner": "paper",
                "split": "sequence",
                "seed": 0,
                "phase": phase,
                "best_epoch": 2,
                "rows": rows,
                "seconds": 60.0,
            }
            for phase in ("frozen", "fine-tuned")
        ],
        "statements": {"sequence": "Random <split>.", "group": "Split by group."},
        "settings": {"seeds": [0], "splits": ["sequence", "group"], "systems": [], "overrides": []},
        "configurations": {"paper": load_config("paper").to_dict()},
        "machine": {"cpu": "CPU", "cores": 2, "system": "Linux"},
        "versions": {"keras": "3"},
    }
