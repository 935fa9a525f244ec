"""`exerlitenet model`: the network of a configuration in figures."""

from __future__ import annotations

from typing import Annotated

import typer

from exerlitenet.cli.options import JsonOption, SetOption, load_keras, needs_training_extra
from exerlitenet.cli.output import check_writable, console, write_json


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
    from exerlitenet.training.summary import describe_model

    settings = load_config(config, changes or ())
    load_keras()
    description = describe_model(settings)
    console(quiet=json_to == "-").print(description)
    if json_to is not None:
        write_json(description.to_json(), json_to)
