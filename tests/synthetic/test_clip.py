from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exerlitenet.errors import InputError
from exerlitenet.synthetic.clip import ACTIVITIES, LABELS, VIEWS, RenderedClip, render_clip
from exerlitenet.synthetic.landmarks import ANKLES, ELBOWS, HIPS, KNEES, NOSE, SHOULDERS, WRISTS

FIRST = 1_000_100


def small(seed: int, label: str | None = None, **more: object) -> RenderedClip:
    return render_clip(seed, label, **{"width": 64, "height": 64, "seconds": 4.0, **more})  # type: ignore[arg-type]


def closed(clip: RenderedClip) -> np.ndarray:
    """The angle that is least at the peak: of the knees for a squat, of the more bent elbow for a curl."""
    if clip.label == "squat":
        return (clip.angles["left_knee"] + clip.angles["right_knee"]) / 2
    return np.minimum(clip.angles["left_elbow"], clip.angles["right_elbow"])


@given(st.integers(FIRST, FIRST + 400), st.sampled_from(("squat", "biceps_curl")))
@settings(max_examples=10, deadline=None)
def test_truth_of_an_exercise_agrees_with_itself(seed: int, label: str) -> None:
    clip = small(seed, label, width=32, height=32, seconds=5.0)
    n = len(clip.frames)
    assert clip.frames.shape == (n, 32, 32, 3)
    assert clip.frames.dtype == np.uint8
    assert clip.label == clip.activity == label
    assert clip.joints.shape == (n, 33, 7)
    assert np.isfinite(clip.joints).all()
    assert clip.phase.min() >= 0
    assert clip.phase.max() <= 1
    assert clip.repetitions == len(clip.extremes_s) >= 1
    rising = np.diff(np.concatenate([[0], (clip.phase > 0.5).astype(int)])) == 1
    assert rising.sum() == clip.repetitions
    assert sum(count for *_, count in clip.segments) == clip.repetitions
    angle = closed(clip)
    still = angle[clip.phase == 0]
    for time in clip.extremes_s:
        k = min(round(time * clip.fps), n - 1)
        assert clip.phase[k] > 0.8
        near = slice(max(k - 2, 0), k + 3)
        around = slice(max(k - 6, 0), k + 7)
        assert angle[near].min() <= angle[around].min() + 3.0
        assert angle[k] < (np.median(still) if len(still) else 180) - 40


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_every_activity_renders_and_none_has_no_repetitions(activity: str) -> None:
    clip = small(FIRST, activity=activity, fps=4.0)
    assert clip.activity == activity
    assert len(clip.frames) == 16
    if clip.label == "none":
        assert clip.repetitions == 0
        assert clip.extremes_s == ()
        assert clip.segments == ()
        assert not clip.phase.any()
    if activity == "no_person":
        assert np.isnan(clip.joints).all()
        assert clip.view == "none"
    else:
        assert np.isfinite(clip.joints).all()
        changed = np.abs(clip.frames[0].astype(int) - clip.empty.astype(int)).max(-1) > 20
        assert changed.mean() > 0.01


