"""Each row of the paper beside ours: reached, not reached and why, or not to be had.

Everything is worked out from the study's results; the reasons of one line are chosen by what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from exerlitenet.training import paper_figures as paper
from exerlitenet.training.metrics import Interval
from exerlitenet.training.study_costs import cost_rows
from exerlitenet.training.study_results import interval
from exerlitenet.training.study_rows import NOT_PUBLISHED, QUICK, SPLIT_NAMES, Row, Verdict, points

# Beyond this share a frozen network has learned the clips themselves.
BY_HEART = 0.97


def verdicts(results: Mapping[str, Any]) -> list[Row]:
    """All rows, those of accuracy first. results: content of reproduction.json without the rows."""
    return [
        *_accuracies(results),
        *_gain(results),
        *_curves(results),
        *cost_rows(results),
        *_explanations(results),
    ]


def _accuracies(results: Mapping[str, Any]) -> Iterator[Row]:
    titles = {"proposed": "proposed", "frozen": "frozen", "resnet50": "ResNet50"}
    for name, published in paper.ACCURACY.items():
        row = results["systems"].get(name)
        if row is None:
            continue
        split = row["splits"].get("sequence")
        if split is None or split["sequences"]["positive"] is None:
            why = row["note"] or "the random split was not run"
            yield Row(
                "tables 2, 3",
                f"{titles[name]}, accuracy",
                f"{published.accuracy:.2f} %",
                "-",
                "not to be had",
                why,
            )
            continue
        judged = split["sequences"]
        for key in ("accuracy", "precision", "recall", "f1"):
            ours = interval(judged["accuracy"] if key == "accuracy" else judged["positive"][key])
            value = getattr(published, key)
            what = f"{titles[name]}, {'F1' if key == 'f1' else key}"
            yield _accuracy(results, name, what, value, ours)
        epochs = [seed["best_epoch"] for seed in split["seeds"]]
        reached = published.best_epoch in epochs
        yield _judged(
            results,
            Row(
                "tables 2, 3",
                f"{titles[name]}, best epoch",
                str(published.best_epoch),
                ", ".join(map(str, epochs)),
                "reached" if reached else "not reached",
                "" if reached else f"it follows from the data and the first weights, and {NOT_PUBLISHED}",
            ),
        )
    for name, figure in (("frozen", "13"), ("proposed", "14")):
        if name not in results["systems"]:
            continue
        split = results["systems"][name]["splits"].get("sequence")
        rates = [row[1 - k] / sum(row) for k, row in enumerate(paper.CONFUSION[name])]
        shown = " and ".join(f"{100 * rate:.1f} %" for rate in rates)
        what = f"{titles[name]}, confusion: curls and squats missed"
        if split is None:
            yield Row(f"figure {figure}", what, shown, "-", "not to be had", "the random split was not run")
            continue
        errors = [interval(split["errors"].get(k)).value for k in ("biceps_curl", "squat")]
        ours_shown = " and ".join("-" if e is None else f"{100 * e:.1f} %" for e in errors)
        fewer = all(e is not None and e <= rate for e, rate in zip(errors, rates, strict=True))
        verdict: Verdict = "reached" if fewer else "not reached"
        why = "" if fewer else f"other clips: {NOT_PUBLISHED}"
        yield _judged(results, Row(f"figure {figure}", what, shown, ours_shown, verdict, why))


def _judged(results: Mapping[str, Any], row: Row) -> Row:
    """The row, or in a quick study the same without a verdict."""
    return replace(row, verdict="not to be had", why=QUICK) if results["quick"] else row


def _accuracy(results: Mapping[str, Any], name: str, what: str, published: float, ours: Interval) -> Row:
    verdict: Verdict = "not reached"
    why = f"other clips: {NOT_PUBLISHED}"
    if ours.value is not None and round(100 * ours.value, 2) >= published:
        verdict, why = "reached", ""
        if what.endswith("accuracy"):
            by_group = results["systems"][name]["splits"].get("group")
            new = by_group and f"; people not trained on: {interval(by_group['sequences']['accuracy'])}"
            why = f"by a random split of sequences, which allows as much without new people{new or ''}"
    return _judged(results, Row("tables 2, 3", what, f"{published:.2f} %", f"{ours}", verdict, why))


def _gain(results: Mapping[str, Any]) -> Iterator[Row]:
    published = paper.ACCURACY["proposed"].accuracy - paper.ACCURACY["frozen"].accuracy
    pair = _pair_accuracy(results, "proposed", "frozen", "sequence")
    if pair is None:
        return
    first, second = pair
    gain = 100 * (first - second)
    shown, what = f"{gain:+.1f} points", "gain by fine-tuning"
    verdict: Verdict = "reached" if gain >= published else "not reached"
    why = ""
    if gain < published:
        why = f"other clips: {NOT_PUBLISHED}"
        if second >= BY_HEART:
            why = f"the frozen network has {100 * second:.1f} % already: it knows the clips"
    yield _judged(results, Row("tables 2, 3", what, f"{published:+.2f} points", shown, verdict, why))


def _pair_accuracy(results: Mapping[str, Any], a: str, b: str, split: str) -> tuple[float, float] | None:
    """Accuracies of two systems' sequences on one split, where both were judged."""
    found = []
    for name in (a, b):
        row = results["systems"].get(name, {}).get("splits", {}).get(split)
        if row is None:
            return None
        found.append(float(row["sequences"]["accuracy"]["value"]))
    return found[0], found[1]


