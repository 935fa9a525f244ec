from __future__ import annotations

import numpy as np
import pytest

from exerlitenet.synthetic.clip import RenderedClip
from exerlitenet.synthetic.sample import CURLS, SAMPLE_SEED, SQUATS, sample_clip


@pytest.fixture(scope="module")
def clip() -> RenderedClip:
    return sample_clip(fps=7.5, width=96, height=54)


def test_the_sample_holds_both_exercises_with_their_truth(clip: RenderedClip) -> None:
    assert clip.seed == SAMPLE_SEED >= 1_000_000
    assert 30 <= clip.seconds <= 40
    (squat, s0, s1, squats), (curl, c0, c1, curls) = clip.segments
    assert (squat, squats, curl, curls) == ("squat", SQUATS, "biceps_curl", CURLS)
    assert 1 < s0 < s1 < c0 - 3 < c1 < clip.seconds
    assert clip.repetitions == SQUATS + CURLS == len(clip.extremes_s)
    for k, time in enumerate(clip.extremes_s):
        at = round(time * clip.fps)
        knee, elbow = clip.angles["left_knee"][at], clip.angles["left_elbow"][at]
        assert (knee < 115) == (k < SQUATS)
        assert (elbow < 90) == (k >= SQUATS)


def test_nothing_but_the_squats_bends_the_knees(clip: RenderedClip) -> None:
    time = np.arange(len(clip.frames)) / clip.fps
    _, start, end, _ = clip.segments[0]
    assert clip.angles["left_knee"][(time < start - 0.1) | (time > end + 0.1)].min() > 150
