"""`exerlitenet live` on the command line."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from bundles import write_bundle
from command import run
from exerlitenet.cli.live import sample_video
from exerlitenet.synthetic import sample


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--token", "short"], "8 characters"),
        (["--cert", "c.pem"], "needs --cert and --key"),
        (["--cert", "c.pem", "--key", "k.pem"], "c.pem: no such file"),
        (["--model", "nowhere"], "nowhere"),
        (["--host", "no.such.host.invalid"], "no address to listen on"),
    ],
)
def test_bad_usage_is_one_line(arguments: list[str], words: str, tmp_path: Path) -> None:
    result = run("live", "--database", tmp_path / "log.db", "--port", "0", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("live", "--database", tmp_path / "log.db", "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "something listens there already" in result.stderr


def test_certificates_that_are_none(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("no certificate")
    files = ("--cert", tmp_path / "cert.pem", "--key", tmp_path / "key.pem")
    result = run("live", "--database", tmp_path / "log.db", "--port", "0", *files)
    assert result.exit_code == 2
    assert "both must be PEM files" in result.stderr


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    """Beyond loopback a token is made up, and nothing is served without it."""
    model = write_bundle(tmp_path / "m")
    arguments = [
        "live",
        "--model",
        model,
        "--host",
        "0.0.0.0",
        "--port",
        "0",
        "--database",
        tmp_path / "log.db",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "exerlitenet", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # Interrupts may be ignored by what runs the tests; a program started so would never see one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    address = line.split()[1]
    port, token = address.rpartition(":")[2].split("/?token=")
    assert len(token) >= 16
    with pytest.raises(HTTPError, match="401") as refused:
        urlopen(f"http://127.0.0.1:{port}/", timeout=60)
    refused.value.close()
    with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said == "stopped\n"
    assert "no browser there gives it the camera without HTTPS" in complained


def test_the_sample_is_rendered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = sample.sample_clip
    calls = []

    def tiny() -> object:
        calls.append(1)
        return small(fps=1.0, width=64, height=114)

    monkeypatch.setattr(sample, "sample_clip", tiny)
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path / "cache"))
    first = sample_video()
    assert first.stat().st_size > 1000
    assert sample_video() == first
    assert calls == [1]
    assert [p.name for p in first.parent.iterdir()] == [first.name]
