"""The report page: opens offline, escapes everything, shows what it was given."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.datasets.clips import Clip, Fault
from exerlitenet.errors import InputError
from exerlitenet.evaluation.classification import classify_sequences
from exerlitenet.evaluation.evaluate import evaluate_workouts
from exerlitenet.evaluation.metrics import Interval
from exerlitenet.evaluation.report import Section, report, write_report
from exerlitenet.evaluation.results import Evaluation
from exerlitenet.pages.html import cell
from exerlitenet.pages.svg import Mark, Series, line_chart
from exerlitenet.results import Prediction, Segment, Workout

EVIL = '<script>alert("x")</script>&\'"'
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Outline(HTMLParser):
    """Checks that tags nest and gathers the text and every attribute."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def evaluation(name: str = "a.mp4") -> Evaluation:
    def workout(exercise: str, p: float, repetitions: int) -> Workout:
        other = "biceps_curl" if exercise != "biceps_curl" else "squat"
        prediction = Prediction(0.0, {exercise: p, other: 1 - p}, exercise)
        segments = () if exercise == "none" else (Segment(0, 5, exercise, p, repetitions),)
        return Workout(segments, (prediction,), 10.0)

    clips = [
        Clip(Path("a"), "squat", f"group {name}", person=name, view=name, repetitions=5, name=name),
        Clip(Path("b"), "biceps_curl", "g2", repetitions=4, name="b.mp4"),
        Clip(Path("c"), "none", "g3", activity=f"activity {name}", name="c.mp4"),
        Clip(Path("d"), "squat", "g4", name="d.mp4"),
    ]
    workouts = [
        workout("biceps_curl", 0.75, 9),
        workout("biceps_curl", 0.9, 4),
        workout("squat", 0.6, 1),
        workout("squat", 0.8, 1),
    ]
    return evaluate_workouts(
        clips, workouts, ("squat", "biceps_curl", "none"), model=f"model {name}", protocol="The protocol."
    )


HISTORY = [
    {
        "phase": 1,
        "epoch": k,
        "loss": 1 / k,
        "accuracy": 1 - 0.5 / k,
        "val_loss": 0.3 + abs(k - 4) / 10,
        "seconds": 30,
    }
    for k in range(1, 7)
]


def test_a_full_report_nests_and_shows_its_figures() -> None:
    found = outline(
        report(
            title="A run",
            evaluation=evaluation(),
            history=HISTORY,
            config={"model": {"backbone": "mobilenet"}, "classes": ["squat", "none"]},
            split_statement="Split by group.",
            sections=[
                Section("Robustness", "Worse clips.", ("name", "clips"), [("light", Interval(0.6, 0.5, 0.7))])
            ],
        )
    )
    for words in (
        *(
            "A run",
            "Split by group.",
            "Which exercise, clips",
            "66.7 %",
            "Worst clips",
            "a.mp4",
            "Worst counts",
        ),
        *("Robustness", "Worse clips.", "60.0 %", "[50.0, 70.0]", "mobilenet", "squat, none", "By view"),
        *("best epoch 4: 0.300", "6 epochs in 3 min", "activity a.mp4", "4 clips (0.7 minutes) of 4 groups"),
    ):
        assert words in found.text
    assert found.tags.count("svg") >= 3
    assert found.tags.count("main") == 1


def test_nothing_is_fetched_or_run() -> None:
    page = report(title="A run", evaluation=evaluation(), history=HISTORY)
    found = outline(page)
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name in ("src", "href") or name.startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes
    assert {value for _, value in found.attributes if "://" in value} <= {"http://www.w3.org/2000/svg"}


def test_everything_is_escaped() -> None:
    page = report(
        title=EVIL,
        evaluation=evaluation(EVIL),
        history=[{**row, "phase": EVIL} for row in HISTORY],
        config={EVIL: {EVIL: EVIL}, "list": [EVIL]},
        split_statement=EVIL,
        classifications={EVIL: classify_sequences(np.eye(2), [EVIL, "b"], ["g", "h"], [EVIL, "b"])},
        sections=[Section(EVIL, EVIL, (EVIL, "x"), [(EVIL, EVIL)])],
    )
    found = outline(page)
    assert "script" not in found.tags
    assert "alert" not in "".join(name for name, _ in found.attributes)
    assert found.text.count(EVIL) > 15


def test_what_was_seen_in_training_is_said_at_the_top_and_beside_the_figures() -> None:
    from dataclasses import replace

    seen = replace(evaluation(), warning="It was trained on these.", failed=(Fault("e.mp4", "not a video"),))
    text = outline(report(title="A run", evaluation=seen)).text
    assert text.index("It was trained on these.") < text.index("How good it is")
    assert text.count("on clips seen in training") == 5
    assert "e.mp4" in text


def test_histories_may_be_text_have_gaps_or_one_epoch() -> None:
    rows = [
        {"phase": "1", "epoch": "1", "loss": "0.9", "accuracy": "0.5", "val_loss": "", "val_accuracy": "nan"},
        {"phase": "1", "epoch": "2", "loss": "0.8", "accuracy": None},
        {"phase": "2", "epoch": 1, "loss": 0.5, "val_loss": 0.4, "accuracy": 1.0, "val_accuracy": 1.0},
        {"phase": "3", "epoch": 1},
    ]
    page = report(title="A run", history=rows)
    found = outline(page)
    assert "phase 1" in found.text
    assert "phase 2" in found.text
    assert "phase 3" not in found.text
    assert not {"nan", "inf"} & set(re.findall(r"[a-z]+", page.lower()))


def test_an_empty_report_is_a_page() -> None:
    assert "Nothing yet" in outline(report(title="Nothing yet")).text


numbers = st.floats(0, 1e4, allow_nan=False)


@given(st.lists(numbers, min_size=1, max_size=30), st.booleans())
def test_charts_keep_inside_their_frame(values: list[float], percent: bool) -> None:
    ys = [value / 1e4 if percent else value for value in values]
    points = tuple((float(k + 1), y) for k, y in enumerate(ys))
    chart = line_chart(
        [Series("training", 0, points)], label="l", x_name="epoch", percent=percent, mark=Mark(1, "best")
    )
    outline(chart)
    for x, y in re.findall(r'cx="([^"]+)" cy="([^"]+)"', chart):
        assert 53.9 <= float(x) <= 486.1
        assert 21.9 <= float(y) <= 210.1
    heights = [float(y) for _, y in re.findall(r'cx="([^"]+)" cy="([^"]+)"', chart)]
    for a, b in zip(range(len(ys)), range(1, len(ys)), strict=False):
        assert (ys[a] - ys[b]) * (heights[a] - heights[b]) <= 0 or math.isclose(
            heights[a], heights[b], abs_tol=0.2
        )
    assert 2 <= chart.count('class="grid"') <= 8


def test_a_chart_without_points_is_nothing() -> None:
    assert line_chart([Series("training", 0, ())], label="l", x_name="epoch") == ""


def test_cells() -> None:
    assert [cell(v) for v in (None, 3, 0.123456, "a<b", True, Interval(0.5))] == [
        *("-", "3", "0.1235", "a&lt;b", "yes", "50.0 %"),
    ]


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "report.html"
    write_report(out, report(title="A run", history=HISTORY))
    assert out.read_text(encoding="utf-8") == report(title="A run", history=HISTORY)
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]
    with pytest.raises(InputError, match="cannot be written"):
        write_report(out / "below a file.html", report(title="A run"))
    folder = tmp_path / "folder.html"
    folder.mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_report(folder, report(title="A run"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "new folder"]
