"""What a run of the default model says while it trains: on the terminal, in log.txt and in history.csv."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from exerlitenet.progress import Logged, Progress
from exerlitenet.training.posture.head_fit import HeadEpoch
from exerlitenet.training.posture.pose_fit import REPORT_EVERY, PostureReport, PostureStage
from exerlitenet.training.run import Run


class Record(Logged):
    """A progress that also writes the run's log and history.

    history.csv has the columns of `HeadEpoch` throughout; a posture stage has a row, called an epoch, for every
    50 steps.
    """

    def __init__(self, run: Run, progress: Progress) -> None:
        super().__init__(progress, run.log)
        self._run = run

    def posture(self, stage: PostureStage, now: PostureReport) -> None:
        """Some steps of a posture stage are done."""
        row: dict[str, Any] = dict.fromkeys(HeadEpoch.__dataclass_fields__)
        row["phase"] = f"posture {now.stage + 1} at {stage.size} pixels (epochs of {REPORT_EVERY} steps)"
        row["epoch"] = -(-now.step // REPORT_EVERY)
        row["loss"], row["seconds"] = now.loss, round(now.seconds, 2)
        self._add(row)
        self.advance(now.step, f"loss {now.loss:.3f}")
        self.say(
            f"posture at {stage.size} pixels: step {now.step} of {now.steps}, loss {now.loss:.4f}, "
            f"{_left(now.seconds_left, 'stage')}"
        )

    def head(self, epochs: int, now: HeadEpoch, name: str) -> None:
        """An epoch of the sequence head `name` is done."""
        self._add(asdict(now) | {"phase": name})
        self.advance(now.epoch, f"loss {now.loss:.3f}")
        validation = ""
        if now.val_loss is not None and now.val_accuracy is not None:
            validation = f", validation loss {now.val_loss:.4f} accuracy {now.val_accuracy:.3f}"
        self.say(
            f"{name} epoch {now.epoch} of {epochs}: loss {now.loss:.4f} accuracy {now.accuracy:.3f}{validation}, "
            f"{now.seconds:.1f} s; {_left((epochs - now.epoch) * now.seconds, 'phase')}"
        )

    def _add(self, row: Mapping[str, Any]) -> None:
        """A row of history.csv; it replaces what a killed run had written of the same steps and beyond."""
        kept = [
            old
            for old in self._run.history
            if old["phase"] != row["phase"] or int(old["epoch"]) < int(row["epoch"])
        ]
        self._run.write_history([*kept, row])


def _left(seconds: float, what: str) -> str:
    if seconds <= 0:
        return "done"
    return (
        f"about {seconds / 60:.0f} min left in this {what}"
        if seconds >= 90
        else f"about {seconds:.0f} s left"
    )
