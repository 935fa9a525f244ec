"""`exerlitenet model`: the network of a configuration in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from exerlitenet.cli.options import JsonOption, SetOption, load_keras, needs_training_extra
from exerlitenet.cli.output import check_writable, console, write_json

if TYPE_CHECKING:
    from rich.console import Group

    from exerlitenet.training.summary import ModelDescription


def model(
    config: Annotated[
        str, typer.Argument(metavar="paper|default|FILE.toml", help="Which configuration to build.")
    ],
    json_to: JsonOption = None,
    changes: SetOption = None,
) -> None:
    """Show a network: layers, parameters, multiply-accumulate operations, size."""
    check_writable(json_to)
    needs_training_extra()
    from exerlitenet.training.config import load_config
    from exerlitenet.training.registry import describe_model

    settings = load_config(config, changes or ())
    load_keras()
    description = describe_model(settings)
    console(quiet=json_to == "-").print(tables(description))
    if json_to is not None:
        write_json(description.to_json(), json_to)


def tables(description: ModelDescription) -> Group:
    """Two tables and the convention, for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from exerlitenet.training.networks.operations import CONVENTION

    rows = Table(title=f"{description.name}: layers", title_justify="left")
    rows.add_column("layer")
    rows.add_column("type")
    for heading in ("output", "parameters", "MACs a sequence"):
        rows.add_column(heading, justify="right")
    for layer in description.layers:
        shape = "(" + ", ".join(str(size) for size in layer.output_shape) + ")"
        rows.add_row(layer.name, layer.type, shape, f"{layer.parameters:,}", f"{layer.macs:,}")
    sums = Table(title="sums", title_justify="left")
    sums.add_column("")
    for phase in description.phases:
        sums.add_column(f'phase "{phase}"', justify="right")
    before, after = description.before, description.after
    for label, first, last in (
        ("parameters", before.total, after.total),
        ("trainable", before.trainable, after.trainable),
        ("non-trainable", before.non_trainable, after.non_trainable),
        ("MACs of the backbone, one frame", description.frame.macs, description.frame.macs),
        ("MACs, one sequence", description.sequence.macs, description.sequence.macs),
        ("FLOPs, one sequence", description.sequence.flops, description.sequence.flops),
    ):
        sums.add_row(label, f"{first:,}", f"{last:,}")
    for label, first, last in (
        ("weights", before.weights_bytes, after.weights_bytes),
        ("checkpoint with Adam's moments", before.checkpoint_bytes, after.checkpoint_bytes),
    ):
        sums.add_row(label, f"{first / 1e6:.1f} MB", f"{last / 1e6:.1f} MB")
    return Group(rows, sums, Text(CONVENTION, style="dim"))
