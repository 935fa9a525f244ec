from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exerlitenet.synthetic.clip import make_motion
from exerlitenet.synthetic.exercises import CURLS, SQUATS
from exerlitenet.synthetic.kinematics import Skeleton, solve
from exerlitenet.synthetic.person import draw_body


def set_of(seed: int, style: str) -> tuple[Skeleton, np.ndarray]:
    rng = np.random.default_rng(seed)
    body = draw_body(rng)
    motion = make_motion(rng, body, "squat", style, fps=15.0, seconds=None, repetitions=2)
    return solve(body, motion.controls), motion.plan.joint_phase


@given(st.integers(0, 10_000), st.sampled_from(list(SQUATS)))
@settings(max_examples=60, deadline=None)
def test_feet_stay_and_knees_bend_forward(seed: int, style: str) -> None:
    pose, phase = set_of(seed, style)
    moved = np.abs(pose.ankles - pose.ankles[:1]).max()
    assert moved < 0.01, "feet stay where they are"
    low = phase > 0.9
    forward = pose.foot_axes[low][..., 2]
    middle = (pose.hips[low] + pose.ankles[low]) / 2
    assert (np.sum((pose.knees[low] - middle) * forward, -1) > 0.1).all(), "knees point where the toes point"
    assert pose.pelvis[low][:, 1].max() < pose.pelvis[~low][:, 1].max() - 0.1
    assert pose.hips[..., 1].min() > 0.12
    balance = pose.neck[low][:, 2] - pose.ankles[low][:, :, 2].mean(1)
    assert (np.abs(balance) < 0.45).all(), "the shoulders stay over the feet"


@pytest.mark.parametrize("style", SQUATS)
def test_bones_keep_their_length(style: str) -> None:
    pose, _ = set_of(3, style)
    for a, b in ((pose.hips, pose.knees), (pose.knees, pose.ankles), (pose.shoulders, pose.elbows)):
        length = np.linalg.norm(a - b, axis=-1)
        np.testing.assert_allclose(length, length[0, 0], rtol=1e-6)


@pytest.mark.parametrize("style", CURLS)
def test_curls_bend_elbows_forward(style: str) -> None:
    rng = np.random.default_rng(5)
    body = draw_body(rng)
    motion = make_motion(rng, body, "biceps_curl", style, fps=15.0, seconds=None, repetitions=2)
    pose = solve(body, motion.controls)
    side = int(motion.plan.phase.max(0).argmax())
    k = int(motion.plan.phase[:, side].argmax())
    toward_front = (pose.wrists[k, side] - pose.elbows[k, side]) @ pose.chest_axes[k, :, 2]
    assert toward_front > 0.0
    assert pose.wrists[k, side, 1] > pose.elbows[k, side, 1]
    assert np.abs(pose.ankles - pose.ankles[:1]).max() < 0.01
