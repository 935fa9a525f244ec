"""Rows of the paper that need no training: hyperparameters, the network, sizes, operations, speed and data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exerlitenet.reproduction import paper
from exerlitenet.reproduction.results import NOT_RUN
from exerlitenet.reproduction.rows import NOT_PUBLISHED, QUICK, Row
from exerlitenet.reproduction.systems import system

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
        "augmentation": ", ".join(augmentations(config["augment"])) or "none",
    }


def augmentations(augment: Mapping[str, Any]) -> list[str]:
    """The kinds that the paper names, as far as a configuration has them."""
    if not augment["copies"]:
        return []
    kinds = {
        "flip": augment["flip_chance"] > 0,
        "brightness": augment["brightness"] != [1.0, 1.0],
        "contrast": augment["contrast"] != [1.0, 1.0],
        "Gaussian blur": augment["blur_chance"] > 0,
        "motion blur": augment["motion_blur_chance"] > 0,
    }
    return [name for name, happens in kinds.items() if happens]


def vgg16_top_parameters() -> int:
    """Weights and biases of VGG16's three dense layers for ImageNet."""
    return sum(inputs * units + units for inputs, units in paper.VGG16_TOP)


def _hyperparameters(results: Mapping[str, Any]) -> Iterator[Row]:
    config = results["configurations"].get("paper")
    if config is None:
        for name, published in paper.HYPERPARAMETERS.items():
            yield Row("design", "table 1", name, published, "-", "not to be had", NOT_RUN)
        return
    ours = hyperparameters(config)
    for name, published in paper.HYPERPARAMETERS.items():
        same = ours[name] == published
        why = "" if same else QUICK if results["quick"] else "changed by a setting of this study"
        if same and name == "augmentation":
            why = "the paper names the kinds; the ranges are ours"
        yield Row("design", "table 1", name, published, ours[name], "reached" if same else "not reached", why)


def _architecture(results: Mapping[str, Any]) -> Iterator[Row]:
    network = results["networks"].get("paper")
    if network is None:
        yield Row("design", "figure 4", "layers and parameters", "15,595,826", "-", "not to be had", NOT_RUN)
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
    return Row("design", where, what, published, ours, "reached" if same else "not reached", why)


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _costs(results: Mapping[str, Any]) -> Iterator[Row]:
    networks = results["networks"]
    for learner, name in (("paper", "proposed"), ("vgg16", "vgg16"), ("resnet50", "resnet50")):
        if learner not in networks:
            published = f"{paper.SIZE_MB[name]:g} MB, {paper.GFLOPS[name]:g} GFLOPs"
            what = f"{system(name).short}, size and operations"
            yield Row("cost", "tables 2, 3", what, published, "-", "not to be had", NOT_RUN)
    if own := networks.get("paper"):
        yield from _own_costs(own)
    if vgg := networks.get("vgg16"):
        backbone = next(layer["parameters"] for layer in vgg["layers"] if layer["name"] == "time_distributed")
        whole = 4 * (backbone + vgg16_top_parameters()) / 1e6
        weights = vgg["size"]["weights_bytes"] / 1e6
        why = f"VGG16 with its ImageNet top and no LSTM; with the LSTM in its place it is {weights:.0f} MB"
        yield _size("VGG16 + LSTM, size", paper.SIZE_MB["vgg16"], whole, "MB", why)
        top = sum(inputs * units for inputs, units in paper.VGG16_TOP)
        image, sequence = (vgg["macs"]["frame"] + top) / 1e9, vgg["macs"]["sequence"] / 1e9
        why = f"multiply-accumulates of one image with the top; a sequence is {sequence:.0f} GMAC"
        yield _operations("VGG16 + LSTM, operations", paper.GFLOPS["vgg16"], image, "GMAC", why)
    if resnet := networks.get("resnet50"):
        weights = resnet["size"]["weights_bytes"] / 1e6
        why = "weights alone, average pooling and dense layers of 128, 64, 2: another convention than 178 MB"
        yield _size("ResNet50, size", paper.SIZE_MB["resnet50"], weights, "MB", why)
        image, sequence = resnet["macs"]["frame"] / 1e9, resnet["macs"]["sequence"] / 1e9
        why = f"multiply-accumulates of one image; a sequence is {sequence:.0f} GMAC"
        yield _operations("ResNet50, operations", paper.GFLOPS["resnet50"], image, "GMAC", why)


