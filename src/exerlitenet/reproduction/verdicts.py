"""Each row of the paper beside ours: reached, not reached and why, or not to be had.

Everything is worked out from the study's results; the reasons of one line are chosen by what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from exerlitenet.evaluation.metrics import Interval
from exerlitenet.reproduction import paper
from exerlitenet.reproduction.costs import cost_rows
from exerlitenet.reproduction.results import NOT_RUN
from exerlitenet.reproduction.rows import (
    NOT_PUBLISHED,
    QUICK,
    SPLIT_NAMES,
    Kind,
    Row,
    Verdict,
    points,
)
from exerlitenet.reproduction.systems import system

# Beyond this share a frozen network has learned the clips themselves.
BY_HEART = 0.97
# With fewer errors than this nothing is said of where they lie.
LEAST_ERRORS = 20


def verdicts(results: Mapping[str, Any]) -> list[Row]:
    """All rows, those of accuracy first. results: content of reproduction.json without the rows."""
    return [
        *_accuracies(results),
        *_gain(results),
        *_curves(results),
        *cost_rows(results),
        *_explanations(results),
    ]


def _split(results: Mapping[str, Any], system: str, split: str) -> Mapping[str, Any] | None:
    """A system's figures on one split, where it was judged."""
    found: Mapping[str, Any] | None = results["systems"].get(system, {}).get("splits", {}).get(split)
    return found


def _missing(
    results: Mapping[str, Any], kind: Kind, system: str, where: str, what: str, published: str
) -> Row:
    """The row of a system that was not judged on the paper's split."""
    note = results["systems"].get(system, {}).get("note")
    return Row(kind, where, what, published, "-", "not to be had", note or NOT_RUN)


def _accuracies(results: Mapping[str, Any]) -> Iterator[Row]:
    for name, published in paper.ACCURACY.items():
        title = system(name).short
        split = _split(results, name, "sequence")
        if split is None or split["sequences"]["positive"] is None:
            for key, value in published.figures.items():
                kind: Kind = "training" if key == "best epoch" else "accuracy"
                yield _missing(results, kind, name, "tables 2, 3", f"{title}, {key}", value)
            continue
        judged = split["sequences"]
        for key in ("accuracy", "precision", "recall", "F1"):
            ours = Interval.from_json(
                judged["accuracy"] if key == "accuracy" else judged["positive"][key.lower()]
            )
            yield _accuracy(results, name, f"{title}, {key}", getattr(published, key.lower()), ours)
        epochs = [seed["best_epoch"] for seed in split["seeds"]]
        reached = published.best_epoch in epochs
        yield _judged(
            results,
            Row(
                "training",
                "tables 2, 3",
                f"{title}, best epoch",
                str(published.best_epoch),
                ", ".join(map(str, epochs)),
                "reached" if reached else "not reached",
                "" if reached else f"it follows from the data and the first weights, and {NOT_PUBLISHED}",
            ),
        )
    for name, figure in (("frozen", "figure 13"), ("proposed", "figure 14")):
        split = _split(results, name, "sequence")
        rates = [row[1 - k] / sum(row) for k, row in enumerate(paper.CONFUSION[name])]
        shown = " and ".join(f"{100 * rate:.1f} %" for rate in rates)
        what = f"{name}, confusion: curls and squats missed"
        if split is None:
            yield _missing(results, "accuracy", name, figure, what, shown)
            continue
        errors = [Interval.from_json(split["errors"].get(k)).value for k in ("biceps_curl", "squat")]
        ours_shown = " and ".join("-" if e is None else f"{100 * e:.1f} %" for e in errors)
        fewer = all(e is not None and e <= rate for e, rate in zip(errors, rates, strict=True))
        verdict: Verdict = "reached" if fewer else "not reached"
        why = "no more of either, on other clips" if fewer else f"other clips: {NOT_PUBLISHED}"
        yield _judged(results, Row("accuracy", figure, what, shown, ours_shown, verdict, why))


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
            new = (
                by_group
                and f"; people not trained on: {Interval.from_json(by_group['sequences']['accuracy'])}"
            )
            if new and (tested := results["tested"].get("group")):
                new += f", where always {tested['always']['class']} gets {Interval(tested['always']['sequences'])}"
            why = f"by a random split of sequences, which allows as much without new people{new or ''}"
    return _judged(
        results, Row("accuracy", "tables 2, 3", what, f"{published:.2f} %", f"{ours}", verdict, why)
    )


