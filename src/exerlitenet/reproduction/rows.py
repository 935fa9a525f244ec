"""A row of the paper beside ours, how many of each kind are reached, and words that several of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from exerlitenet.evaluation.metrics import Interval

Verdict = Literal["reached", "not reached", "not to be had"]
Kind = Literal["accuracy", "training", "explanation", "cost", "design", "data"]

KINDS: dict[Kind, str] = {
    "accuracy": "accuracy, by the random split",
    "training": "course of training",
    "explanation": "what the paper says of errors and movement",
    "cost": "size, operations, speed",
    "design": "network and settings, copied",
    "data": "data",
}
"""What a row is about. What is copied from the paper is reached by copying, so it is never counted with the others."""

QUICK = "quick study: no accuracy"
SPLIT_NAMES = {"sequence": "random split", "group": "split by group"}
NOT_PUBLISHED = "the paper's clips are not published"


@dataclass(frozen=True)
class Row:
    """where: table or figure. ours, paper: as shown. why: one line, empty where nothing needs saying."""

    kind: Kind
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


def tally(rows: Sequence[Mapping[str, str]]) -> list[tuple[str, int, int, int, int]]:
    """Of each kind: its name, rows, and how many of them are reached, not reached and not to be had."""
    out = []
    for kind, name in KINDS.items():
        found = [row["verdict"] for row in rows if row["kind"] == kind]
        reached, missed, unknown = (found.count(verdict) for verdict in get_args(Verdict))
        out.append((name, len(found), reached, missed, unknown))
    return out
