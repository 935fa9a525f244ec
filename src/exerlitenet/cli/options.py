"""Options that several verbs share, and what verbs that train need: Keras, and Ctrl-C that works inside it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from exerlitenet.errors import InputError

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="DIR",
        help="Folder of the model; by default the one that ships.",
        show_default=False,
    ),
]
DatabaseOption = Annotated[
    Path | None,
    typer.Option(
        "--database",
        metavar="FILE",
        help="The workout log; by default $EXERLITENET_DATABASE, else sessions.db in your folder for data.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE|-", help="Write the results as JSON; - is standard output."),
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page that opens offline.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change one value of the configuration; may be repeated."
    ),
]
DatasetArgument = Annotated[
    Path, typer.Argument(metavar="DATASET", help="A folder with one sub-folder per class, or a CSV.")
]


def check_dataset(dataset: Path) -> None:
    """Raises InputError where there is nothing of that name; called before Keras is loaded."""
    if not dataset.exists():
        raise InputError(
            f"expected a dataset (a folder of class folders or a CSV), but {dataset} does not exist"
        )


def needs_training_extra() -> None:
    """Raises InputError where what training needs is not installed."""
    if any(find_spec(name) is None for name in ("keras", "tomli_w")):
        raise InputError("this command needs the training extra: pip install '.[train]' in the checkout")


def needs_page_extra() -> None:
    """Raises InputError where the web server of the page is not installed."""
    if any(find_spec(name) is None for name in ("starlette", "uvicorn", "websockets")):
        raise InputError("the page needs the extra app: pip install '.[app]' in the checkout")


def load_keras() -> None:
    """Imports Keras, which takes seconds: after everything that can be checked without it."""
    needs_training_extra()
    from exerlitenet.training.keras import import_keras

    import_keras()


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