def _gain(results: Mapping[str, Any]) -> Iterator[Row]:
    published = paper.ACCURACY["proposed"].accuracy - paper.ACCURACY["frozen"].accuracy
    what, shown = "gain by fine-tuning", f"{published:+.2f} points"
    tuned, frozen = (_split(results, name, "sequence") for name in ("proposed", "frozen"))
    if tuned is None or frozen is None:
        yield _missing(results, "accuracy", "proposed", "tables 2, 3", what, shown)
        return
    before = frozen["sequences"]["accuracy"]["value"]
    gain = 100 * (tuned["sequences"]["accuracy"]["value"] - before)
    verdict: Verdict = "reached" if gain >= published else "not reached"
    why = ""
    if gain < published:
        why = f"other clips: {NOT_PUBLISHED}"
        if before >= BY_HEART:
            why = f"the frozen network has {100 * before:.1f} % already: it knows the clips"
    yield _judged(results, Row("accuracy", "tables 2, 3", what, shown, f"{gain:+.1f} points", verdict, why))


def _curves(results: Mapping[str, Any]) -> Iterator[Row]:
    for phase, published in paper.CURVES.items():
        figures = "figures 9 and 10" if phase == "frozen" else "figures 11 and 12"
        ours = [
            c
            for c in results["curves"]
            if c["learner"] == "paper" and c["phase"] == phase and c["split"] == "sequence" and c["rows"]
        ]
        if not ours:
            what = f"{phase}: epochs run"
            yield _missing(results, "training", "proposed", figures, what, str(published.epochs))
            continue
        ran = [len(c["rows"]) for c in ours]
        yield _judged(
            results,
            Row(
                "training",
                figures,
                f"{phase}: epochs run",
                str(published.epochs),
                ", ".join(map(str, ran)),
                "reached" if published.epochs in ran else "not reached",
                f"the paper's {published.epochs} does not fit a patience of 5 counted from its best epoch "
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
                "training",
                figures,
                f"{phase}: validation loss at the best epoch",
                f"{published.validation_loss_at_best:g}",
                ", ".join(f"{loss:.3f}" for loss in known) or "-",
                "reached" if reached else "not reached",
                "" if reached else f"other clips: {NOT_PUBLISHED}",
            ),
        )


def _explanations(results: Mapping[str, Any]) -> Iterator[Row]:
    for split, name in SPLIT_NAMES.items():
        found = _split(results, "proposed", split)
        curls, rest = f"curls err more than squats, {name}", f"errors lie at rest between repetitions, {name}"
        said = "12.3 % against 3.4 %"
        if found is None:
            yield _missing(results, "explanation", "proposed", "section 5", curls, said)
            yield _missing(results, "explanation", "proposed", "section 5", rest, "said")
            continue
        errors = _wrong(found["sequences"]["confusion"])
        yield _explained(results, curls, said, Interval.from_json(found.get("curls_over_squats")), errors)
        yield _explained(
            results, rest, "said", Interval.from_json(found["rest"]["difference"]), found["rest"]["errors"]
        )
    pairs = {(pair["split"], pair["first"], pair["second"]): pair for pair in results["pairs"]}
    for control, what in (
        ("single_frame", "temporal modelling helps: against single frames, split by group"),
        ("shuffled", "movement matters: against a network that learned shuffled frames, split by group"),
        ("disordered", "movement matters: against itself on shuffled frames, split by group"),
    ):
        pair = pairs.get(("group", "proposed", control))
        if pair is None:
            yield _missing(results, "explanation", control, "section 5", what, "said")
        else:
            yield _explained(results, what, "said", Interval.from_json(pair["difference"]))


def _wrong(confusion: Sequence[Sequence[int]]) -> int:
    """Items off the diagonal."""
    return sum(n for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j)


def _explained(
    results: Mapping[str, Any], what: str, said: str, difference: Interval, errors: int | None = None
) -> Row:
    """difference: what the explanation says is above 0. errors: wrong sequences that it rests on, where it does."""
    if difference.value is None:
        why = "nothing to compare on these clips"
        return Row("explanation", "section 5", what, said, "-", "not to be had", why)
    verdict: Verdict = "not reached"
    if errors is not None and errors < LEAST_ERRORS:
        why = f"{errors} errors in all: too few to say where they lie"
        return _judged(
            results,
            Row("explanation", "section 5", what, said, points(difference), "not to be had", why),
        )
    why = "the interval holds 0: no difference shown, nor that there is none"
    if difference.low is not None and difference.low > 0:
        verdict, why = "reached", "the interval lies above 0"
    elif difference.high is not None and difference.high < 0:
        why = "here it is the other way round"
    elif difference.low is None:
        why = "too few groups for an interval"
    return _judged(results, Row("explanation", "section 5", what, said, points(difference), verdict, why))
