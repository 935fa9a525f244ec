"""Rows of the paper that need no training: hyperparameters, the network, sizes, operations, speed and data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exerlitenet.training import paper_figures as paper
from exerlitenet.training.study_rows import NOT_PUBLISHED, QUICK, Row

# A published size or count of operations is matched when ours, under the same convention, is this near.
TOLERANCE = 0.02


def cost_rows(results: Mapping[str, Any]) -> list[Row]:
    """results: content of reproduction.json without the rows."""
    return [
        *_hyperparameters(results),
        *_architecture(results),
        *_costs(results),
        *_table_4(results),
        *_data(results),
    ]


def hyperparameters(config: Mapping[str, Any]) -> dict[str, str]:
    """Ours under the names of the paper's table 1."""
    model, phases = config["model"], config["phases"]
    return {
        "optimiser": "Adam",
        "loss": "categorical cross-entropy",
        "learning rate, frozen": f"{phases[0]['learning_rate']:g}",
        "learning rate, fine-tuned": f"{phases[-1]['learning_rate']:g}",
        "batch": ", ".join(sorted({str(phase["batch"]) for phase in phases})),
        "early stopping, patience": ", ".join(sorted({str(phase["patience"]) for phase in phases})),
        "frames of a sequence": str(config["sequence"]["frames"]),
        "size of a frame": str(config["sequence"]["size"]),
        "LSTM units": ", ".join(map(str, model["lstm"])),
        "dropout after the LSTMs": ", ".join(f"{rate:g}" for rate in model["dropout"]),
        "dense units": ", ".join(map(str, model["dense"])),
        "dropout after dense": f"{model['dense_dropout']:g}",
        "split": " / ".join(f"{100 * share:g}" for share in config["split"]["fractions"]),
    }


def vgg16_top_parameters() -> int:
    """Weights and biases of VGG16's three dense layers for ImageNet."""
    return sum(inputs * units + units for inputs, units in paper.VGG16_TOP)


def _hyperparameters(results: Mapping[str, Any]) -> Iterator[Row]:
    config = results["configurations"].get("paper")
    if config is None:
        return
    ours = hyperparameters(config)
    for name, published in paper.HYPERPARAMETERS.items():
        same = ours[name] == published
        why = "" if same else QUICK if results["quick"] else "changed by a setting of this study"
        yield Row("table 1", name, published, ours[name], "reached" if same else "not reached", why)
    yield Row(
        *(
            "table 1",
            "augmentation",
            "flip, brightness, contrast, Gaussian and motion blur",
            "the same kinds",
        ),
        *("reached", "the paper names no ranges; ours are in the configuration"),
    )


def _architecture(results: Mapping[str, Any]) -> Iterator[Row]:
    network = results["networks"].get("paper")
    if network is None:
        return
    counts = network["parameters"]
    names = {
        "total": "parameters",
        "trainable_before": "trainable, backbone frozen",
        "trainable_after": "trainable, fine-tuned",
        "non_trainable_before": "non-trainable, backbone frozen",
        "non_trainable_after": "non-trainable, fine-tuned",
    }
    for key, published in (paper.PARAMETERS | paper.NON_TRAINABLE).items():
        yield _same("figure 4", names[key], f"{published:,}", f"{counts[key]:,}")
    found = {
        layer["name"]: (tuple(layer["output_shape"]), layer["parameters"]) for layer in network["layers"]
    }
    for name, shape, parameters in paper.LAYERS:
        ours = found.get(name)
        shown = f"{_shape(ours[0])}, {ours[1]:,}" if ours else "-"
        yield _same("figure 4", f"layer {name}", f"{_shape(shape)}, {parameters:,}", shown)


