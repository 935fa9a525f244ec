"""A process that is asked again and again: answers, ends and faults."""

from __future__ import annotations

import gc
import os
import sys
import warnings

import pytest

from benchmarks.worker import Worker, one_core, serve
from exerlitenet.errors import InputError


def adding_up(start: int) -> None:
    """In the worker: adds up what it is given, and talks beside it, as libraries do."""
    total = start

    def add(number: int) -> int:
        nonlocal total
        print("a remark on standard output")
        total += number
        return total

    def fail() -> None:
        raise SystemExit("nothing left to add")

    serve({"add": add, "fail": fail, "cores": lambda: len(os.sched_getaffinity(0))})


@pytest.fixture(autouse=True)
def _found_by_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(os.path.dirname(__file__))


def calling(start: int) -> Worker:
    return Worker.calling("test_worker:adding_up", [start])


def test_a_worker_keeps_what_it_has_between_requests() -> None:
    with calling(10) as first, calling(0) as second:
        assert [first.ask("add", 1), second.ask("add", 5), first.ask("add", 2)] == [11, 5, 13]


def test_a_worker_that_ended_says_why() -> None:
    with calling(0) as worker:
        assert worker.ask("add", 1) == 1
        with pytest.raises(InputError, match=r"^nothing left to add$"):
            worker.ask("fail")
        with pytest.raises(InputError, match="nothing left to add"):
            worker.ask("add", 1)


def test_a_program_that_says_nothing_is_reported_by_its_status() -> None:
    with (
        Worker([sys.executable, "-c", "raise SystemExit(7)"]) as worker,
        pytest.raises(InputError, match="ended with status 7 and said nothing"),
    ):
        worker.ask("add", 1)


def test_a_fault_here_ends_the_worker_at_once() -> None:
    worker = Worker([sys.executable, "-c", "import time; time.sleep(600)"])
    with pytest.raises(KeyError), worker:
        raise KeyError
    assert worker.ended


def test_a_program_that_is_not_there_leaves_no_file_open() -> None:
    gc.collect()  # what others have left is not looked at
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        with pytest.raises(FileNotFoundError):
            Worker(["/no/such/program"])
        gc.collect()
    assert left == []


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system holds nobody to a core")
def test_one_core_holds_processes_too_and_lets_go() -> None:
    before = os.sched_getaffinity(0)
    with one_core() as held, calling(0) as worker:
        assert held
        assert len(os.sched_getaffinity(0)) == 1
        assert worker.ask("cores") == 1
    assert os.sched_getaffinity(0) == before


def test_where_no_process_can_be_held_that_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with one_core() as held:
        assert not held
