"""The paper's measure on its network: when it works, what it says, and what it is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import pace, paper_pace
from benchmarks.pace import frames_to_answer, stream_push
from benchmarks.paper_pace import sequence_push
from bundles import CountingEngine, still, write_bundle
from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.recognition.bundle import Bundle, load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine

PICTURES = [still((20, 200, 0))]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("pace") / "model"))


def test_a_sequence_is_classified_when_it_is_there(bundle: Bundle) -> None:
    engine = CountingEngine(OnnxEngine(bundle))
    push = sequence_push(engine)
    answers = [push(PICTURES[0]) for _ in range(30)]
    assert answers == ([False] * 14 + [True]) * 2
    assert engine.encoded == 30


def test_a_stream_and_a_sequence_say_the_same(bundle: Bundle) -> None:
    """The two ways differ in when they work, not in what comes out."""
    seen: list[np.ndarray] = []

    class Noting(CountingEngine):
        def classify(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
            found = super().classify(windows)
            seen.append(found[0])
            return found

    engine = Noting(OnnxEngine(bundle))
    for push in (sequence_push(engine), stream_push(engine)):
        assert frames_to_answer(push, PICTURES) > 0
    assert np.allclose(seen[0], seen[1], atol=1e-6)


def test_both_networks_are_compared(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_pace, "paper_bundle", lambda folder: bundle)
    monkeypatch.setattr(pace.time, "sleep", lambda seconds: None)
    found = {measure.name: measure for measure in paper_pace.measure_paper_pace(bundle, quick=True)}
    assert list(found)[3:] == [
        "the paper's network: sustained, one judgement a sequence",
        "the paper's network: sustained, every frame judged",
        "sustained, the model every frame / the paper's network every sequence",
        "sustained, every frame judged, the model / the paper's network",
    ]
    assert all(measure.repetitions == 5 for name, measure in found.items() if "sustained" in name)


def test_without_keras_the_papers_network_is_reported_to_be_missing(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.paper_pace.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"paper: its network needs keras.*pip install"):
        paper_pace.measure_paper_pace(bundle, quick=True)
