"""From a stream's state to the workout log, as it happens; a set continues after a lost connection.

A set in which no repetition was counted is sent to the page, but leaves no trace in the log. Of a model that does not
count, every set is logged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.app.protocol import Source
from exerlitenet.errors import InputError
from exerlitenet.recognition.tracker import TrackerState
from exerlitenet.results import Segment

RESUMED_S = 20.0
"""A set of the same exercise that begins this soon after the last logged one of a resumed session continues it."""

UPDATE_S = 2.0
"""How often a running set is written where no repetition makes it necessary."""


@dataclass(frozen=True)
class Recorded:
    """current: the running set. ended: sets that are over, final. Both with what they continue."""

    current: Segment | None
    ended: tuple[Segment, ...]


class Recorder:
    """One stream's way into the log. A session begins with its first set, so that a visit to the page leaves none.

    log: None to keep nothing. session: to resume. trouble: why nothing is kept, though it should be.
    """

    def __init__(
        self, log: SessionLog | None, model: str, source: Source, session: int | None = None
    ) -> None:
        self._log = log
        self._model = model
        self._source = source
        self.session: int | None = None
        self.trouble: str | None = None
        self._set: int | None = None
        self._before: Segment | None = None
        self._continued: tuple[int, Segment] | None = None
        self._written: Segment | None = None
        if log is not None and session is not None:
            self._resume(log, session)

    @property
    def keeps(self) -> bool:
        """Whether sets are written."""
        return self._log is not None and self.trouble is None

    def take(self, state: TrackerState) -> Recorded:
        """Writes what is new. state: on the session's clock."""
        ended: list[Segment] = []
        for change in state.changes:
            item = change.segment
            if change.kind == "begin":
                item = self._begun(item, state.time_s)
            else:
                item = self._joined(item)
                self._write(item, ends=True)
                self._set, self._before, self._written = None, None, None
                ended.append(item)
        current = None
        if state.current is not None:
            current = self._joined(state.current)
            self._write(current)
        return Recorded(current, tuple(ended))

    def end(self) -> None:
        """The connection is gone; the session can be resumed."""
        if self._log is not None and self.session is not None and self.keeps:
            with self._explained():
                self._log.end_session(self.session)

    def _resume(self, log: SessionLog, session: int) -> None:
        try:
            log.resume_session(session, self._model)
            sets = log.sets(session)
        except InputError:
            return  # another log by now, or an emptied one: a new session begins with the first set
        self.session = session
        if sets and sets[-1].correction is None:
            last = sets[-1]
            confidence = last.confidence or 0.0
            before = Segment(
                last.start_s, last.end_s, last.recognised, confidence, last.counted, last.repetition_times_s
            )
            self._continued = (last.id, before)

    def _begun(self, item: Segment, now_s: float) -> Segment:
        continued, self._continued = self._continued, None
        if continued is not None:
            number, before = continued
            if before.exercise == item.exercise and 0 <= item.start_s - before.end_s <= RESUMED_S:
                self._set, self._before = number, before
                return self._joined(item)
        if self._log is not None and self.keeps:
            began = datetime.now().astimezone() - timedelta(seconds=max(0.0, now_s - item.start_s))
            with self._explained():
                if self.session is None:
                    self.session = self._log.begin_session(self._model, self._source)
                self._set = self._log.begin_set(self.session, item.exercise, item.start_s, began)
        return item

    def _joined(self, item: Segment) -> Segment:
        before = self._before
        if before is None:
            return item
        old_s, new_s = before.end_s - before.start_s, item.end_s - item.start_s
        share = old_s / (old_s + new_s) if old_s + new_s > 0 else 0.0
        times = (*before.repetition_times_s, *item.repetition_times_s)
        return replace(
            item,
            start_s=before.start_s,
            confidence=share * before.confidence + (1 - share) * item.confidence,
            repetitions=None if item.repetitions is None else len(times),
            repetition_times_s=times,
        )

    def _write(self, item: Segment, *, ends: bool = False) -> None:
        old = self._written
        if self._log is None or self._set is None or not self.keeps:
            return
        same = old is not None and old.repetition_times_s == item.repetition_times_s
        if old is not None and same and not ends and item.end_s - old.end_s < UPDATE_S:
            return
        with self._explained():
            if ends and item.repetitions == 0:
                self._log.discard_set(self._set)
                return
            self._log.update_set(
                self._set,
                end_s=item.end_s,
                confidence=item.confidence,
                repetitions_s=item.repetition_times_s,
                finished=ends,
            )
        self._written = item

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """A log that fails must not end the workout: the page says why nothing is kept any more."""
        try:
            yield
        except InputError as error:
            self.trouble = str(error)
