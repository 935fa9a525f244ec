"""Files of the benchmark hold what they should, and every side reads all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundles import write_bundle
from exerlitenet.benchmark import archive
from exerlitenet.benchmark.archive import (
    VideoFile,
    decode_alone,
    measure_archive,
    read_alone,
    repeat_file,
    with_grain,
    write_file,
)
from exerlitenet.recognition.bundle import Bundle, load_bundle
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.video.source import open_video

SMALL = VideoFile(64, 48)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("archive") / "model"))


def test_a_repeated_file_plays_on_without_a_gap(tmp_path: Path) -> None:
    path = write_file(tmp_path, SMALL, quick=True)
    assert decode_alone(tmp_path / "once.mp4") == 30
    assert decode_alone(path) == 120
    with open_video(path) as video:
        times = [frame.time_s for frame in video]
        assert video.fault is None
        assert (video.width, video.height) == (64, 48)
    assert times == pytest.approx([k / 30 for k in range(120)], abs=1e-3)
    with open_video(repeat_file(path, tmp_path / "again.mp4", times=2)) as video:
        assert sum(1 for _ in video) == 240


def test_grain_is_new_on_every_frame_and_always_the_same() -> None:
    frames = np.full((3, 60, 80, 3), 128, np.uint8)
    grainy = with_grain(frames, 4.0)
    assert grainy.dtype == np.uint8
    assert grainy.astype(float).std() == pytest.approx(4, abs=0.3)
    assert (grainy[..., 0] == grainy[..., 2]).all()
    assert (grainy[0] != grainy[1]).mean() > 0.5
    assert (with_grain(frames, 4.0) == grainy).all()
    black = with_grain(np.zeros_like(frames), 4.0)
    assert black.max() < 30  # what falls below black stays black
    assert VideoFile(64, 48, grain=False).name == f"{VideoFile(64, 48).name} without grain"


def test_reading_alone_looks_at_nothing(bundle: Bundle, tmp_path: Path) -> None:
    path = write_file(tmp_path, SMALL, quick=True)
    recognizer = Recognizer.load(bundle.folder)
    read_alone(path, recognizer)
    assert recognizer.recognize(path).duration_s == pytest.approx(4.0, abs=0.05)


def test_rates_hang_together(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "FILES", (SMALL,))
    reported: list[float] = []
    measures = measure_archive(bundle, quick=True, on_progress=lambda done, total: reported.append(done))
    found = {measure.name.partition(": ")[2]: measure for measure in measures}
    assert {measure.name.partition(":")[0] for measure in measures} == {"48p file"}
    assert found["speed"].value == pytest.approx(found["recognised"].value / 30, rel=1e-3)
    assert all(measure.value > 0 for measure in measures)
    assert reported == sorted(reported)