def _own_costs(network: Mapping[str, Any]) -> Iterator[Row]:
    """Of the proposed network."""
    weights = network["size"]["weights_bytes"] / 1e6
    checkpoint = 12 * network["parameters"]["total"] / 2**20
    why = f"weights and two Adam moments of every parameter; the weights alone are {weights:.1f} MB"
    yield _size("proposed, size", paper.SIZE_MB["proposed"], checkpoint, "MiB", why)
    if network["profiler_flops"]:
        found, every = network["profiler_flops"] / 1e9, network["flops_sequence"] / 1e9
        why = (
            "TensorFlow's profiler, which counts biases, batch norm and activations too, but one step of each LSTM; "
            f"multiply-accumulates alone, every step: {every:.2f} GFLOPs"
        )
        yield _operations(
            "proposed, operations of a sequence", paper.GFLOPS["proposed"], found, "GFLOPs", why
        )
    seconds = network["forward_s"]["value"]
    rate = network["frames"] / seconds
    yield Row(
        "cost",
        "section 5",
        "frames a second, forward pass alone",
        f"{paper.FRAMES_PER_SECOND:g}",
        f"{rate:.0f}",
        "reached" if rate >= paper.FRAMES_PER_SECOND else "not reached",
        "forward pass in Keras on this machine; camera and picture work are in `exerlitenet benchmark`",
    )
    frames = network["frames"]
    capture_s = (frames - 1) / paper.FRAMES_PER_SECOND
    yield Row(
        "cost",
        "section 5",
        "seconds of one sequence, from capture to answer",
        f"{paper.SECONDS_OF_A_SEQUENCE:g}",
        f"{capture_s + seconds:.2f}",
        "reached" if capture_s + seconds <= paper.SECONDS_OF_A_SEQUENCE else "not reached",
        f"{capture_s:.2f} until the last of {frames} frames is there and {seconds:.2f} for the forward pass in Keras; "
        "`exerlitenet benchmark --only paper` paces real frames and adds the picture work",
    )


def _size(what: str, published: float, ours: float, unit: str, why: str) -> Row:
    return _near(what, f"{published:g} MB", f"{ours:.1f} {unit}", abs(ours / published - 1), why)


def _operations(what: str, published: float, ours: float, unit: str, why: str) -> Row:
    return _near(what, f"{published:g} GFLOPs", f"{ours:.2f} {unit}", abs(ours / published - 1), why)


def _near(what: str, published: str, ours: str, apart: float, why: str) -> Row:
    """apart: relative difference. why: the convention of ours."""
    if apart <= TOLERANCE:
        return Row("cost", "tables 2, 3", what, published, ours, "reached", why)
    return Row(
        "cost",
        "tables 2, 3",
        what,
        published,
        ours,
        "not reached",
        f"another network or input; ours is: {why}",
    )


def _table_4(results: Mapping[str, Any]) -> Iterator[Row]:
    for name, (temporal, pictures, edge) in paper.TABLE_4.items():
        title = system(name).short
        network = results["networks"].get(system(name).learner.name)
        if network is None:
            what, published = f"{title}: temporal modelling, input", f"{temporal}, {pictures}"
            yield Row("design", "table 4", what, published, "-", "not to be had", NOT_RUN)
        else:
            ours = "yes" if any(layer["name"] == "lstm" for layer in network["layers"]) else "no"
            yield _same("table 4", f"{title}: temporal modelling", temporal, ours)
            # RGB and RGB frames, says the paper of networks that all read the same sequences of RGB frames.
            yield Row("design", "table 4", f"{title}: input", pictures, "RGB frames", "reached")
        took = "" if network is None else f"; a sequence takes {network['forward_s']['value']:.2f} s here"
        why = f"deployable has no definition in the paper{took}"
        yield Row("cost", "table 4", f"{title}: deployable at the edge", edge, "-", "not to be had", why)


def _data(results: Mapping[str, Any]) -> Iterator[Row]:
    data = results["dataset"]
    frames = next((c["sequence"]["frames"] for c in results["configurations"].values()), 0)
    ours = {
        "clips": data["clips"],
        "frames": data["sequences"] * frames,
        "sequences": data["sequences"],
        "sequences of a class": max((c["sequences"] for c in data["classes"].values()), default=0),
    }
    for name, published in paper.DATA.items():
        yield Row(
            "data", "section 4", name, f"{published:,}", f"{ours[name]:,}", "not to be had", NOT_PUBLISHED
        )
