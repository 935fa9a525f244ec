"""Each row of the paper beside ours: reached, not reached and why, or not to be had.

The rows are data (paper.toml); here are the facts of a study that they are compared with, and the rules by which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from exerlitenet.evaluation.metrics import Interval, with_intervals
from exerlitenet.pages.text import points
from exerlitenet.reproduction.paper import (
    KINDS,
    NOT_PUBLISHED,
    ROWS,
    VGG16_TOP,
    Kind,
    PaperRow,
)
from exerlitenet.reproduction.results import NOT_RUN
from exerlitenet.reproduction.systems import SPLIT_NAMES

Verdict = Literal["reached", "not reached", "not to be had"]
Facts = Mapping[str, Any]
"""Content of reproduction.json, and what `facts_of` works out from it."""

QUICK = "quick study: no accuracy"
QUICK_KINDS: tuple[Kind, ...] = ("accuracy", "training", "explanation")

TOLERANCE = 0.02
# Beyond this share a frozen network has learned the clips themselves.
BY_HEART = 0.97
# With fewer errors than this nothing is said of where they are.
LEAST_ERRORS = 20


@dataclass(frozen=True)
class VerdictRow:
    """where: table or figure. ours, paper: as shown. why: one line, empty where nothing needs saying."""

    kind: Kind
    where: str
    what: str
    paper: str
    ours: str
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True)
class Explanation:
    """difference: what the paper says is above 0. errors: wrong sequences that it is computed from, where it is."""

    difference: Interval
    errors: int | None = None

    def __str__(self) -> str:
        return points(self.difference)


RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "at least": lambda ours, paper: ours >= paper,
    "at most": lambda ours, paper: ours <= paper,
    "near": lambda ours, paper: abs(ours / paper - 1) <= TOLERANCE,
    "same": lambda ours, paper: bool(ours == paper),
    "always": lambda ours, paper: True,
}
"""For single figures; all of a list must meet them. Beside these "among": the paper's figure is one of ours; "above 0":
an `Explanation`; "none": it cannot be decided.
"""


def verdicts(results: Mapping[str, Any]) -> list[VerdictRow]:
    """All rows, those of accuracy first. results: content of reproduction.json without the rows."""
    facts = facts_of(with_intervals(results))
    return [_row(row, facts) for row in ROWS]


def tally(rows: Sequence[Mapping[str, str]]) -> list[tuple[str, int, int, int, int]]:
    """Of each kind: its name, rows, and how many of them are reached, not reached and not to be had."""
    out = []
    for kind, name in KINDS.items():
        found = [row["verdict"] for row in rows if row["kind"] == kind]
        reached, missed, unknown = (found.count(verdict) for verdict in get_args(Verdict))
        out.append((name, len(found), reached, missed, unknown))
    return out


def _row(row: PaperRow, facts: Facts) -> VerdictRow:
    ours = _find(facts, row.ours.split("/")) if row.ours else None
    if row.rule == "same" and "*" in row.ours and ours is not None:
        ours = sorted(set(ours))
    shown = "-" if ours is None else row.shown(ours, row.our_form)
    verdict, why = _verdict(row, ours, facts)
    return VerdictRow(
        row.kind, row.where, row.what, row.shown(row.paper), shown, verdict, why.format_map(facts)
    )


def _verdict(row: PaperRow, ours: Any, facts: Facts) -> tuple[Verdict, str]:
    if row.rule == "none":
        return "not to be had", row.missed
    if ours is None:
        return "not to be had", facts["systems"].get(row.system, {}).get("note") or NOT_RUN
    if isinstance(ours, Explanation) and ours.difference.value is None:
        return "not to be had", "nothing to compare on these clips"
    if facts["quick"] and row.kind in QUICK_KINDS:
        return "not to be had", QUICK
    if isinstance(ours, Explanation):
        return _explained(ours)
    if row.rule == "among":
        reached = row.paper in ours
    else:
        mine = [_number(value) for value in ours] if isinstance(ours, list) else [_number(ours)]
        theirs = row.paper if isinstance(row.paper, list) else [row.paper] * len(mine)
        reached = len(mine) == len(theirs) and all(map(RULES[row.rule], mine, theirs))
    if reached:
        return "reached", row.why
    near = f"another network or input; ours is: {row.why}"
    return "not reached", near if row.rule == "near" else row.missed


def _number(value: Any) -> Any:
    """A share in per cent as the paper prints it; anything else as it is."""
    return round(100 * (value.value or 0.0), 2) if isinstance(value, Interval) else value


def _explained(ours: Explanation) -> tuple[Verdict, str]:
    low, high = ours.difference.low, ours.difference.high
    if ours.errors is not None and ours.errors < LEAST_ERRORS:
        return "not to be had", f"{ours.errors} errors in all: too few to say where they lie"
    if low is None or high is None:
        return "not reached", "too few groups for an interval"
    if low > 0:
        return "reached", "the interval lies above 0"
    if high < 0:
        return "not reached", "here it is the other way round"
    return "not reached", "the interval holds 0: no difference shown, nor that there is none"


def _find(data: Any, keys: Sequence[str]) -> Any:
    """What is at the end of a path; an interval as such, None where a step is missing."""
    for place, key in enumerate(keys):
        if key == "*":
            found = [_find(member, keys[place + 1 :]) for member in data]
            return [value for value in found if value is not None] or None
        data = data[int(key)] if isinstance(data, list) else data.get(key)
        if data is None:
            return None
    return None if isinstance(data, Interval) and data.value is None else data


def facts_of(results: Mapping[str, Any]) -> Facts:
    """The results, and what the rows of the paper need beyond them."""
    systems, networks = results["systems"], results["networks"]
    config, network = results["configurations"].get("paper"), networks.get("paper")
    shares: dict[str, float] = {
        name: split["sequences"]["accuracy"].value
        for name in ("proposed", "frozen")
        if (split := systems.get(name, {}).get("splits", {}).get("sequence"))
    }
    gain = 100 * (shares["proposed"] - shares["frozen"]) if len(shares) == 2 else None
    by_heart = f"the frozen network has {100 * shares.get('frozen', 0):.1f} % already: it knows the clips"
    layers = {layer["name"]: layer for layer in network["layers"]} if network else {}
    named = [row.ours.split("/")[1] for row in ROWS if row.ours.startswith("layers/")] if network else []
    return {
        **results,
        "new": {name: _new_people(results, system) for name, system in systems.items()},
        "missed": {name: _missed(system) for name, system in systems.items()},
        "gain": gain,
        "gain_missed": by_heart if shares.get("frozen", 0) >= BY_HEART else NOT_PUBLISHED,
        "curves": _curves(results["curves"]),
        "settings": _settings(config) if config else None,
        "setting_missed": QUICK if results["quick"] else "changed by a setting of this study",
        "layers": {name: layer_of(layers[name]) if name in layers else ["-"] for name in named},
        "costs": {name: _costs(networks.get(name)) for name in ("paper", "vgg16", "resnet50")},
        "data": _data(results),
        "explanations": _explanations(results),
    }


def _new_people(results: Mapping[str, Any], system: Mapping[str, Any]) -> str:
    """What the same network gets of people it was not trained on, and what knowing nothing would."""
    by_group, tested = system["splits"].get("group"), results["tested"].get("group")
    if not by_group:
        return ""
    words = f"; people not trained on: {by_group['sequences']['accuracy']}"
    if tested:
        always = tested["always"]
        words += f", where always {always['class']} gets {Interval(always['sequences'])}"
    return words


def _missed(system: Mapping[str, Any]) -> list[float] | None:
    """Curls and squats called something else by the random split, per cent."""
    split = system["splits"].get("sequence", {"errors": {}})
    rates = [split["errors"].get(name, Interval(None)).value for name in ("biceps_curl", "squat")]
    return None if None in rates else [100 * rate for rate in rates]


def _curves(curves: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Phase of the proposed network by the random split -> epochs and validation loss of every seed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for curve in curves:
        if curve["learner"] == "paper" and curve["split"] == "sequence" and curve["rows"]:
            loss = curve["rows"][curve["best_epoch"] - 1].get("val_loss")
            found.setdefault(curve["phase"], []).append({"epochs": len(curve["rows"]), "val_loss": loss})
    return found


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the paper's table 1 says of training and a configuration does not hold under one key."""
    augment = config["augment"]
    kinds = {
        "flip": augment["flip_chance"] > 0,
        "brightness": augment["brightness"] != [1.0, 1.0],
        "contrast": augment["contrast"] != [1.0, 1.0],
        "Gaussian blur": augment["blur_chance"] > 0,
        "motion blur": augment["motion_blur_chance"] > 0,
    }
    return {
        "optimiser": "Adam",
        "loss": "categorical cross-entropy",
        "split": [round(100 * share, 6) for share in config["split"]["fractions"]],
        "augmentation": [name for name, on in kinds.items() if on and augment["copies"]] or ["none"],
    }


