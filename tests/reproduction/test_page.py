"""Rows and page from results that a test makes up: every verdict, every reason, nothing hidden."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import pytest

from exerlitenet.reproduction.page import study_report
from exerlitenet.reproduction.paper import KINDS
from exerlitenet.reproduction.results import NO_WEIGHTS, NOT_RUN
from exerlitenet.reproduction.verdicts import tally, verdicts, vgg16_top_parameters
from made_up_study import made_up_results, share, split_of


@pytest.fixture
def results() -> dict[str, Any]:
    return made_up_results()


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
    counted = {name: counts for name, *counts in tally([asdict(row) for row in rows])}
    assert list(counted) == list(KINDS.values())
    assert sum(counts[0] for counts in counted.values()) == len(rows)
    for number, *parts in counted.values():
        assert number == sum(parts)
    for system in results["systems"].values():
        system |= {"note": NO_WEIGHTS, "splits": {}}
    results |= {"pairs": [], "curves": []}
    nothing = {name: counts for name, *counts in tally([asdict(row) for row in verdicts(results)])}
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
    results["rows"] = [asdict(row) for row in verdicts(results)]
    text = study_report(results)
    assert "Its accuracies mean nothing" in text
    assert "On these clips the proposed network gets" not in text


def test_the_page_escapes_and_shows_everything(results: dict[str, Any]) -> None:
    results["rows"] = [asdict(row) for row in verdicts(results)]
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
    assert rows["ResNet50: temporal modelling"].why == NOT_RUN
    assert rows["layer lstm"].why == NOT_RUN
    assert rows["batch"].why == NOT_RUN
    for what in ("proposed, accuracy", "frozen, F1", "gain by fine-tuning", "ResNet50, size"):
        assert (rows[what].ours, rows[what].verdict, rows[what].why) == ("-", "not to be had", NOT_RUN)
    results["rows"] = [asdict(row) for row in rows.values()]
    text = study_report(results)
    assert "No two systems were evaluated" in text
    assert "the paper's figure 14" not in text
