"""From a stream's progress to the workout log, as it happens; a set goes on after a lost connection.

A set without a repetition is told to the page, but leaves no trace in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from exerlitenet.app.protocol import Source
from exerlitenet.app.sessions import SessionLog
from exerlitenet.app.tracker import Progress, Set
from exerlitenet.errors import InputError

RESUMED_S = 20.0
"""A set of the same exercise that begins this soon after the last logged one of a resumed session continues it."""

UPDATE_S = 2.0
"""How often a running set is written where no repetition makes it necessary."""


@dataclass(frozen=True)
class Recorded:
    """current: the running set. ended: sets that are over, final. Both with what they continue."""

    current: Set | None
    ended: tuple[Set, ...]


class Recorder:
    """One stream's way into the log. A session begins with its first set, so that a look at the page leaves none.

    log: None to keep nothing. offset_s: the stream's begin on the session's clock.
    session: to go on with. trouble: why nothing is kept, though it should be.
    """

    def __init__(
        self, log: SessionLog | None, model: str, source: Source, session: int | None = None
    ) -> None:
        self._log = log
        self._model = model
        self._source = source
        self.session: int | None = None
        self.trouble: str | None = None
        self._offset_s = 0.0
        self._set: int | None = None
        self._before: Set | None = None
        self._continued: tuple[int, Set] | None = None
        self._written: Set | None = None
        if log is not None and session is not None:
            self._resume(log, session)

    @property
    def keeps(self) -> bool:
        """Whether sets are written."""
        return self._log is not None and self.trouble is None

    def begin(self, offset_s: float) -> None:
        """The first frame came, at `offset_s` seconds of the session."""
        self._offset_s = offset_s

    def take(self, progress: Progress) -> Recorded:
        """Writes what is new. Returns the sets on the session's clock."""
        ended: list[Set] = []
        for change in progress.changes:
            item = self._placed(change.set)
            if change.kind == "begin":
                item = self._begun(item, progress.time_s + self._offset_s)
            else:
                item = self._joined(item)
                self._write(item, ends=True)
                self._set, self._before, self._written = None, None, None
                ended.append(item)
        current = None
        if progress.current is not None:
            current = self._joined(self._placed(progress.current))
            self._write(current)
        return Recorded(current, tuple(ended))

    def end(self) -> None:
        """The connection is gone; the session can be resumed."""
        if self._log is not None and self.session is not None and self.keeps:
            with self._told():
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
            before = Set(last.recognised, last.start_s, last.end_s, confidence, last.repetition_times_s)
            self._continued = (last.id, before)

    def _placed(self, item: Set) -> Set:
        """On the session's clock."""
        shift = self._offset_s
        return replace(
            item,
            start_s=item.start_s + shift,
            end_s=item.end_s + shift,
            repetition_times_s=tuple(t + shift for t in item.repetition_times_s),
        )

    def _begun(self, item: Set, now_s: float) -> Set:
        continued, self._continued = self._continued, None
        if continued is not None:
            number, before = continued
            if before.exercise == item.exercise and 0 <= item.start_s - before.end_s <= RESUMED_S:
                self._set, self._before = number, before
                return self._joined(item)
        if self._log is not None and self.keeps:
            began = datetime.now().astimezone() - timedelta(seconds=max(0.0, now_s - item.start_s))
            with self._told():
                if self.session is None:
                    self.session = self._log.begin_session(self._model, self._source)
                self._set = self._log.begin_set(self.session, item.exercise, item.start_s, began)
        return item

    def _joined(self, item: Set) -> Set:
        before = self._before
        if before is None:
            return item
        old_s, new_s = before.end_s - before.start_s, item.end_s - item.start_s
        share = old_s / (old_s + new_s) if old_s + new_s > 0 else 0.0
        return replace(
            item,
            start_s=before.start_s,
            confidence=share * before.confidence + (1 - share) * item.confidence,
            repetition_times_s=(*before.repetition_times_s, *item.repetition_times_s),
        )

    def _write(self, item: Set, *, ends: bool = False) -> None:
        old = self._written
        if self._log is None or self._set is None or not self.keeps:
            return
        same = old is not None and old.repetition_times_s == item.repetition_times_s
        if old is not None and same and not ends and item.end_s - old.end_s < UPDATE_S:
            return
        with self._told():
            if ends and not item.repetitions:
                self._log.discard_set(self._set)
                return
            write = self._log.end_set if ends else self._log.update_set
            write(
                self._set,
                end_s=item.end_s,
                confidence=item.confidence,
                repetitions_s=item.repetition_times_s,
            )
        self._written = item

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A log that fails must not end the workout: the page says why nothing is kept any more."""
        try:
            yield
        except InputError as error:
            self.trouble = str(error)