def layer_of(layer: Mapping[str, Any]) -> list[str]:
    """Output without the batch, and parameters, as the paper's figure 4 writes them."""
    return [f"({', '.join(map(str, layer['output_shape']))})", f"{layer['parameters']:,}"]


def _costs(network: Mapping[str, Any] | None) -> dict[str, Any]:
    """Sizes, operations and times of a network under the conventions behind the paper's figures."""
    if network is None:
        return {"took": ""}
    layers = {layer["name"]: layer for layer in network["layers"]}
    frames, forward_s, macs = network["frames"], network["forward_s"]["value"], network["macs"]
    flops = network.get("profiler_flops")
    # Cameras of the paper give 15 frames a second, and the first is there at once.
    capture_s = (frames - 1) / 15
    top = sum(inputs * units for inputs, units in VGG16_TOP)
    return {
        "weights_mb": network["size"]["weights_bytes"] / 1e6,
        "checkpoint_mib": 12 * network["parameters"]["total"] / 2**20,
        "with_top_mb": 4 * (layers["time_distributed"]["parameters"] + vgg16_top_parameters()) / 1e6,
        "profiler_gflops": flops / 1e9 if flops else None,
        "gflops": network["flops_sequence"] / 1e9,
        "gmac": macs["sequence"] / 1e9,
        "frame_gmac": macs["frame"] / 1e9,
        "with_top_gmac": (macs["frame"] + top) / 1e9,
        "frames": frames,
        "frames_a_second": frames / forward_s,
        "capture_s": capture_s,
        "forward_s": forward_s,
        "sequence_s": capture_s + forward_s,
        "took": f"; a sequence takes {forward_s:.2f} s here",
        "temporal": "yes" if "lstm" in layers else "no",
        "input": "RGB frames",
    }


