"""The benchmark as a whole, and its command. How fast anything is is no test's business."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmark_targets import TARGETS
from bundles import write_bundle
from command import run, run_program
from exerlitenet.benchmark import PARTS, Benchmark, Measure, archive, run_benchmark
from exerlitenet.benchmark import run as running
from exerlitenet.benchmark.archive import VideoFile
from exerlitenet.benchmark.machine import file_name, machine
from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.errors import InputError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("benchmark") / "model")


@pytest.fixture(scope="module")
def result(model: Path) -> Benchmark:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "FILES", (VideoFile(96, 72),))  # rendering 720p takes longest
        return run_benchmark(model, quick=True)


def test_a_quick_benchmark_runs_to_its_end(result: Benchmark) -> None:
    assert (result.model, result.quick) == ("tiny", True)
    names = [measure.name for measure in result.measures]
    assert len(set(names)) == len(names)
    for measure in result.measures:
        # An operator of a tiny graph may take less than the microsecond that is given.
        assert measure.value > 0 or "share of time" in measure.name, measure
        if measure.low is not None and measure.high is not None:
            assert measure.low <= measure.value <= measure.high, measure
    reported = {note.partition(":")[0] for note in result.notes}
    assert set(result.parts) | reported >= set(PARTS)
    assert any("the paper's network" in note for note in result.notes)
    # Names of targets are names of measures; these are measured in a full benchmark only, or with a peer.
    elsewhere = ("720p", "live stream", "MediaPipe", "training")
    assert not [t.measure for t in TARGETS if not t.measure.startswith(elsewhere) and t.measure not in names]


def fake(*names: str) -> Callable[..., list[Measure]]:
    def measurer(
        bundle: object, *, quick: bool, on_progress: Callable[[float, float | None], None]
    ) -> list[Measure]:
        on_progress(1, 2)
        return [Measure(name, 1.0, "ms") for name in names]

    return measurer


def missing(bundle: object, *, quick: bool, on_progress: object) -> list[Measure]:
    raise Unavailable("b: needs what is not there")


def test_what_is_missing_or_slow_is_a_note_and_the_rest_is_measured(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = fake("slow")
    monkeypatch.setattr(
        running, "PARTS", {"a": (fake("one"),), "b": (missing, fake("two"), missing), "c": (slow,)}
    )
    monkeypatch.setattr(running, "SLOW", {slow: "this takes an hour"})
    reported: list[tuple[float, float | None]] = []
    found = run_benchmark(model, quick=True, on_progress=lambda done, total: reported.append((done, total)))
    assert [(m.part, m.name) for m in found.measures] == [("a", "one"), ("b", "two")]
    assert found.notes == (
        "b: needs what is not there",
        "c: this takes an hour; without --quick, or by --only c, it is measured",
    )
    assert reported[:2] == [(0.5, 5), (1, 5)]
    assert reported[-1] == (5, 5)
    assert run_benchmark(model, quick=True, only=["c"]).find("slow") is not None
    assert run_benchmark(model).find("slow") is not None


def test_peers_that_are_asked_for_come_first_and_must_be_there(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"a": (fake("one"),), "peers": (fake("theirs"), missing)}
    monkeypatch.setattr(running, "PARTS", parts)
    monkeypatch.setattr(running, "PEERS", {"theirs": parts["peers"][0], "none": missing})
    names = [measure.name for measure in run_benchmark(model, quick=True).measures]
    assert names == ["one", "theirs"]
    found = run_benchmark(model, quick=True, against=["theirs"])
    assert [(m.part, m.name) for m in found.measures] == [("peers", "theirs"), ("a", "one")]
    assert found.notes == ()
    with pytest.raises(Unavailable, match="needs what is not there"):
        run_benchmark(model, quick=True, against=["none"])
    with pytest.raises(InputError, match="no peer nobody; the peers are theirs, none"):
        run_benchmark(model, quick=True, against=["nobody"])


def test_help_names_every_peer() -> None:
    reported = "".join(run("benchmark", "--help").stdout.split())  # a name may be broken at its hyphen
    assert [name for name in running.PEERS if name not in reported] == []


def test_unknown_parts_and_models_are_reported(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no part colour; the parts are live, archive"):
        run_benchmark(model, quick=True, only=["live", "colour"])
    with pytest.raises(InputError, match=r"no model.json"):
        run_benchmark(tmp_path, quick=True)
    answer = run("benchmark", "--model", tmp_path)
    assert answer.exit_code == 2
    assert "no model.json" in answer.stderr


def test_what_is_beside_the_package_needs_a_checkout(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHECKOUT", tmp_path)
    why = "peers: runs from a checkout of the repository only; get one, and there: pip install -e ."
    found = run_benchmark(model, quick=True, only=["size", "ceiling", "peers"])
    assert found.parts == ("size",)
    assert found.notes == (why.replace("peers", "size"), why.replace("peers", "ceiling"), why)
    answer = run("benchmark", "--model", model, "--against", "mediapipe")
    assert (answer.exit_code, answer.stderr.splitlines()) == (2, [f"exerlitenet: {why}"])


@pytest.fixture
def asked(result: Benchmark, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the command asks for; it gets the result that is there."""
    asked: list[object] = []

    def answer(
        name: str | None, *, quick: bool, only: Sequence[str], against: Sequence[str], on_progress: object
    ) -> Benchmark:
        asked.append((name, quick, *only, *against))
        return result

    monkeypatch.setattr("exerlitenet.benchmark.run_benchmark", answer)
    return asked


