"""The one table of README: accuracy, counting, cost and size of the shipped model, with links to all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark_tables import load_benchmarks
from documents import Source
from exerlitenet.benchmark.measure import Benchmark
from exerlitenet.evaluation.metrics import Interval
from exerlitenet.pages.text import percent
from markdown_table import markdown
from model_tables import in_words, load_results, ratio_in_words

Results = tuple[Mapping[str, Any], list[Benchmark]]

CARD, SPEED = "[model card](docs/model-card.md)", "[benchmark](docs/benchmark.md)"
IN_A_ROW, AFTER_A_PAUSE = "live frame", "live frame after a pause, 1 thread"
SIZE, SIZE_INT8 = "two graphs", "two graphs, int8 weights"


def load_both(paths: Sequence[Path]) -> Results:
    """A cross-validation and the benchmarks of every machine. Raises InputError for files that cannot be used."""
    figures = load_results([path for path in paths if path.suffix == ".json"])
    return figures, load_benchmarks([path for path in paths if path.suffix == ".csv"])


def _overview(results: Results) -> str:
    figures, benchmarks = results
    unseen, every = figures["strangers"], figures["left_out"]
    counting = unseen["repetitions"]["all"]

    def accuracy(part: Mapping[str, Any], unit: str, figure: str) -> Interval:
        found: Interval = part["judgements"][unit][figure]
        return found

    def clips(part: Mapping[str, Any], unit: str) -> int:
        return int(part["judgements"][unit]["items"])

    found = (
        f"squat or curl {in_words(accuracy(unseen, 'exercise_clips', 'accuracy'))} of "
        f"{clips(unseen, 'exercise_clips')} clips; three classes "
        f"{in_words(accuracy(unseen, 'clips', 'balanced_accuracy'))} of {clips(unseen, 'clips')}. "
        f"Over all {clips(every, 'clips')} clips, held out from the sequence head: "
        f"{percent(accuracy(every, 'exercise_clips', 'accuracy').value)} and "
        f"{percent(accuracy(every, 'clips', 'balanced_accuracy').value)}"
    )
    counted = (
        f"off-by-one accuracy (OBO) {in_words(counting['within_one'])}, normalised MAE "
        f"{ratio_in_words(counting['relative_error'])}; {counting['clips']} clips"
    )
    cost = (
        f"{_span(benchmarks, IN_A_ROW)} ms on one core, frames in a row; "
        f"{_span(benchmarks, AFTER_A_PAUSE)} ms after a pause; {len(benchmarks)} machines"
    )
    size = f"{_megabytes(benchmarks, SIZE)} MB; {_megabytes(benchmarks, SIZE_INT8)} MB with `export --int8`"
    return markdown(
        ("measure", "figure", "all figures"),
        [
            ("accuracy on unseen subjects", found, CARD),
            ("counting, unseen subjects", counted, CARD),
            ("cost of a live frame", cost, SPEED),
            ("size of the model", size, CARD),
        ],
    )


def _values(benchmarks: Sequence[Benchmark], measure: str) -> list[float]:
    found = [result.find(measure) for result in benchmarks]
    return [one.value for one in found if one is not None]


def _span(benchmarks: Sequence[Benchmark], measure: str) -> str:
    """Lowest to highest over the machines: "2.7 to 3.4"."""
    values = [f"{value:.1f}" for value in sorted(_values(benchmarks, measure))]
    return " to ".join(dict.fromkeys((values[0], values[-1]))) if values else "-"


def _megabytes(benchmarks: Sequence[Benchmark], measure: str) -> str:
    values = _values(benchmarks, measure)
    return f"{values[0] / 1e6:.1f}" if values else "-"


OVERVIEW = Source("cross-validation.json,benchmark-*.csv", load_both, {"figures": _overview})
"""From results/cross-validation.json and results/benchmark-*.csv."""
