"""Files of the benchmark hold what they should, and every side reads all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundles import write_bundle
from exerlitenet.benchmark import archive
from exerlitenet.benchmark.archive import decode_alone, measure_archive, read_alone, repeat_file, write_file
from exerlitenet.recognition.bundle import Bundle, load_bundle
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.video.source import open_video


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("archive") / "model"))


def test_a_repeated_file_plays_on_without_a_gap(tmp_path: Path) -> None:
    path = write_file(tmp_path, (64, 48), quick=True)
    assert decode_alone(tmp_path / "once.mp4") == 30
    assert decode_alone(path) == 120
    with open_video(path) as video:
        times = [frame.time_s for frame in video]
        assert video.fault is None
        assert (video.width, video.height) == (64, 48)
    assert times == pytest.approx([k / 30 for k in range(120)], abs=1e-3)
    with open_video(repeat_file(path, tmp_path / "again.mp4", times=2)) as video:
        assert sum(1 for _ in video) == 240


def test_reading_alone_looks_at_nothing(bundle: Bundle, tmp_path: Path) -> None:
    path = write_file(tmp_path, (64, 48), quick=True)
    recognizer = Recognizer.load(bundle.folder)
    read_alone(path, recognizer)
    assert recognizer.recognize(path).duration_s == pytest.approx(4.0, abs=0.05)


def test_rates_hang_together(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SIZES", ((96, 64),))
    told: list[float] = []
    measures = measure_archive(bundle, quick=True, told=lambda done, total: told.append(done))
    found = {measure.name.partition(", ")[2]: measure for measure in measures}
    assert {measure.name.partition(",")[0] for measure in measures} == {"file of 64p at 30 frames/s"}
    assert found["speed"].value == pytest.approx(found["recognised"].value / 30, rel=1e-3)
    assert all(measure.value > 0 for measure in measures)
    assert told == sorted(told)
