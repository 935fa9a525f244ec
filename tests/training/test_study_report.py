"""Rows, page and tables from results that a test makes up: every verdict, every reason, nothing hidden."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from exerlitenet.errors import InputError
from exerlitenet.training import paper_figures as paper
from exerlitenet.training.documents import render_document
from exerlitenet.training.metrics import Interval
from exerlitenet.training.study_charts import IntervalRow, interval_chart
from exerlitenet.training.study_costs import vgg16_top_parameters
from exerlitenet.training.study_report import study_report
from exerlitenet.training.study_results import FORMAT, NO_WEIGHTS, NOT_RUN
from exerlitenet.training.study_rows import KINDS, points, tally
from exerlitenet.training.study_systems import SYSTEMS
from exerlitenet.training.study_tables import STUDY
from exerlitenet.training.study_verdicts import verdicts

ROOT = Path(__file__).resolve().parents[2]


def share(value: float, half: float = 0.02) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": min(1.0, value + half)}


def split_of(accuracy: float, difference: float = 0.05, best: int = 12) -> dict[str, Any]:
    scores = {key: share(accuracy) for key in ("precision", "recall", "f1")}
    judged = {
        "unit": "sequences",
        "classes": ["biceps_curl", "squat"],
        "confusion": [[85, 15], [8, 92]],
        "items": 200,
        "accuracy": share(accuracy),
        "balanced_accuracy": share(accuracy - 0.01),
        "positive": {"class": "biceps_curl", **scores},
    }
    seed = {"seed": 0, "epochs": best + 5, "best_epoch": best, "sequences": 200, "accuracy": accuracy}
    seed |= {"validation_at_best": 0.61, "validation_highest": 0.74}
    return {
        "sequences": judged,
        "clips": judged | {"unit": "clips", "items": 40},
        "seeds": [seed | {"clips": 40, "clip_accuracy": accuracy}],
        "last": {"balanced": share(accuracy - 0.05), "clips": share(accuracy)},
        "errors": {"biceps_curl": share(0.10), "squat": share(0.02)},
        "curls_over_squats": share(difference),
        "rest": {
            "sequences": 100,
            "errors": 30,
            "rows": [{"distance": "in the window", "sequences": 100, "error": share(0.1)}],
            "difference": share(-difference),
        },
    }


def network(name: str) -> dict[str, Any]:
    layers = [
        {"name": n, "type": "", "output_shape": list(shape), "parameters": p, "macs": 0}
        for n, shape, p in paper.LAYERS
        if name != "resnet50" or n != "lstm"
    ]
    if name == "vgg16":
        layers[1]["parameters"] = 14_714_688
    frame = {"paper": 54_896_576, "vgg16": 15_346_630_656, "resnet50": 3_857_973_248}[name]
    return {
        "total_parameters": 15_595_826,
        "parameters": {"total": 15_595_826, **paper.PARAMETERS, **paper.NON_TRAINABLE},
        "layers": layers,
        "macs": {"frame": frame, "sequence": 15 * frame},
        "flops_sequence": 30 * frame,
        "size": {
            "weights_bytes": 95_433_480 if name == "resnet50" else 62_383_304,
            "checkpoint_bytes_before": 179_636_952,
            "checkpoint_bytes_after": 182_442_840,
        },
        "frames": 15,
        "forward_s": {"value": 0.1, "low": 0.09, "high": 0.12, "repetitions": 5},
        "profiler_flops": 1_797_569_828,
    }


@pytest.fixture
def results() -> dict[str, Any]:
    from exerlitenet.training.config import load_config

    systems: dict[str, Any] = {
        s.name: {
            "short": s.short,
            "title": s.title,
            "learner": s.learner.name,
            "published": s.published,
            "note": None,
            "splits": {"sequence": split_of(0.99), "group": split_of(0.7)},
            "overstated": {key: share(0.29) for key in ("balanced", "sequences", "clips")},
        }
        for s in SYSTEMS
    }
    for name in ("resnet50", "vgg16"):
        systems[name] |= {"note": NO_WEIGHTS, "splits": {}}
        del systems[name]["overstated"]
    rows = [{"epoch": e, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.1, "val_accuracy": 0.9} for e in (1, 2)]
    tested = {
        "sequences": {"biceps_curl": 60, "squat": 140},
        "clips": {"biceps_curl": 18, "squat": 22},
        "groups": 25,
        "largest_group": 0.24,
        "always": {"class": "squat", "sequences": 0.7, "clips": 0.55},
    }
    return {
        "format": FORMAT,
        "quick": False,
        "tested": {"sequence": tested, "group": tested},
        "dataset": {
            "clips": 250,
            "groups": 71,
            "seconds": 2392.0,
            "sequences": 1307,
            "classes": {
                "biceps_curl": {"clips": 118, "groups": 40, "sequences": 700},
                "squat": {"clips": 132, "groups": 35, "sequences": 607},
            },
        },
        "networks": {name: network(name) for name in ("paper", "vgg16", "resnet50")},
        "systems": systems,
        "pairs": [
            {
                "split": "group",
                "first": "proposed",
                "second": control,
                "clips": 90,
                "only_first": 12,
                "only_second": 3,
                "p_value": 0.035,
                "difference": share(0.1),
                "seeds": [],
            }
            for control in ("single_frame", "shuffled", "disordered")
        ],
        "curves": [
            {
                "learner": "paper",
                "split": "sequence",
                "seed": 0,
                "phase": phase,
                "best_epoch": 2,
                "rows": rows,
                "seconds": 60.0,
            }
            for phase in ("frozen", "fine-tuned")
        ],
        "statements": {"sequence": "Random <split>.", "group": "Split by group."},
        "settings": {"seeds": [0], "splits": ["sequence", "group"], "systems": [], "overrides": []},
        "configurations": {"paper": load_config("paper").to_dict()},
        "machine": {"cpu": "CPU", "cores": 2, "system": "Linux"},
        "versions": {"keras": "3"},
    }


def by_name(results: dict[str, Any]) -> dict[str, Any]:
    return {row.what: row for row in verdicts(results)}


def test_every_row_has_a_verdict_and_a_reason_where_it_is_not_reached(results: dict[str, Any]) -> None:
    rows = verdicts(results)
    assert len(rows) == len({(row.where, row.what) for row in rows})
    assert {row.verdict for row in rows} == {"reached", "not reached", "not to be had"}
    for row in rows:
        assert row.verdict == "reached" or row.why, row
        assert "\n" not in row.why


def test_kinds_are_counted_apart_so_that_copies_make_no_success(results: dict[str, Any]) -> None:
    rows = verdicts(results)
    counted = {name: counts for name, *counts in tally([row.to_json() for row in rows])}
    assert list(counted) == list(KINDS.values())
    assert sum(counts[0] for counts in counted.values()) == len(rows)
    for number, *parts in counted.values():
        assert number == sum(parts)
    for system in results["systems"].values():
        system |= {"note": NO_WEIGHTS, "splits": {}}
    results |= {"pairs": [], "curves": []}
    nothing = {name: counts for name, *counts in tally([row.to_json() for row in verdicts(results)])}
    for kind in ("accuracy", "training", "explanation"):
        number, reached, _, unknown = nothing[KINDS[kind]]  # type: ignore[index]
        assert (reached, unknown) == (0, number)
    assert nothing[KINDS["design"]] == counted[KINDS["design"]]


def test_the_epochs_that_the_paper_ran_can_be_reached(results: dict[str, Any]) -> None:
    assert by_name(results)["fine-tuned: epochs run"].verdict == "not reached"
    [curve] = [c for c in results["curves"] if c["phase"] == "fine-tuned"]
    curve["rows"] = curve["rows"] * 7
    assert by_name(results)["fine-tuned: epochs run"].verdict == "reached"


def test_too_few_errors_say_nothing_of_where_they_lie(results: dict[str, Any]) -> None:
    found = results["systems"]["proposed"]["splits"]["group"]
    found["sequences"]["confusion"] = [[95, 5], [6, 94]]
    found["rest"]["errors"] = 11
    rows = by_name(results)
    for what in ("curls err more than squats", "errors lie at rest between repetitions"):
        row = rows[f"{what}, split by group"]
        assert (row.verdict, row.why) == (
            "not to be had",
            "11 errors in all: too few to say where they lie",
        )


def test_what_needs_no_training_is_reached(results: dict[str, Any]) -> None:
    rows = by_name(results)
    for what in (
        *("parameters", "trainable, fine-tuned", "layer lstm", "proposed, size", "VGG16 + LSTM, size"),
        *("proposed, operations of a sequence", "VGG16 + LSTM, operations", "ResNet50, size"),
        *("ResNet50, operations", "learning rate, frozen", "dropout after the LSTMs"),
    ):
        assert rows[what].verdict == "reached", rows[what]
    assert rows["proposed, size"].ours == "178.5 MiB"
    assert rows["VGG16 + LSTM, size"].ours == "553.4 MB"
    assert "one image" in rows["VGG16 + LSTM, operations"].why
    assert 14_714_688 + vgg16_top_parameters() == 138_357_544


def test_augmentation_is_read_from_the_configuration(results: dict[str, Any]) -> None:
    assert by_name(results)["augmentation"].verdict == "reached"
    results["configurations"]["paper"]["augment"]["motion_blur_chance"] = 0.0
    row = by_name(results)["augmentation"]
    assert (row.verdict, row.ours) == ("not reached", "flip, brightness, contrast, Gaussian blur")
    results["configurations"]["paper"]["augment"]["copies"] = 0
    assert by_name(results)["augmentation"].ours == "none"


def test_another_network_reaches_nothing(results: dict[str, Any]) -> None:
    own = results["networks"]["paper"]
    own["parameters"] = own["parameters"] | {"total": 1_000_000}
    own["layers"][3]["output_shape"] = [15, 64]
    own["profiler_flops"] = 10**9
    rows = by_name(results)
    for what in ("parameters", "layer lstm", "proposed, size", "proposed, operations of a sequence"):
        assert rows[what].verdict == "not reached"
    assert rows["layer dense"].verdict == "reached"


def test_an_accuracy_is_reached_by_the_papers_split_only(results: dict[str, Any]) -> None:
    row = by_name(results)["proposed, accuracy"]
    assert (row.verdict, row.ours) == ("reached", "99.0 % [97.0, 100.0]")
    # What new people make of it, and what knowing nothing would, stand in the same line.
    assert row.why.endswith("people not trained on: 70.0 % [68.0, 72.0], where always squat gets 70.0 %")
    results["systems"]["proposed"]["splits"]["sequence"] = split_of(0.92)
    results["systems"]["proposed"]["splits"]["group"] = split_of(0.99)
    assert by_name(results)["proposed, accuracy"].verdict == "not reached"


def test_the_gain_of_fine_tuning(results: dict[str, Any]) -> None:
    row = by_name(results)["gain by fine-tuning"]
    assert (row.verdict, row.ours) == ("not reached", "+0.0 points")
    assert "knows the clips" in row.why
    results["systems"]["frozen"]["splits"]["sequence"] = split_of(0.90)
    assert by_name(results)["gain by fine-tuning"].verdict == "reached"
    results["systems"]["frozen"]["splits"]["sequence"] = split_of(0.95)
    assert "not published" in by_name(results)["gain by fine-tuning"].why


def test_random_weights_have_no_accuracy(results: dict[str, Any]) -> None:
    row = by_name(results)["ResNet50, accuracy"]
    assert (row.ours, row.verdict, row.why) == ("-", "not to be had", NO_WEIGHTS)
    results["systems"]["resnet50"] |= {"note": None, "splits": {"sequence": split_of(0.9)}}
    assert by_name(results)["ResNet50, accuracy"].verdict == "reached"


def test_the_papers_explanations_are_tested_by_intervals(results: dict[str, Any]) -> None:
    rows = by_name(results)
    assert rows["curls err more than squats, split by group"].verdict == "reached"
    assert "other way round" in rows["errors lie at rest between repetitions, split by group"].why
    movement = "movement matters: against a network that learned shuffled frames, split by group"
    assert rows[movement].verdict == "reached"
    assert rows["movement matters: against itself on shuffled frames, split by group"].verdict == "reached"
    results["pairs"][1]["difference"] = share(0.01)
    found = by_name(results)[movement]
    assert found.verdict == "not reached"
    assert found.why == "the interval holds 0: no difference shown, nor that there is none"
    unknown = {"value": None, "low": None, "high": None}
    results["systems"]["proposed"]["splits"]["group"]["rest"]["difference"] = unknown
    nothing = by_name(results)["errors lie at rest between repetitions, split by group"]
    assert (nothing.ours, nothing.verdict) == ("-", "not to be had")


# The rows of the paper's section 5 that no training changes.
SPEEDS = ("frames a second, forward pass alone", "seconds of one sequence, from capture to answer")


def test_the_papers_time_of_a_sequence_counts_the_waiting_for_its_frames(results: dict[str, Any]) -> None:
    row = by_name(results)[SPEEDS[1]]
    assert (row.paper, row.ours, row.verdict) == ("2.3", "1.03", "reached")  # 14 / 15 s and the forward pass
    results["networks"]["paper"]["forward_s"]["value"] = 1.5
    row = by_name(results)[SPEEDS[1]]
    assert (row.ours, row.verdict) == ("2.43", "not reached")


def test_a_quick_study_reaches_no_accuracy(results: dict[str, Any]) -> None:
    results["quick"] = True
    for row in verdicts(results):
        if "accuracy" in row.what or row.where.startswith(("figures", "section 5")):
            assert row.verdict != "reached" or row.what in SPEEDS, row
    results["rows"] = [row.to_json() for row in verdicts(results)]
    text = study_report(results)
    assert "Its accuracies mean nothing" in text
    assert "On these clips the proposed network gets" not in text


def test_the_page_escapes_and_shows_everything(results: dict[str, Any]) -> None:
    results["rows"] = [row.to_json() for row in verdicts(results)]
    text = study_report(results)
    assert "Random &lt;split&gt;." in text
    assert "<split>" not in text
    for row in results["rows"]:
        assert f">{row['what']}<" in text.replace("&#x27;", "'")
    for system in results["systems"].values():
        assert system["title"] in text
    assert re.findall(r"<td[^>]*>107<", text)  # the paper's matrix
    assert "98.0 % [96.0, 100.0] of test sequences by the random split" in text
    assert "69.0 % [67.0, 71.0] of new people" in text.replace("&#x27;", "'")
    assert "overstates it by +29.0 points [+27.0, +31.0], on clips by" in text
    assert "always squat" in text
    assert "None" not in re.sub(r"<[^>]+>", " ", text)


def test_a_study_of_one_split_without_the_proposed_one_makes_a_page(results: dict[str, Any]) -> None:
    results["systems"] = {"single_frame": results["systems"]["single_frame"]}
    del results["systems"]["single_frame"]["splits"]["sequence"]
    del results["systems"]["single_frame"]["overstated"]
    results |= {"pairs": [], "curves": [], "networks": {}, "configurations": {}}
    rows = by_name(results)
    # What was not run stands in the list all the same, and says so.
    assert rows["ResNet50: temporal modelling, input"].why == NOT_RUN
    assert rows["batch"].why == NOT_RUN
    for what in ("proposed, accuracy", "frozen, F1", "gain by fine-tuning", "ResNet50, size and operations"):
        assert (rows[what].ours, rows[what].verdict, rows[what].why) == ("-", "not to be had", NOT_RUN)
    results["rows"] = [row.to_json() for row in rows.values()]
    text = study_report(results)
    assert "No two systems were judged" in text
    assert "the paper's figure 14" not in text


def test_differences_are_shown_in_points() -> None:
    assert points(Interval(0.1234, -0.02, 0.3)) == "+12.3 points [-2.0, +30.0]"
    assert points(Interval(-0.05)) == "-5.0 points"
    assert points(Interval(None)) == "-"


def test_the_chart_of_intervals() -> None:
    rows = [
        IntervalRow("a<b", (Interval(0.9, 0.8, 1.0), None), 0.92),
        IntervalRow("c", (Interval(0.55), None)),
    ]
    svg = interval_chart(["random", "group"], rows, label="shares")
    assert svg.count("<circle") == 2 + 2  # two figures and two keys
    assert svg.count("c0") >= 3
    assert "a&lt;b" in svg
    assert "the paper: 92.00 %" in svg
    assert "50 %" in svg
    assert ">100 %<" in svg
    assert interval_chart(["random"], [IntervalRow("a", (Interval(None),))], label="") == ""


# Tables of the documents.


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables_of_documents", ROOT / "tools" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documents_say_what_the_results_say() -> None:
    """Run `python tools/tables.py` when this fails."""
    tables = script()
    for path in (*tables.documents(), *tables.pages()):
        assert tables.written(path) == path.read_text("utf-8"), path.name


@pytest.fixture
def project(tmp_path: Path, results: dict[str, Any]) -> Path:
    (tmp_path / "results").mkdir()
    (tmp_path / "docs").mkdir()
    results["rows"] = [row.to_json() for row in verdicts(results)]
    (tmp_path / "results" / "reproduction.json").write_text(json.dumps(results))
    names = tuple(STUDY.tables)
    marked = "".join(f"<!-- table: reproduction {name} -->\n<!-- end of table -->\n\n" for name in names)
    (tmp_path / "README.md").write_text(f"Before.\n\n{marked}After.\n")
    (tmp_path / "docs" / "other.md").write_text("No table.\n")
    return tmp_path


def test_tables_are_written_and_differences_found(
    project: Path, results: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    main = script().main
    readme = project / "README.md"
    assert main(["--check"], project) == 1
    said = capsys.readouterr().out
    assert "README.md: differs" in said
    assert "results/reproduction.html: differs" in said
    assert main([], project) == 0
    text = readme.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("After.\n")
    for shown in (
        "| proposed | random split | 99.0 % [97.0, 100.0] |",
        NO_WEIGHTS,
        "+29.0 points",
        "| 553 MB |",
    ):
        assert shown in text
    tables = [part for part in text.split("\n\n") if part.startswith("<!-- table")]
    assert len(tables) == len(STUDY.tables) == 10
    for table in tables:
        assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1, table
    assert "99.0 %" in (project / "results" / "reproduction.html").read_text()
    assert main(["--check"], project) == 0
    changed = copy.deepcopy(results)
    changed["systems"]["proposed"]["splits"]["group"] = split_of(0.71)
    (project / "results" / "reproduction.json").write_text(json.dumps(changed))
    assert main(["--check"], project) == 1
    assert readme.read_text() == text
    assert main(["--help"], project) == 2


def test_what_stands_between_the_markers_is_never_made_up(project: Path) -> None:
    sources = script().SOURCES
    marker = "<!-- table: reproduction accuracy -->\n{}<!-- end of table -->"
    missing = render_document(marker.format("| 99.9 % |\n"), project / "nowhere", sources)
    assert missing == marker.format("*Not there yet: results/reproduction.json.*\n")
    file = project / "results" / "reproduction.json"
    file.write_text(json.dumps({"quick": True}))
    with pytest.raises(InputError, match="quick study"):
        render_document(marker.format(""), project / "results", sources)
    file.write_text(json.dumps({"format": 1}))
    with pytest.raises(InputError, match="must be a study of format"):
        render_document(marker.format(""), project / "results", sources)
    file.write_text("{")
    with pytest.raises(InputError, match="JSON"):
        render_document(marker.format(""), project / "results", sources)
    with pytest.raises(InputError, match="no table is called reproduction best"):
        render_document(marker.format("").replace("accuracy", "best"), project / "results", sources)
    with pytest.raises(InputError, match="end of table"):
        render_document("<!-- table: reproduction accuracy -->\n", project / "results", sources)
    (project / "README.md").write_text("<!-- table: nothing here -->\n<!-- end of table -->")
    assert script().main([], project) == 2