def test_command_shows_every_part(result: Benchmark, asked: list[object]) -> None:
    table = run(
        "benchmark", "--model", "m", "--quick", "--only", "live", "--only", "size", "--against", "mediapipe"
    )
    assert asked == [("m", True, "live", "size", "mediapipe")]
    assert table.exit_code == 0
    shown = " ".join(table.stdout.replace("│", " ").split())
    for part in result.parts:
        assert part in shown
    for note in result.notes:
        assert f"left out: {note}" in table.stdout


def test_the_base_install_measures_what_it_can_and_says_what_it_lacks(model: Path) -> None:
    extra = ("keras", "tensorflow", "tf2onnx", "onnx", "matplotlib", "h5py")
    done = run_program("benchmark", "--model", model, "--quick", "--only", "size", without=extra)
    assert (done.returncode, done.stderr) == (0, "")
    assert "two graphs" in done.stdout
    assert "left out: int8: needs onnx" in done.stdout


def test_command_writes_files(result: Benchmark, asked: list[object], tmp_path: Path) -> None:
    done = run("benchmark", "--csv", tmp_path / "b.csv", "--json", tmp_path / "b.json", "--out", tmp_path)
    assert done.exit_code == 0
    assert (tmp_path / "b.csv").read_text() == result.to_csv()
    assert json.loads((tmp_path / "b.json").read_text()) == json.loads(json.dumps(result.to_json()))
    named = tmp_path / file_name(result.machine)
    assert named.read_text() == result.to_csv()
    assert str(named) in done.stdout.replace("\n", "")
    assert asked == [(None, False)]


def test_standard_output_belongs_to_a_program(result: Benchmark, asked: list[object]) -> None:
    assert json.loads(run("benchmark", "--json", "-").stdout) == json.loads(json.dumps(result.to_json()))
    assert run("benchmark", "--csv", "-").stdout == result.to_csv()


def test_outputs_are_checked_before_anything_is_measured(asked: list[object], tmp_path: Path) -> None:
    for options in (
        ("--csv", tmp_path / "none" / "b.csv"),
        ("--out", tmp_path / "none"),
        ("--csv", tmp_path / "x", "--json", tmp_path / "x"),
        ("--csv", "-", "--json", "-"),
        ("--out", tmp_path, "--json", tmp_path / file_name(machine())),
    ):
        answer = run("benchmark", *options)
        assert answer.exit_code == 2
        assert len(answer.stderr.splitlines()) == 1
    assert asked == []
