"""A row of the paper beside ours, and words that several of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from exerlitenet.training.metrics import Interval
from exerlitenet.training.study_results import interval

Verdict = Literal["reached", "not reached", "not to be had"]

QUICK = "quick study: no accuracy"
SPLIT_NAMES = {"sequence": "random split", "group": "split by group"}
NOT_PUBLISHED = "the paper's clips are not published"


@dataclass(frozen=True)
class Row:
    """where: table or figure. ours, paper: as shown. why: one line, empty where nothing needs saying."""

    where: str
    what: str
    paper: str
    ours: str
    verdict: Verdict
    why: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def points(difference: Interval) -> str:
    """A difference of shares in points, with its interval."""
    if difference.value is None:
        return "-"
    text = f"{100 * difference.value:+.1f} points"
    if difference.low is None or difference.high is None:
        return text
    return f"{text} [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"


PAIR_COLUMNS = ("systems", "split", "clips", "only first right", "only second right", "p", "difference")


def pair_rows(results: Mapping[str, Any], splits: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Systems against each other, one pair and split a row, under PAIR_COLUMNS.

    results: content of reproduction.json. splits: what each split is called.
    """
    systems = results["systems"]
    return [
        (
            f"{systems[pair['first']]['short']} against {systems[pair['second']]['short']}",
            splits[pair["split"]],
            pair["clips"],
            pair["only_first"],
            pair["only_second"],
            f"{pair['p_value']:.3g}",
            points(interval(pair["difference"])),
        )
        for pair in results["pairs"]
    ]