def _curves(results: Mapping[str, Any]) -> Iterator[Row]:
    for phase, published in paper.CURVES.items():
        figures = "figures 9 and 10" if phase == "frozen" else "figures 11 and 12"
        ours = [
            c
            for c in results["curves"]
            if c["learner"] == "paper" and c["phase"] == phase and c["split"] == "sequence" and c["rows"]
        ]
        if not ours:
            continue
        ran = [len(c["rows"]) for c in ours]
        yield _judged(
            results,
            Row(
                figures,
                f"{phase}: epochs run",
                str(published.epochs),
                ", ".join(map(str, ran)),
                "not reached",
                f"{published.epochs} does not fit a patience of 5 counted from the best epoch "
                f"{published.best_epoch}",
            ),
        )
        if published.validation_loss_at_best is None:
            continue
        losses = [c["rows"][c["best_epoch"] - 1].get("val_loss") for c in ours]
        known = [loss for loss in losses if loss is not None]
        reached = bool(known) and max(known) <= published.validation_loss_at_best
        yield _judged(
            results,
            Row(
                figures,
                f"{phase}: validation loss at the best epoch",
                f"{published.validation_loss_at_best:g}",
                ", ".join(f"{loss:.3f}" for loss in known) or "-",
                "reached" if reached else "not reached",
                "" if reached else f"other clips: {NOT_PUBLISHED}",
            ),
        )


def _explanations(results: Mapping[str, Any]) -> Iterator[Row]:
    row = results["systems"].get("proposed")
    if row is None:
        return
    for split, name in SPLIT_NAMES.items():
        found = row["splits"].get(split)
        if found is None:
            continue
        if "curls_over_squats" in found:
            yield _explained(
                *(results, f"curls err more than squats, {name}", "12.3 % against 3.4 %"),
                interval(found["curls_over_squats"]),
            )
        yield _explained(
            *(results, f"errors lie at rest between repetitions, {name}", "said"),
            interval(found["rest"]["difference"]),
        )
    for control, what in (
        ("single_frame", "temporal modelling helps: against single frames, split by group"),
        ("shuffled", "movement matters: against shuffled frames, split by group"),
    ):
        pair = next(
            (
                p
                for p in results["pairs"]
                if (p["split"], p["first"], p["second"]) == ("group", "proposed", control)
            ),
            None,
        )
        if pair is not None:
            yield _explained(results, what, "said", interval(pair["difference"]))


def _explained(results: Mapping[str, Any], what: str, said: str, difference: Interval) -> Row:
    """difference: what the explanation says is above 0."""
    if difference.value is None:
        return Row("section 5", what, said, "-", "not to be had", "nothing to compare on these clips")
    verdict: Verdict = "not reached"
    why = "the interval holds 0: no difference shown"
    if difference.low is not None and difference.low > 0:
        verdict, why = "reached", "the interval lies above 0"
    elif difference.high is not None and difference.high < 0:
        why = "here it is the other way round"
    elif difference.low is None:
        why = "too few groups for an interval"
    return _judged(results, Row("section 5", what, said, points(difference), verdict, why))
