"""The verbs together, and how they end: statuses, and one line for bad input in place of a traceback."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from exerlitenet._version import __version__
from exerlitenet.cli.benchmark import benchmark
from exerlitenet.cli.dataset import dataset
from exerlitenet.cli.demo import demo
from exerlitenet.cli.evaluate import evaluate
from exerlitenet.cli.export import export
from exerlitenet.cli.live import live
from exerlitenet.cli.model import model
from exerlitenet.cli.output import complain
from exerlitenet.cli.recognize import recognize
from exerlitenet.cli.reproduce import reproduce
from exerlitenet.cli.sessions import sessions
from exerlitenet.cli.train import train
from exerlitenet.errors import InputError

BAD_INPUT = 2
INTERRUPTED = 130
# What else to say to someone who stopped a verb.
AFTER_INTERRUPT = {
    "train": "; the same command with --resume continues from the last epoch",
    "reproduce": "; the same command with --resume continues from the last epoch",
}
# Newer releases of Typer carry a Click of their own; this is the class of whichever it is.
UsageError: Any = typer.BadParameter.__base__


class Verbs(TyperGroup):
    """Turns bad usage, bad input and Ctrl-C in any verb into one line and a status."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        nothing_given = not args  # parsing empties the list
        try:
            return super().make_context(info_name, args, parent, **extra)
        except UsageError as error:
            if nothing_given:  # shows the help
                raise
            raise _explained(error) from error

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise _explained(error) from error
        except InputError as error:
            complain(str(error))
            raise typer.Exit(BAD_INPUT) from error
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            complain(f"no space left to write {error.filename or 'the output'}; make room and run it again")
            _forget_unwritten_output()
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt:
            complain(f"stopped{AFTER_INTERRUPT.get(ctx.invoked_subcommand or '', '')}")
            raise typer.Exit(INTERRUPTED) from None


def _explained(error: Any) -> typer.Exit:
    """Says what is wrong with a command line, and gives the status to end with."""
    command = error.ctx.command_path if error.ctx is not None else "exerlitenet"
    complain(f"{error.format_message().strip().rstrip('.')}; {command} --help shows how to use it")
    return typer.Exit(BAD_INPUT)


def _forget_unwritten_output() -> None:
    """What could not be written must not be tried again when the program ends, and change its status."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exerlitenet {__version__}")
        raise typer.Exit


@app.callback()
def exerlitenet(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Knows which exercise a camera or a video shows, from when to when, and counts it."""


for verb in (recognize, live, demo, dataset, model, train, evaluate, reproduce, export, benchmark):
    app.command()(verb)
app.add_typer(sessions)


def run() -> None:
    """Runs the verb on the command line and exits with its status."""
    for stream in (sys.stdout, sys.stderr):
        # A file's name may hold bytes that are no text; showing it must not fail.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="exerlitenet")
