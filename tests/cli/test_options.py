"""Ctrl-C during work that runs inside libraries."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from exerlitenet.cli.options import ends_with_ctrl_c
from exerlitenet.errors import InputError


@pytest.fixture(autouse=True)
def _usual_handler() -> Iterator[None]:
    """Tests that run in the background inherit that interrupts are ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def turned_into(error: Exception) -> None:
    """What a library does that turns an interrupt into an error of its own."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise error from None


def test_ctrl_c_stays_what_it_is() -> None:
    with pytest.raises(KeyboardInterrupt), ends_with_ctrl_c():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_a_library_makes_of_ctrl_c_is_ctrl_c() -> None:
    fault = SystemError("bad argument to internal function")
    with pytest.raises(KeyboardInterrupt) as caught, ends_with_ctrl_c():
        turned_into(fault)
    assert caught.value.__cause__ is fault
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("error", [InputError("no such clip"), OSError(28, "No space left on device")])
def test_what_has_words_for_people_keeps_them(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, ends_with_ctrl_c():
        turned_into(error)
    assert caught.value is error


def test_an_error_without_ctrl_c_is_a_defect() -> None:
    with pytest.raises(SystemError), ends_with_ctrl_c():
        raise SystemError("a defect")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupts_that_are_ignored_stay_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with ends_with_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)


def test_nothing_is_changed_outside_the_main_thread() -> None:
    seen = []

    def work() -> None:
        with ends_with_ctrl_c():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
