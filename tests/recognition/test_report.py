"""The report page: what it says, that it stands alone, and that odd videos and names do not break it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from exerlitenet.errors import InputError
from exerlitenet.recognition.report import page, write_page
from exerlitenet.recognition.timeline import clock, thinned, tick_step, timeline
from exerlitenet.results import Prediction, Segment, Workout

NASTY = 'a/</script><b onclick="x">&"\'.mp4'
CLASSES = ["squat", "biceps_curl", "none"]


def predictions(duration_s: float, phase: bool = True) -> tuple[Prediction, ...]:
    times = [k / 7.5 for k in range(int(duration_s * 7.5))] or [duration_s]
    return tuple(
        Prediction(
            t,
            {"squat": 0.7, "biceps_curl": 0.2, "none": 0.1},
            "squat",
            (k % 15) / 15 if phase else None,
            max(0.0, t - 0.5) if phase else None,
        )
        for k, t in enumerate(times)
    )


def workout(duration_s: float = 20.0, video: str = "gym/clip.mp4", fault: str | None = None) -> Workout:
    segments = (
        Segment(0.0, duration_s / 2, "squat", 0.91, 3, (1.0, 3.0, 6.0)),
        Segment(duration_s / 2, duration_s, "biceps_curl", 0.8, 1, (duration_s * 0.75,)),
    )
    return Workout(segments, predictions(duration_s), duration_s, "default", video, fault)


class Reader(HTMLParser):
    """Collects tags, text and ids, and checks that elements are closed in order."""

    VOID = frozenset({"meta", "input", "br", "link", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def test_the_page_says_what_was_recognised() -> None:
    reader = Reader(page([workout()]))
    for words in (
        "Exercises in video",
        "clip.mp4",
        "Squat, 3 repetitions",
        "Biceps curl",
        "91 %",
    ):
        assert words in reader.text
    assert "2.5" in reader.words  # mean tempo of peaks at 1, 3 and 6 s
    assert "–" in reader.words  # one repetition has no tempo
    marks = [attrs for tag, attrs in reader.tags if attrs.get("class") == "rep"]
    assert len(marks) == 4


def test_the_page_fetches_nothing_and_its_script_may_run() -> None:
    text = page([workout(), workout(5.0)])
    reader = Reader(text)
    assert not any(name in attrs for _, attrs in reader.tags for name in ("src", "srcset", "data", "action"))
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in reader.tags)
    assert not re.search(r"https?:|url\(|@import", text)
    policy = next(
        attrs["content"] or "" for tag, attrs in reader.tags if tag == "meta" and "content" in attrs
    )
    script = text.rsplit("<script>", 1)[1].split("</script>", 1)[0]
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy
    assert "default-src 'none'" in policy


def test_names_from_outside_are_escaped() -> None:
    odd = Workout(
        (Segment(0, 5, "<i>squat", 0.9, 1, (2.0,)),),
        (Prediction(5.0, {"<i>squat": 0.9, "</script>": 0.1}, "<i>squat"),),
        5.0,
        "<u>model",
        NASTY,
        "<em>fault",
    )
    reader = Reader(page([odd, odd]))
    assert not {tag for tag, _ in reader.tags} & {"b", "i", "u", "em", "s", "q"}
    assert "onclick" not in {name for _, attrs in reader.tags for name in attrs}
    for words in ("<i>squat", "<u>model", "<em>fault"):
        assert words in reader.text


def test_the_drawing_is_xml_with_a_title_and_a_description() -> None:
    root = ElementTree.fromstring(timeline(workout(video=NASTY), CLASSES, "t"))
    named = {child.get("id"): (child.text or "") for child in root.iter() if child.get("id")}
    assert set((root.get("aria-labelledby") or "").split()) == set(named)
    assert "Squat from 0.0 s to 10.0 s, 3 repetitions" in " ".join(named.values())


def test_ids_are_unique_and_labels_point_to_them() -> None:
    reader = Reader(page([workout(), workout(), workout(fault="cut")]))
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in reader.tags:
        for name in ("for", "aria-labelledby"):
            assert set((attrs.get(name) or "").split()) <= set(ids)


@pytest.mark.parametrize(
    "odd",
    [
        Workout((), (), 0.0),
        Workout((), predictions(8.0, phase=False), 8.0),
        Workout((), (), 0.0, video="x.mp4", fault="no picture could be read"),
        workout(0.1),
        workout(1.0),
        workout(86400.0 / 8),
    ],
)
def test_odd_videos_have_a_page(odd: Workout) -> None:
    text = page([odd])
    reader = Reader(text)
    assert len(text) < 1_500_000
    if not odd.segments:
        assert "No segment of a known exercise was found." in reader.text
    if odd.fault:
        assert odd.fault in reader.text
    assert not re.search(r"\bnan\b|\binf\b", text.lower())
    assert Reader(page([])).text


def test_long_curves_are_thinned_but_keep_their_extremes() -> None:
    points = [(float(k), 0.5) for k in range(30000)]
    points[12345] = (12345.0, 1.0)
    points[23456] = (23456.0, 0.0)
    kept = thinned(points, 1000)
    assert len(kept) <= 1002
    assert {(12345.0, 1.0), (23456.0, 0.0)} <= set(kept)
    assert kept == sorted(kept)
    assert thinned(points[:1000], 1000) == points[:1000]


def test_the_readings_of_the_script_are_json_of_every_prediction() -> None:
    text = page([workout(4.0)])
    found = re.search(r'<script type="application/json">(.*?)</script>', text)
    assert found is not None
    readings = json.loads(found[1])
    assert readings["classes"] == ["Squat", "Biceps curl", "None"]
    assert len(readings["rows"]) == 30
    assert readings["rows"][15] == [2.0, 1.5, 0.0, 0.7, 0.2, 0.1]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours as the Web Content Accessibility Guidelines define it."""

    def luminance(colour: str) -> float:
        digits = colour.lstrip("#")
        digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4))
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_text_and_curves_can_be_distinguished_from_what_is_behind(theme: int) -> None:
    style = page([]).split("<style>")[1].split("</style>")[0]
    blocks = re.findall(r":root \{(.*?)\}", style, re.S)
    assert len(blocks) == 2
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", blocks[theme]))
    for text, behind in [
        ("ink", "card"),
        ("ink", "page"),
        ("quiet", "card"),
        ("fault", "fault-page"),
        ("c0", "card"),
    ]:
        assert contrast(colours[text], colours[behind]) >= 4.5
    for bar in ("c0", "c1", "c2", "c3"):
        assert contrast(colours["on"], colours[bar]) >= 4.5
        assert contrast(colours[bar], colours["track"]) >= 3
    for curve in ("none", "phase", "c1", "c2", "c3"):
        assert contrast(colours[curve], colours["card"]) >= 3


def test_times_are_written_for_people() -> None:
    assert [clock(7.53), clock(7.53, 0), clock(119.94), clock(125), clock(3723)] == [
        "7.5 s",
        "8 s",
        "119.9 s",
        "2:05",
        "1:02:03",
    ]
    for duration_s in (0.1, 1.0, 30.0, 3600.0, 86400.0, 10**6):
        assert 1 <= duration_s / tick_step(duration_s) <= 10


def test_the_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("old")
    write_page([workout()], out)
    assert out.read_text(encoding="utf-8") == page([workout()])
    assert os.listdir(tmp_path) == ["report.html"]
    with pytest.raises(InputError, match="cannot be written"):
        write_page([workout()], tmp_path / "missing" / "report.html")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_page([workout()], folder)
    assert sorted(os.listdir(tmp_path)) == ["folder", "report.html"]
