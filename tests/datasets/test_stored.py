"""Clips decoded once for a run: with their aspect, and as large as a model meets them at work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clips import noise, write_clip
from exerlitenet.datasets.stored import STORE_SIDE, stored_clips
from exerlitenet.errors import InputError
from exerlitenet.video.sequence import SequenceSpec, sample
from exerlitenet.video.source import open_video
from tiny_posture import Quiet


def test_frames_are_those_that_a_model_meets_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXERLITENET_CACHE", str(tmp_path / "cache"))
    assert SequenceSpec().source_short_side == STORE_SIDE
    sizes = [(64, 48), (300, 560)]
    paths = [write_clip(tmp_path / f"{n}.mp4", noise(6, size), fps=15) for n, size in enumerate(sizes)]
    progress = Quiet()
    stored = stored_clips(paths, 7.5, progress)
    assert [clip.frames.shape[:3] for clip in stored] == [(3, 48, 64), (3, 478, 256)]
    assert [clip.aspect for clip in stored] == pytest.approx([64 / 48, 300 / 560])
    for clip, path in zip(stored, paths, strict=True):
        with open_video(path, rate=7.5, short_side=STORE_SIDE) as video:
            wanted = [frame.rgb for frame in sample(video, 7.5)]
        np.testing.assert_array_equal(clip.frames, wanted)
    assert progress.stretches == ["decoding clips"]
    assert len(list((tmp_path / "cache" / "frames").glob("*.npy"))) == 2
    with pytest.raises(InputError, match="no clips"):
        stored_clips([], 7.5, progress)