def vgg16_top_parameters() -> int:
    """Weights and biases of VGG16's three dense layers for ImageNet."""
    return sum(inputs * units + units for inputs, units in VGG16_TOP)


def _data(results: Mapping[str, Any]) -> dict[str, int]:
    data = results["dataset"]
    frames = next((c["sequence"]["frames"] for c in results["configurations"].values()), 0)
    return {
        "clips": data["clips"],
        "frames": data["sequences"] * frames,
        "sequences": data["sequences"],
        "sequences of a class": max((c["sequences"] for c in data["classes"].values()), default=0),
    }


def _explanations(results: Mapping[str, Any]) -> dict[str, Explanation]:
    found = {}
    for split in SPLIT_NAMES:
        if ours := results["systems"].get("proposed", {}).get("splits", {}).get(split):
            confusion = ours["sequences"]["confusion"]
            wrong = sum(n for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j)
            found[f"curls, {split}"] = Explanation(ours.get("curls_over_squats", Interval(None)), wrong)
            rest = ours["rest"]
            found[f"rest, {split}"] = Explanation(rest["difference"], rest["errors"])
    for pair in results["pairs"]:
        if (pair["split"], pair["first"]) == ("group", "proposed"):
            found[pair["second"]] = Explanation(pair["difference"])
    return found
