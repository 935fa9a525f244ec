"""Segments from predictions: where they begin and end, and what must hold for any stream."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exerlitenet.errors import InputError
from exerlitenet.recognition.segments import Segmenter, SegmentThresholds
from exerlitenet.results import Prediction, Segment

RATE = 7.5
WINDOW_S = 14 / RATE
CLASSES = ("squat", "biceps_curl", "none")


def prediction(time_s: float, squat: float, curl: float = 0.0) -> Prediction:
    probabilities = {"squat": squat, "biceps_curl": curl, "none": 1 - squat - curl}
    return Prediction(time_s, probabilities, max(probabilities, key=lambda name: probabilities[name]))


def window_shares(spans: list[tuple[float, float, str]], duration_s: float) -> list[Prediction]:
    """A perfect model: each probability is the share of the window that shows the exercise."""
    ticks = int(duration_s * RATE) + 1

    def shown(tick: int) -> str:
        return next((name for start, end, name in spans if start <= tick / RATE < end), "none")

    out = []
    for last in range(min(14, ticks - 1), ticks):
        window = [shown(max(0, k)) for k in range(last - 14, last + 1)]
        out.append(prediction(last / RATE, window.count("squat") / 15, window.count("biceps_curl") / 15))
    return out


def segments(
    predictions: list[Prediction], duration_s: float, thresholds: SegmentThresholds | None = None
) -> tuple[Segment, ...]:
    segmenter = Segmenter(
        thresholds or SegmentThresholds(),
        WINDOW_S,
        list(predictions[0].probabilities) if predictions else CLASSES,
    )
    events = [event for prediction in predictions for event in segmenter.push(prediction)]
    events += segmenter.finish(duration_s)
    return tuple(event.segment for event in events if event.kind == "end")


def test_a_segment_is_where_the_exercise_was() -> None:
    found = segments(window_shares([(5.0, 15.0, "squat")], 25.0), 25.0)
    assert [s.exercise for s in found] == ["squat"]
    assert found[0].start_s == pytest.approx(5.0, abs=0.4)
    assert found[0].end_s == pytest.approx(15.0, abs=0.4)


def test_a_video_full_of_one_exercise_is_one_segment_from_edge_to_edge() -> None:
    found = segments(window_shares([(0.0, 20.0, "biceps_curl")], 10.0), 10.1)
    assert [(s.start_s, s.end_s, s.exercise) for s in found] == [(0.0, 10.1, "biceps_curl")]
    assert found[0].confidence == pytest.approx(1.0)


@pytest.mark.parametrize("duration_s", [0.2, 1.0, 1.8])
def test_a_video_shorter_than_a_window_can_be_a_segment(duration_s: float) -> None:
    found = segments([prediction(duration_s, 0.9)], duration_s)
    assert [(s.start_s, s.end_s, s.exercise) for s in found] == [(0.0, duration_s, "squat")]
    assert segments([prediction(duration_s, 0.5)], duration_s) == ()


def test_one_exercise_follows_another_directly() -> None:
    found = segments(window_shares([(0.0, 8.0, "squat"), (8.0, 16.0, "biceps_curl")], 16.0), 16.0)
    assert [s.exercise for s in found] == ["squat", "biceps_curl"]
    assert found[0].end_s == found[1].start_s == pytest.approx(8.0, abs=0.4)


def test_hysteresis_bridges_a_dip_that_does_not_fall_below_leave() -> None:
    values = [0.9] * 30 + [0.5] * 20 + [0.9] * 30
    steady = [prediction(2 + k / RATE, v) for k, v in enumerate(values)]
    assert len(segments(steady, 14.0)) == 1
    never_entered = [prediction(2 + k / RATE, 0.55) for k in range(80)]
    assert segments(never_entered, 14.0) == ()


@pytest.mark.parametrize("smooth_s", [0.0, 0.5])
def test_only_a_segment_seen_from_the_first_prediction_on_starts_at_the_edge(smooth_s: float) -> None:
    values = [0.0] * 3 + [0.9] * 40
    stream = [prediction(WINDOW_S + k / RATE, v) for k, v in enumerate(values)]
    found = segments(stream, 8.0, SegmentThresholds(smooth_s=smooth_s))
    assert found[0].start_s == pytest.approx(WINDOW_S / 2 + 3 / RATE, abs=0.2)


def test_short_pauses_are_merged_and_long_ones_are_not() -> None:
    def with_pause(ticks: int) -> list[Prediction]:
        values = [0.9] * 30 + [0.0] * ticks + [0.9] * 30
        return [prediction(2 + k / RATE, v) for k, v in enumerate(values)]

    thresholds = SegmentThresholds(smooth_s=0.0, merge_gap_s=1.0)
    assert len(segments(with_pause(6), 30.0, thresholds)) == 1
    assert len(segments(with_pause(20), 30.0, thresholds)) == 2
    # The pause counts for the confidence of the whole.
    merged = segments(with_pause(6), 30.0, thresholds)[0]
    assert merged.confidence == pytest.approx(0.9 * 60 / 66)


def test_a_blip_of_another_exercise_does_not_cut_a_segment() -> None:
    values = [(0.9, 0.0)] * 30 + [(0.0, 0.9)] * 3 + [(0.9, 0.0)] * 30
    stream = [prediction(2 + k / RATE, *v) for k, v in enumerate(values)]
    found = segments(stream, 12.0, SegmentThresholds(smooth_s=0.0))
    assert [s.exercise for s in found] == ["squat"]


def test_a_run_shorter_than_the_least_duration_is_dropped() -> None:
    values = [0.0] * 20 + [0.9] * 5 + [0.0] * 40
    stream = [prediction(2 + k / RATE, v) for k, v in enumerate(values)]
    assert segments(stream, 11.0, SegmentThresholds(smooth_s=0.0, least_s=1.0)) == ()
    assert len(segments(stream, 11.0, SegmentThresholds(smooth_s=0.0, least_s=0.5))) == 1


def test_two_classes_without_none_call_an_exercise_while_it_stays_likely() -> None:
    values = [0.95] * 30 + [0.5] * 30 + [0.05] * 30
    stream = [
        Prediction(2 + k / RATE, {"squat": v, "biceps_curl": 1 - v}, "squat" if v >= 0.5 else "biceps_curl")
        for k, v in enumerate(values)
    ]
    found = segments(stream, 14.0, SegmentThresholds(leave=0.55))
    assert [s.exercise for s in found] == ["squat", "biceps_curl"]
    assert found[1].start_s - found[0].end_s > 2.0


def test_a_long_silence_ends_a_segment() -> None:
    times = [2 + k / RATE for k in range(30)] + [100 + k / RATE for k in range(30)]
    found = segments([prediction(t, 0.9) for t in times], 104.0)
    assert len(found) == 2
    assert found[0].end_s == pytest.approx(times[29])
    assert found[1].start_s == pytest.approx(100 - WINDOW_S)


def test_events_tell_of_a_segment_before_it_ends() -> None:
    segmenter = Segmenter(SegmentThresholds(), WINDOW_S, CLASSES)
    kinds: list[str] = []
    for item in window_shares([(3.0, 10.0, "squat")], 20.0):
        kinds += [event.kind for event in segmenter.push(item)]
        if 6.0 < item.time_s < 10.0:
            assert segmenter.current is not None
            assert segmenter.current.exercise == "squat"
            assert segmenter.current.end_s == item.time_s
    assert kinds == ["begin", "end"]
    assert segmenter.current is None
    assert segmenter.finish(20.0) == []


def test_wrong_use_is_refused() -> None:
    segmenter = Segmenter(SegmentThresholds(), WINDOW_S, CLASSES)
    segmenter.push(prediction(3.0, 0.5))
    with pytest.raises(ValueError, match="order of time"):
        segmenter.push(prediction(2.0, 0.5))
    segmenter.finish(3.0)
    with pytest.raises(ValueError, match="finished"):
        segmenter.push(prediction(4.0, 0.5))


def test_thresholds_survive_json_and_refuse_nonsense() -> None:
    thresholds = SegmentThresholds(enter=0.7, leave=0.3)
    assert SegmentThresholds.from_dict(thresholds.to_dict()) == thresholds
    assert SegmentThresholds.from_dict({}) == SegmentThresholds()
    for wrong in (
        {"enter": 0.3},
        {"leave": 0.0},
        {"least_s": -1},
        {"enter": math.nan},
        {"leave": "x"},
        {"far": 1},
    ):
        with pytest.raises(InputError):
            SegmentThresholds.from_dict(wrong)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Prediction], float]:
    runs = draw(st.lists(st.tuples(st.integers(1, 25), st.integers(0, 4)), min_size=0, max_size=12))
    shapes = [(0.9, 0.05), (0.05, 0.9), (0.05, 0.05), (0.45, 0.45), (0.62, 0.3)]
    values = [shapes[kind] for length, kind in runs for _ in range(length)]
    first = draw(st.floats(0.05, 2 * WINDOW_S))
    times = [first + k / RATE for k in range(len(values))]
    if draw(st.booleans()) and times:  # a frame that serves several ticks repeats its time
        times = [times[0], *times[:-1]]
    after = draw(st.floats(0.0, 0.2))
    return [prediction(t, *v) for t, v in zip(times, values, strict=True)], (
        times[-1] if times else 0.0
    ) + after


THRESHOLDS = st.builds(
    SegmentThresholds,
    enter=st.floats(0.5, 0.8),
    leave=st.floats(0.2, 0.5),
    least_s=st.floats(0.0, 3.0),
    smooth_s=st.floats(0.0, 1.0),
    merge_gap_s=st.floats(0.0, 3.0),
)


@settings(max_examples=200, deadline=None)
@given(streams(), THRESHOLDS)
def test_segments_are_ordered_apart_inside_and_long_enough(
    stream: tuple[list[Prediction], float], thresholds: SegmentThresholds
) -> None:
    predictions, duration_s = stream
    found = segments(predictions, duration_s, thresholds)
    edge = 0.0
    for segment in found:
        assert edge <= segment.start_s < segment.end_s <= duration_s
        assert segment.exercise in ("squat", "biceps_curl")
        assert 0.0 <= segment.confidence <= 1.0
        edge = segment.end_s
    for before, after in pairwise(found):
        if before.exercise == after.exercise:
            assert after.start_s - before.end_s > thresholds.merge_gap_s - 1e-9
    if predictions and predictions[0].time_s >= WINDOW_S:  # before that windows are not full
        span_s = predictions[-1].time_s - predictions[0].time_s
        least_s = min(thresholds.least_s, span_s / 2)
        # The smoothing's changing delay may shift an edge by half of its length.
        assert all(s.end_s - s.start_s >= least_s - thresholds.smooth_s / 2 - 1e-6 for s in found)


@settings(max_examples=100, deadline=None)
@given(streams(), THRESHOLDS)
def test_closed_segments_are_the_same_live_as_in_a_file(
    stream: tuple[list[Prediction], float], thresholds: SegmentThresholds
) -> None:
    """What was reported live while the stream ran is what the whole video gives, and nothing is taken back."""
    predictions, duration_s = stream
    segmenter = Segmenter(thresholds, WINDOW_S, CLASSES)
    reported: list[Segment] = []
    begun: list[tuple[str, float]] = []
    for item in predictions:
        for event in segmenter.push(item):
            if event.kind == "end":
                reported.append(event.segment)
            else:
                begun.append((event.segment.exercise, event.segment.start_s))
                assert event.segment.start_s < event.segment.end_s
                assert event.segment.end_s <= item.time_s
    before_end = len(reported)
    for event in segmenter.finish(duration_s):
        if event.kind == "end":
            reported.append(event.segment)
        else:
            begun.append((event.segment.exercise, event.segment.start_s))
    whole = segments(predictions, duration_s, thresholds)
    assert tuple(reported) == whole
    assert tuple(reported[:before_end]) == whole[:before_end]
    assert begun == [(s.exercise, s.start_s) for s in whole]


def test_what_begins_ends_also_where_the_smoothing_stands_still() -> None:
    """While its window fills, the smoothing's delay grows as fast as time goes on."""
    thresholds = SegmentThresholds(enter=0.5, leave=0.5, least_s=0.0, smooth_s=1.0, merge_gap_s=0.0)
    segmenter = Segmenter(thresholds, WINDOW_S, CLASSES)
    events = []
    for k, exercise in enumerate(("biceps_curl", "squat", "squat", "biceps_curl")):
        named = dict.fromkeys(CLASSES, 0.05) | {exercise: 0.9}
        events += segmenter.push(Prediction(1 + k / RATE, named, exercise))
    events += segmenter.finish(1.4)
    kinds = [(event.kind, event.segment.exercise) for event in events]
    assert kinds == [("begin", "biceps_curl"), ("end", "biceps_curl")]
