"""Tables of how the shipped model was evaluated, for the documents.

From results/cross-validation.json, which `tools/results.py` writes, and results/robustness.json, the "robustness" of
`exerlitenet evaluate RUN CLIPS --degrade all --json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from documents import Source, read_object
from exerlitenet.evaluation.metrics import Interval, with_intervals
from exerlitenet.pages.text import bounds, percent
from markdown_table import markdown

Results = Mapping[str, Any]

PARTS = {
    "left_out": "every clip, held out from the head",
    "strangers": "subjects unseen by all of the model",
}
FIGURES = {
    "which exercise, clips": "squat or curl, clips",
    "which exercise, sequences, balanced": "sequences",
    "all classes, clips, balanced": "three classes",
    "none called an exercise": "false-positive rate of none clips",
    "repetitions within one": "repetitions, OBO",
}
DEGRADED = {
    "as they are": "as they are",
    "light": "light x 0.25, noise of sigma 8",
    "resolution": "short side 64 pixels and back",
    "blur": "Gaussian blur, sigma 3 at 224 pixels",
    "fps-5": "5 frames a second",
    "fps-10": "10",
    "fps-15": "15",
    "fps-60": "60",
    "mirrored": "mirrored",
    "letterboxed": "letterboxed",
    "crop-head": "head cut off",
    "crop-feet": "feet cut off",
}
# Activities of which fewer clips were taken for an exercise are in no table.
LEAST_MISTAKEN = 3


def load_results(paths: Sequence[Path]) -> Results:
    """One file of results. Raises InputError for one that is no JSON object."""
    [path] = paths
    found: Results = with_intervals(read_object(path))
    return found


def _figures(results: Results) -> str:
    """Measures of a cross-validation: every clip, and those of people whom no part of the model has seen."""
    found = [results[part] for part in PARTS]

    def figures(unit: str, figure: str) -> list[str]:
        return [in_words(part["judgements"][unit][figure]) for part in found]

    def items(unit: str, words: str) -> str:
        counts = [part["judgements"][unit]["items"] for part in found]
        return f"{counts[0]:,}; {counts[1]:,} {words}"

    def counted(kind: str, figure: str) -> list[str]:
        shares = [part["repetitions"][kind][figure] for part in found]
        return [in_words(share) if figure == "within_one" else ratio_in_words(share) for share in shares]

    def clips(kind: str) -> str:
        return "; ".join(f"{part['repetitions'][kind]['clips']}" for part in found) + " clips"

    support = [part["judgements"]["clips"]["scores"]["none"]["support"] for part in found]
    rows: list[tuple[str, ...]] = [
        (
            "squat or curl, clips right",
            *figures("exercise_clips", "accuracy"),
            items("exercise_clips", "clips"),
        ),
        (
            "squat or curl, sequences, balanced",
            *figures("exercise_sequences", "balanced_accuracy"),
            items("exercise_sequences", "sequences"),
        ),
        ("three classes, clips, balanced", *figures("clips", "balanced_accuracy"), items("clips", "clips")),
        (
            "false-positive rate of none clips",
            *(in_words(part["none_called_exercise"]) for part in found),
            f"{support[0]:,}; {support[1]:,} clips",
        ),
        ("repetitions, off-by-one accuracy (OBO), 3 or more", *counted("all", "within_one"), clips("all")),
        ("repetitions, normalised MAE", *counted("all", "relative_error"), clips("all")),
        ("the same for squats", *counted("squat", "relative_error"), clips("squat")),
        ("the same for curls", *counted("biceps_curl", "relative_error"), clips("biceps_curl")),
    ]
    return markdown(("measure", *PARTS.values(), "items"), rows)


def in_words(found: Interval) -> str:
    """ "95.6 % (93.4 to 97.6)"."""
    inside = bounds(found)
    return percent(found.value) + (f" ({inside})" if inside else "")


def ratio_in_words(found: Interval) -> str:
    """A ratio that is no share of anything."""
    if found.value is None or found.low is None or found.high is None:
        return "-" if found.value is None else f"{found.value:.2f}"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _confusion(results: Results) -> str:
    """Every clip: rows as they are, columns as called."""
    found = results["left_out"]["judgements"]["clips"]
    rows = [
        (name, *(f"{n}" for n in row)) for name, row in zip(found["classes"], found["confusion"], strict=True)
    ]
    return markdown(("", *found["classes"]), rows)


def _views(results: Results) -> str:
    """Clips right over all classes, by where the camera stands."""
    rows = [(row["name"], f"{row['right']} of {row['clips']}") for row in results["left_out"]["by_view"]]
    return markdown(("view", "right over three classes"), rows)


def _mistaken(results: Results) -> str:
    """What is most often called a squat or a curl and is neither."""
    rows = [
        (row["activity"].replace("_", " "), f"{row['called_exercise']} of {row['clips']}")
        for row in results["left_out"]["mistaken_activities"]
        if row["called_exercise"] >= LEAST_MISTAKEN
    ]
    return markdown(("activity", "called a squat or a curl"), rows)


def _worse_pictures(results: Results) -> str:
    """Measures on clips that were made worse, a kind a row."""
    rows = [
        (
            words,
            *(percent(results["robustness"][kind][figure].value) for figure in FIGURES),
        )
        for kind, words in DEGRADED.items()
        if kind in results["robustness"]
    ]
    return markdown(("clips", *FIGURES.values()), rows)


CROSS_VALIDATION = Source(
    "cross-validation.json",
    load_results,
    {"figures": _figures, "confusion": _confusion, "views": _views, "mistaken": _mistaken},
)
ROBUSTNESS = Source("robustness.json", load_results, {"figures": _worse_pictures})
