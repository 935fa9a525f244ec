"""Parts of the study's page that stand beside the paper's figures: confusion, curves, the network and its cost."""

from __future__ import annotations

from collections.abc import Iterable

from exerlitenet.evaluation.report import curve_figures, side_by_side
from exerlitenet.pages import html
from exerlitenet.reproduction import paper
from exerlitenet.reproduction.costs import hyperparameters
from exerlitenet.reproduction.rows import SPLIT_NAMES
from exerlitenet.reproduction.tables import Results
from exerlitenet.reproduction.tables import networks as network_costs
from exerlitenet.training.networks.operations import CONVENTION


def confusions(results: Results) -> Iterable[str]:
    for name, figure, title in (("frozen", 13, "frozen"), ("proposed", 14, "fine-tuned")):
        row = results["systems"].get(name)
        if row is None or not row["splits"]:
            continue
        published = html.matrix(
            ("biceps_curl", "squat"), paper.CONFUSION[name], f"the paper, {paper.TEST_SEQUENCES} sequences"
        )
        ours = [
            html.matrix(
                found["sequences"]["classes"],
                found["sequences"]["confusion"],
                f"ours, {SPLIT_NAMES[split]}, {found['sequences']['items']} sequences",
            )
            for split, found in row["splits"].items()
        ]
        yield html.section(
            f"Confusion, {title} (the paper's figure {figure})",
            html.paragraph("Rows are the truth, columns what it was called; per cent of the row.", "quiet"),
            side_by_side((f"<div>{matrix}</div>" for matrix in (published, *ours)), narrow=True),
        )


def curves(results: Results) -> Iterable[str]:
    first = min(results["settings"]["seeds"], default=0)
    others = []
    for curve in results["curves"]:
        shown = curve_figures(curve["phase"], curve["rows"])
        heading = f"{curve['phase']}, {SPLIT_NAMES[curve['split']]}, seed {curve['seed']}"
        epochs = len(curve["rows"])
        took = f"best {curve['best_epoch']}, {curve['seconds'] / 60:.1f} min."
        words = f"{epochs} epoch{'s' if epochs != 1 else ''}, {took}"
        if curve["learner"] == "paper" and curve["seed"] == first:
            figures = "9 and 10" if curve["phase"] == "frozen" else "11 and 12"
            published = paper.CURVES.get(curve["phase"])
            said = (
                f" The paper's figures {figures}: {published.epochs} epochs, best {published.best_epoch}. "
                f"{published.words}"
                if published
                else ""
            )
            yield html.section(f"Curves: {heading}", html.paragraph(words + said, "quiet"), shown)
        else:
            others.append(f"<h2>{curve['learner']}: {heading}</h2>{html.paragraph(words, 'quiet')}{shown}")
    if others:
        yield html.section(f"Further curves ({len(others)})", *others, folded=True)


def networks(results: Results) -> Iterable[str]:
    measured = results["networks"]
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
    if config := results["configurations"].get("paper"):
        ours = hyperparameters(config)
        yield html.section(
            "Hyperparameters (the paper's table 1)",
            html.table(
                ("", "paper", "ours"),
                [(name, value, ours[name]) for name, value in paper.HYPERPARAMETERS.items()],
            ),
        )
    if network := measured.get("paper"):
        published = {name: (shape, parameters) for name, shape, parameters in paper.LAYERS}
        yield html.section(
            "The network (the paper's figure 4)",
            html.table(
                (
                    "layer",
                    "paper's output",
                    "our output",
                    "paper's parameters",
                    "our parameters",
                    "MACs a sequence",
                ),
                [
                    (
                        layer["name"],
                        str(published[layer["name"]][0]) if layer["name"] in published else None,
                        str(tuple(layer["output_shape"])),
                        f"{published[layer['name']][1]:,}" if layer["name"] in published else None,
                        f"{layer['parameters']:,}",
                        f"{layer['macs']:,}",
                    )
                    for layer in network["layers"]
                ],
            ),
        )
