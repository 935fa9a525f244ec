"""Units of a study side by side, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.reproduction import jobs
from exerlitenet.reproduction.plan import Plan, make_plan
from exerlitenet.reproduction.run import Study, reproduce
from quiet_progress import Quiet
from tiny_study import TINY
from tiny_training import write_dataset

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

UNITS = ("single_frame-group-0", "single_frame-sequence-0")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "clips", clips=8, groups=4)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in a file: other processes know nothing of a network that a test puts in place."""
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    keras.utils.set_random_seed(0)
    keras.applications.MobileNetV3Small(
        (224, 224, 3), include_top=False, weights=None, include_preprocessing=False
    ).save_weights(path)
    return path


@pytest.fixture(autouse=True, scope="module")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXERLITENET_CACHE", str(tmp_path_factory.getbasetemp() / "jobs-cache"))
        patch.delenv(jobs.THREADS, raising=False)  # where it is set, it stands above what jobs says
        yield


def plan(weights: Path, *settings: str) -> Plan:
    own = ("seeds=[0]", 'systems=["single_frame"]', *settings)
    return make_plan([*TINY, *own], [f"MobileNetV3Small={weights}"])


@pytest.fixture(scope="module")
def parallel(dataset: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Quiet]:
    progress, out = Quiet(), tmp_path_factory.mktemp("study") / "out"
    return reproduce(dataset, plan(weights), out=out, progress=progress, jobs=2), progress


@pytest.mark.slow
def test_units_side_by_side_give_what_they_give_in_turn(
    dataset: Path, weights: Path, parallel: tuple[Study, Quiet], tmp_path: Path
) -> None:
    study, progress = parallel
    serial = reproduce(dataset, plan(weights), out=tmp_path / "serial", progress=Quiet())
    for unit in UNITS:
        found, expected = (
            json.loads((done.folder / "units" / unit / "predictions.json").read_text())
            for done in (study, serial)
        )
        assert found["test"] == expected["test"]
        for mine, theirs in zip(found["phases"], expected["phases"], strict=True):
            np.testing.assert_allclose(mine["probabilities"], theirs["probabilities"], atol=1e-4)
        # What a unit says comes through, with its name.
        assert any(line.startswith(f"{unit}: frozen epoch 1 of ") for line in progress.lines)
    assert any(line.startswith("unit 2 of 2 done") for line in progress.lines)
    assert not (study.folder / "features").exists()
    assert jobs.THREADS not in os.environ


@pytest.mark.slow
def test_a_fault_in_a_process_is_raised_here(
    dataset: Path, weights: Path, parallel: tuple[Study, Quiet], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(parallel[0].folder, out)
    for unit in UNITS:
        (out / "units" / unit / "run" / "metrics.json").unlink()
    (out / "units" / UNITS[0] / "run" / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json cannot be read"):
        reproduce(dataset, plan(weights), out=out, resume=True, progress=Quiet(), jobs=2)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    """As after kill -9: nothing trains on that a resumed study would train as well."""
    code = (
        "import multiprocessing, time\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from exerlitenet.reproduction.jobs import _begin\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(None,))\n"
        "    import os\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    pool.submit(time.sleep, 600)\n"
        "    time.sleep(600)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    for _ in range(600):
        if not alive(child):
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("a unit's process outlived the study's")


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be asked for its status does not."""
    try:
        if Path("/proc").is_dir():
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):  # it may go at any moment, also while its status is read
        return False
    return True
