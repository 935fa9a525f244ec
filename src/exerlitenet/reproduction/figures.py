"""Parts of the study's page that are beside the paper's figures: confusion, curves, the network and its cost."""

from __future__ import annotations

from collections.abc import Iterator

from exerlitenet.evaluation.report import curve_figures
from exerlitenet.pages import html
from exerlitenet.pages.text import number_of
from exerlitenet.reproduction import paper
from exerlitenet.reproduction.systems import SPLIT_NAMES
from exerlitenet.reproduction.tables import Results
from exerlitenet.reproduction.tables import networks as network_costs
from exerlitenet.reproduction.verdicts import layer_of
from exerlitenet.training.networks.operations import CONVENTION


def confusions(results: Results) -> Iterator[str]:
    for name, figure, title in (("frozen", 13, "frozen"), ("proposed", 14, "fine-tuned")):
        splits = results["systems"].get(name, {}).get("splits")
        if not splits:
            continue
        shown = [
            (("biceps_curl", "squat"), paper.CONFUSION[name], f"the paper, {paper.TEST_SEQUENCES} sequences")
        ]
        for split, found in splits.items():
            ours = found["sequences"]
            words = f"ours, {SPLIT_NAMES[split]}, {ours['items']} sequences"
            shown.append((ours["classes"], ours["confusion"], words))
        yield html.section(
            f"Confusion, {title} (the paper's figure {figure})",
            html.paragraph("Rows are the truth, columns the prediction; per cent of the row.", "quiet"),
            html.side_by_side((f"<div>{html.matrix(*matrix)}</div>" for matrix in shown), narrow=True),
        )


def curves(results: Results) -> Iterator[str]:
    first = min(results["settings"]["seeds"], default=0)
    others = []
    for curve in results["curves"]:
        shown = curve_figures(curve["phase"], curve["rows"])
        heading = f"{curve['phase']}, {SPLIT_NAMES[curve['split']]}, seed {curve['seed']}"
        words = (
            f"{number_of(len(curve['rows']), 'epoch')}, best {curve['best_epoch']}, "
            f"{curve['seconds'] / 60:.1f} min."
        )
        if curve["learner"] != "paper" or curve["seed"] != first:
            others.append(f"<h2>{curve['learner']}: {heading}</h2>{html.paragraph(words, 'quiet')}{shown}")
            continue
        if published := paper.CURVES.get(curve["phase"]):
            figures = "9 and 10" if curve["phase"] == "frozen" else "11 and 12"
            words += (
                f" The paper's figures {figures}: {published.epochs} epochs, best {published.best_epoch}. "
                f"{published.words}"
            )
        yield html.section(f"Curves: {heading}", html.paragraph(words, "quiet"), shown)
    if others:
        yield html.section(f"Further curves ({len(others)})", *others, folded=True)


def networks(results: Results) -> Iterator[str]:
    found = network_costs(results)
    machine = results["machine"]
    yield html.section(
        "Size, operations, speed",
        html.paragraph(CONVENTION, "quiet"),
        html.paragraph(
            "Checkpoint: first and last phase of training. Forward pass: one sequence in Keras, median and range, on "
            f"{machine['cpu']} with {machine['cores']} cores as busy as they were; `exerlitenet benchmark` "
            "measures the live path with care.",
            "quiet",
        ),
        html.table(found.columns, found.rows),
    )
    rows = [(row["what"], row["paper"], row["ours"]) for row in results["rows"] if row["where"] == "table 1"]
    yield html.section("Hyperparameters (the paper's table 1)", html.table(("", "paper", "ours"), rows))
    if network := results["networks"].get("paper"):
        published = {row["what"]: row["paper"] for row in results["rows"] if row["where"] == "figure 4"}
        layers = [
            (
                layer["name"],
                published.get(f"layer {layer['name']}"),
                ", ".join(layer_of(layer)),
                f"{layer['macs']:,}",
            )
            for layer in network["layers"]
        ]
        columns = ("layer", "paper: output, parameters", "ours", "MACs a sequence")
        yield html.section("The network (the paper's figure 4)", html.table(columns, layers))
