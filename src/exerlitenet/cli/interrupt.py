"""Ctrl-C during work that runs inside libraries, some of which turn it into an error of their own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from exerlitenet.errors import InputError


@contextmanager
def ends_with_ctrl_c() -> Iterator[None]:
    """A block that Ctrl-C ends with KeyboardInterrupt, whatever a library makes of it.

    An interrupt that meets TensorFlow's compiled parts while they build a graph comes out of them as a SystemError:
    a traceback for someone who only pressed Ctrl-C. So the interrupt is noted when it comes, and an error after it
    counts as its result. Input that is wrong and files that cannot be written stay what they are. Nothing is changed
    outside the main thread, or where interrupts are ignored or handled in another way.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    came = False

    def note(number: int, frame: Any) -> None:
        nonlocal came
        came = True
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    except (InputError, OSError):
        raise
    except Exception as error:
        if came:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
