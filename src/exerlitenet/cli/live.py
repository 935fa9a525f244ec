"""`exerlitenet live`: the page that one exercises in front of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exerlitenet.cli.options import DatabaseOption, ModelOption, needs_page_extra
from exerlitenet.errors import InputError
from exerlitenet.files import make_folder
from exerlitenet.folders import cache_folder, database_path

SHORTEST_TOKEN = 8


def live(
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="ADDRESS", help="Where to listen; other devices need one that is theirs."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes any free one.")
    ] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            "--token", metavar="TEXT", help="What visitors must show; made up where other devices can visit."
        ),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option("--cert", metavar="FILE", help="Certificate (PEM), for HTTPS.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Its private key (PEM).")] = None,
    model: ModelOption = None,
    database: DatabaseOption = None,
) -> None:
    """Open a page that recognises and counts what you do in front of the camera.

    Nothing of the video is stored or leaves this computer; the log holds exercises, counts and times.
    """
    needs_page_extra()
    check(token, cert, key)
    from exerlitenet.app.guard import Access, is_loopback
    from exerlitenet.app.limits import Limits
    from exerlitenet.app.log.session_log import SessionLog
    from exerlitenet.app.server import create_app
    from exerlitenet.app.serving import address_of, check_host, listen, serve
    from exerlitenet.cli.output import complain
    from exerlitenet.recognition.recognizer import Recognizer

    if token is None and not is_loopback(host):
        import secrets

        token = secrets.token_urlsafe(16)
    secure = cert is not None
    recognizer = Recognizer.load(model)
    limits = Limits()
    with SessionLog(database_path(database)) as log, listen(host, port) as listener:
        warning = check_host(host, secure=secure)
        if warning is not None:
            complain(warning)
        access = Access(host, token, secure)
        app = create_app(recognizer, log, access=access, limits=limits, sample=sample_video)
        address = address_of(listener, host, secure=secure, token=token)
        typer.echo(f"open {address}  (Ctrl-C stops; the log is {log.path})")
        try:
            serve(app, listener, limits, cert, key)
        except KeyboardInterrupt:
            typer.echo("stopped")


def check(token: str | None, cert: Path | None, key: Path | None) -> None:
    """Raises InputError for what can be known to go wrong before anything is loaded."""
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise InputError(f"--token needs {SHORTEST_TOKEN} characters at least, got {len(token)}")
    if (cert is None) != (key is None):
        raise InputError("HTTPS needs --cert and --key, only one was given")
    for name, path in (("--cert", cert), ("--key", key)):
        if path is not None and not path.is_file():
            raise InputError(f"{name} {path}: no such file")


def sample_video() -> Path:
    """The sample clip as a video in the user's cache, rendered the first time."""
    from exerlitenet.cli.demo import write_sample
    from exerlitenet.synthetic import renderer

    folder = cache_folder()
    path = folder / f"sample-{renderer()}.mp4"
    if not path.is_file():
        make_folder(folder)
        write_sample(path)
    return path