def _same(where: str, what: str, published: str, ours: str) -> Row:
    same = published == ours
    why = "" if same else "another input size or network was set for this study"
    return Row(where, what, published, ours, "reached" if same else "not reached", why)


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _costs(results: Mapping[str, Any]) -> Iterator[Row]:
    networks = results["networks"]
    if own := networks.get("paper"):
        size, total = own["size"], own["parameters"]["total"]
        yield _near(
            *("tables 2, 3", "proposed, size", paper.SIZE_MB["proposed"], 12 * total / 2**20, "MiB"),
            f"weights and two Adam moments of every parameter; the weights alone are "
            f"{size['weights_bytes'] / 1e6:.1f} MB",
        )
        if own["profiler_flops"]:
            yield _near(
                *("tables 2, 3", "proposed, operations of a sequence", paper.GFLOPS["proposed"]),
                *(own["profiler_flops"] / 1e9, "GFLOPs"),
                "TensorFlow's profiler, which counts one step of each LSTM; all 15 are "
                f"{own['flops_sequence'] / 1e9:.2f} GFLOPs",
            )
        seconds = own["forward_s"]["value"]
        rate = own["frames"] / seconds
        yield Row(
            *("section 5", "frames a second", f"{paper.FRAMES_PER_SECOND:g}", f"{rate:.0f}"),
            "reached" if rate >= paper.FRAMES_PER_SECOND else "not reached",
            "forward pass in Keras on this machine; camera and picture work are in `exerlitenet benchmark`",
        )
        yield Row(
            "section 5",
            "seconds of one sequence, from capture to answer",
            f"{paper.SECONDS_OF_A_SEQUENCE:g}",
            f"{seconds:.2f} for the forward pass",
            "not to be had",
            "15 frames at 15 a second take 1 s to capture; `exerlitenet benchmark` measures the whole",
        )
    if vgg := networks.get("vgg16"):
        backbone = next(layer["parameters"] for layer in vgg["layers"] if layer["name"] == "time_distributed")
        yield _near(
            *("tables 2, 3", "VGG16 + LSTM, size", paper.SIZE_MB["vgg16"]),
            *(4 * (backbone + vgg16_top_parameters()) / 1e6, "MB"),
            "VGG16 with its ImageNet top and no LSTM; with the LSTM in its place it is "
            f"{vgg['size']['weights_bytes'] / 1e6:.0f} MB",
        )
        top = sum(inputs * units for inputs, units in paper.VGG16_TOP)
        yield _near(
            *("tables 2, 3", "VGG16 + LSTM, operations", paper.GFLOPS["vgg16"]),
            *((vgg["macs"]["frame"] + top) / 1e9, "GMAC"),
            f"multiply-accumulates of one image with the top; a sequence is {vgg['macs']['sequence'] / 1e9:.0f} GMAC",
        )
    if resnet := networks.get("resnet50"):
        yield _near(
            *("tables 2, 3", "ResNet50, size", paper.SIZE_MB["resnet50"]),
            *(resnet["size"]["weights_bytes"] / 1e6, "MB"),
            "weights alone, average pooling and dense layers of 128, 64, 2: another convention than 178 MB",
        )
        yield _near(
            *("tables 2, 3", "ResNet50, operations", paper.GFLOPS["resnet50"]),
            *(resnet["macs"]["frame"] / 1e9, "GMAC"),
            f"multiply-accumulates of one image; a sequence is {resnet['macs']['sequence'] / 1e9:.0f} GMAC",
        )


def _near(where: str, what: str, published: float, ours: float, unit: str, why: str) -> Row:
    near = abs(ours - published) <= TOLERANCE * published
    published_unit = "MB" if unit in ("MB", "MiB") else "GFLOPs"
    shown = f"{ours:.1f} {unit}" if published >= 20 else f"{ours:.2f} {unit}"
    return Row(
        *(where, what, f"{published:g} {published_unit}", shown),
        "reached" if near else "not reached",
        why if near else f"no convention gives the paper's figure here; ours is: {why}",
    )


def _table_4(results: Mapping[str, Any]) -> Iterator[Row]:
    names = {"vgg16": "VGG16 + LSTM", "resnet50": "ResNet50", "proposed": "proposed"}
    for name, (temporal, pictures, edge) in paper.TABLE_4.items():
        row = results["systems"].get(name)
        if row is None or row["learner"] not in results["networks"]:
            continue
        network = results["networks"][row["learner"]]
        ours = "yes" if any(layer["name"] == "lstm" for layer in network["layers"]) else "no"
        yield Row(
            *("table 4", f"{names[name]}: temporal modelling, input, deployable at the edge"),
            *(f"{temporal}, {pictures}, {edge}", f"{ours}, RGB frames"),
            "reached" if ours == temporal else "not reached",
            f"deployable has no definition in the paper; a sequence takes {network['forward_s']['value']:.2f} s here",
        )


def _data(results: Mapping[str, Any]) -> Iterator[Row]:
    data = results["dataset"]
    frames = (
        results["configurations"]["paper"]["sequence"]["frames"]
        if "paper" in results["configurations"]
        else 15
    )
    ours = {
        "clips": data["clips"],
        "frames": data["sequences"] * frames,
        "sequences": data["sequences"],
        "sequences of a class": max((c["sequences"] for c in data["classes"].values()), default=0),
    }
    for name, published in paper.DATA.items():
        yield Row("section 4", name, f"{published:,}", f"{ours[name]:,}", "not to be had", NOT_PUBLISHED)
