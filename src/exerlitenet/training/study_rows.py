"""A row of the paper beside ours, and words that several of them share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from exerlitenet.training.metrics import Interval

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