def test_joints_lie_on_the_drawn_person() -> None:
    on, off = [], []
    joints = [NOSE, *SHOULDERS, *ELBOWS, *HIPS, *KNEES, *ANKLES]
    for seed in range(FIRST, FIRST + 14):
        clip = small(seed, ("squat", "biceps_curl")[seed % 2], width=128, height=128, seconds=1.0, fps=4.0)
        for k in (0, len(clip.frames) // 2):
            # The empty picture is the first frame's; a shaking camera moves it a little later on.
            difference = np.abs(clip.frames[k].astype(int) - clip.empty.astype(int)).max(-1)
            marks = clip.joints[k]
            for j in joints:
                x, y = int(marks[j, 0] * 128), int(marks[j, 1] * 128)
                if marks[j, 3] > 0 and 1 <= x < 127 and 1 <= y < 127:
                    on.append(difference[y - 1 : y + 2, x - 1 : x + 2].max() > 16)
            left = int(marks[:, 0].min() * 128)
            if left > 20:
                off.append(difference[: int(marks[HIPS[0], 1] * 128), : left - 18].mean() < 12)
    assert len(on) > 200
    assert np.mean(on) > 0.93
    assert np.mean(off) > 0.7


def test_the_same_call_gives_the_same_bytes_and_another_seed_others() -> None:
    one, two, other = (small(s, seconds=1.5) for s in (FIRST, FIRST, FIRST + 1))
    assert one.frames.tobytes() == two.frames.tobytes()
    assert one.joints.tobytes() == two.joints.tobytes()
    assert one.extremes_s == two.extremes_s
    assert one.frames.tobytes() != other.frames.tobytes()


def test_landmarks_follow_mediapipe() -> None:
    clip = small(FIRST + 3, "squat", view="front", seconds=3.0)
    first = clip.joints[0]
    assert first[SHOULDERS[0], 0] > first[SHOULDERS[1], 0], "the person's left is on the picture's right"
    assert first[NOSE, 1] < first[HIPS[0], 1] < first[ANKLES[0], 1], "y grows downwards"
    assert first[NOSE, 5] < -0.3 < 0.4 < first[ANKLES[0], 5], "metres from the hips, down is positive"
    low = clip.joints[round(clip.extremes_s[0] * clip.fps)]
    assert low[KNEES[0], 6] < -0.1, "bent knees come towards the camera"
    assert low[KNEES[0], 2] < 0
    np.testing.assert_allclose(clip.joints[:, HIPS, 4:].mean(1), 0, atol=1e-5)
    seen = clip.joints[..., 3]
    assert set(np.unique(seen)) <= {0.0, 1.0}
    rear = small(FIRST + 3, "squat", view="rear", seconds=3.0).joints[0]
    assert rear[SHOULDERS[0], 0] < rear[SHOULDERS[1], 0]


def test_curls_leave_upper_arms_down_and_bring_hands_up() -> None:
    for seed in range(FIRST, FIRST + 3):
        clip = small(seed, "biceps_curl", style="both", view="side")
        k = round(clip.extremes_s[0] * clip.fps)
        metres = clip.joints[k, :, 4:]
        for s in (0, 1):
            assert metres[ELBOWS[s], 1] > metres[SHOULDERS[s], 1] + 0.1
            assert metres[WRISTS[s], 1] < metres[ELBOWS[s], 1]
        assert max(clip.angles["left_shoulder"].max(), clip.angles["right_shoulder"].max()) < 60


def test_alternating_arms_count_one_each() -> None:
    clip = small(FIRST + 7, "biceps_curl", style="alternating", repetitions=4, seconds=9.0)
    assert clip.repetitions == 4
    bent = [
        "left" if clip.angles["left_elbow"][k] < clip.angles["right_elbow"][k] else "right"
        for k in (round(t * clip.fps) for t in clip.extremes_s)
    ]
    assert bent == ["left", "right", "left", "right"]


def test_asked_for_numbers_are_kept() -> None:
    clip = render_clip(
        FIRST, "squat", seconds=10.0, fps=10.0, width=80, height=48, repetitions=3, view="side"
    )
    assert clip.frames.shape == (100, 48, 80, 3)
    assert (clip.repetitions, clip.view, clip.fps, clip.seconds) == (3, "side", 10.0, 10.0)
    shape = render_clip(FIRST, seconds=1.0).frames.shape
    assert min(shape[1:3]) == 256


def test_labels_and_views_are_drawn_from_the_seed() -> None:
    clips = [small(seed, seconds=1.0, fps=2.0, width=32, height=32) for seed in range(FIRST, FIRST + 60)]
    counts = [sum(c.label == label for c in clips) for label in LABELS]
    assert min(counts) >= 10
    assert {c.view for c in clips} - {"none"} == set(VIEWS)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"label": "yoga"}, "label"),
        ({"activity": "yoga"}, "activity"),
        ({"label": "squat", "activity": "waving"}, "belongs"),
        ({"label": "squat", "style": "odd"}, "style"),
        ({"seconds": 0.2}, "seconds"),
        ({"fps": 0.0}, "fps"),
        ({"width": 8}, "width"),
        ({"label": "squat", "repetitions": 0}, "repetitions"),
        ({"label": "squat", "repetitions": 20, "seconds": 4.0}, "fewer repetitions"),
        ({"view": "above"}, "view"),
    ],
)
def test_what_cannot_be_rendered_is_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        render_clip(FIRST, **change)  # type: ignore[arg-type]
