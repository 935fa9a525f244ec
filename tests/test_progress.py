from __future__ import annotations

import io

import pytest

from exerlitenet.progress import Bars, Lines


def test_lines_are_all_that_a_pipe_gets() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.step("epoch 1", 3, 10, "loss 0.5")
    lines.say("epoch 1: loss 0.4")
    assert stream.getvalue() == "epoch 1: loss 0.4\n"


def test_bars_show_work_and_keep_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with Bars() as bars:
        for what in ("decoding clips", "epoch [1]"):
            bars.step(what, 4, 10, "loss 0.5")
        bars.say("epoch 1: [done]")
    shown = capsys.readouterr().err
    assert "epoch 1: [done]" in shown
    assert "4/10" in shown
    assert "loss 0.5" in shown


def test_work_without_a_name_is_shown_too() -> None:
    with Bars(percent=True) as bars:
        bars.step("", 0, None)
        bars.step("", 1, 2)
