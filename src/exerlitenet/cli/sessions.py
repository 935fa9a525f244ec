"""`exerlitenet sessions`: the workout log in a terminal, and out of it as files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exerlitenet.cli.options import DatabaseOption
from exerlitenet.cli.output import STANDARD_OUTPUT, check_writable, console, write_text
from exerlitenet.errors import InputError
from exerlitenet.folders import database_path

if TYPE_CHECKING:
    from rich.table import Table

    from exerlitenet.app.log.records import Session, Set
    from exerlitenet.app.log.session_log import SessionLog

sessions = typer.Typer(
    name="sessions",
    help="Show the workout log, and export it.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSON = "json"


@sessions.callback()
def without_a_verb(context: typer.Context) -> None:
    """Show the workout log, and export it."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@sessions.command("list")
def list_sessions(
    last: Annotated[
        int | None, typer.Option("--last", metavar="N", min=1, help="Only the latest N.", show_default=False)
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """List the sessions, the latest last."""
    out = console()
    with _open(database) as log:
        found = log.sessions()
    if not found:
        out.print(f"{log.path}: no sessions yet; exerlitenet live begins one", soft_wrap=True)
        return
    shown = found[-last:] if last else found
    out.print(_table_of_sessions(shown))
    out.print(_sums(shown), soft_wrap=True)


@sessions.command("show")
def show_session(
    session: Annotated[int, typer.Argument(metavar="ID", min=1, help="The session's number in the list.")],
    database: DatabaseOption = None,
) -> None:
    """Show the sets of one session, with what the model said where you corrected it."""
    with _open(database) as log:
        found = log.session(session)
    out = console()
    out.print(
        f"session {found.id}: {found.started_at:%A %d %B %Y, %H:%M}, {found.source}, model {found.model}",
        soft_wrap=True,
    )
    if found.sets:
        out.print(_table_of_sets(found))
    out.print(_sums([found]), soft_wrap=True)


@sessions.command("export")
def export_sessions(
    kind: Annotated[
        Format,
        typer.Option("--format", help="csv: a row for each set; json: everything.", show_default=True),
    ] = Format.CSV,
    out: Annotated[
        str, typer.Option("--out", metavar="FILE|-", help="Where to write; - is standard output.")
    ] = STANDARD_OUTPUT,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels", help="Write labels for training: a dataset CSV for clips of your own videos."
        ),
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Write all sets as CSV or JSON, or as labels. Deleted sets are left out."""
    if labels and kind is Format.JSON:
        raise InputError("labels are a dataset CSV; leave out --format json, or --labels")
    from exerlitenet.app.log.export import labels_csv, sessions_json, sets_csv

    with _open(database) as log:
        check_writable(out, [log.path])
        found = log.sessions()
    write = labels_csv if labels else sessions_json if kind is Format.JSON else sets_csv
    write_text(write(found), out)


def _open(database: Path | None) -> SessionLog:
    """The log, which must be there. Raises InputError when it is not, or cannot be used."""
    from exerlitenet.app.log.session_log import SessionLog

    return SessionLog(database_path(database), create=False)


def _table_of_sessions(found: list[Session] | tuple[Session, ...]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("ID", justify="right")
    for column in ("when", "minutes", "sets", "repetitions"):
        table.add_column(column, justify="left" if column == "when" else "right", no_wrap=column == "when")
    table.add_column("what", overflow="fold")
    table.add_column("from", overflow="fold")
    for session in found:
        minutes = (session.last_seen_at - session.started_at).total_seconds() / 60
        table.add_row(
            str(session.id),
            f"{session.started_at:%Y-%m-%d %H:%M}",
            f"{minutes:.0f}",
            str(sum(not one.deleted for one in session.sets)),
            str(session.repetitions),
            Text(_volume([session])),
            Text(session.source),
        )
    return table


def _table_of_sets(session: Session) -> Table:
    from rich.table import Table
    from rich.text import Text

    from exerlitenet.app.log.tempo import tempo_of

    table = Table()
    table.add_column("set", justify="right")
    table.add_column("at", no_wrap=True)
    table.add_column("exercise")
    for column in ("repetitions", "seconds", "tempo", "even", "confidence"):
        table.add_column(column, justify="right")
    table.add_column("remarks", overflow="fold")
    for one in session.sets:
        tempo = tempo_of(one)
        table.add_row(
            str(one.id),
            f"{one.started_at:%H:%M:%S}",
            Text(one.exercise),
            str(one.repetitions),
            f"{one.seconds:.1f}",
            "-" if tempo is None else f"{tempo.seconds:.2f} s",
            "-" if tempo is None or tempo.consistency is None else f"{100 * tempo.consistency:.0f} %",
            "-" if one.confidence is None else f"{100 * one.confidence:.0f} %",
            Text(_remarks(one)),
        )
    return table


def _remarks(one: Set) -> str:
    remarks = []
    if one.deleted:
        remarks.append("deleted")
    if one.exercise != one.recognised or one.repetitions != one.counted:
        remarks.append(f"the model said {one.recognised}, {one.counted}")
    elif one.checked:
        remarks.append("checked")
    if not one.finished:
        remarks.append("not ended")
    if one.correction is not None and one.correction.note:
        remarks.append(one.correction.note)
    return "; ".join(remarks)


def _volume(found: list[Session] | tuple[Session, ...]) -> str:
    """What counts: "squat 24, biceps_curl 12"."""
    from exerlitenet.app.log.figures import counts, totals

    volume = totals([one for session in found for one in session.sets if counts(one)])["by_exercise"]
    return ", ".join(f"{name} {count}" for name, count in volume.items())


def _sums(found: list[Session] | tuple[Session, ...]) -> str:
    volume = _volume(found)
    return f"repetitions: {volume}" if volume else "no sets that count"
