"""One connection to the workout log's file that several threads may share."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import RLock

from exerlitenet.app.log.schema import VERSION, migrate, version_of
from exerlitenet.errors import InputError


class LogUnusable(InputError):
    """The log's file cannot be opened, read or written."""


PATIENCE_S = 10.0
"""How long to wait for another connection that is writing."""


class Database:
    """A SQLite file with the current schema, in write-ahead mode.

    One thread at a time uses the connection; other connections, also of other programs, read while one writes.
    What a transaction wrote survives the end of the program, however it comes. A loss of power may take the
    last transactions, but leaves the file consistent.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Opens the file, makes it and its folder where they are missing, and brings it to the current schema.

        create: whether a missing file is made. Raises InputError when it is missing otherwise, cannot be
        opened, is not a workout log, or is one of a newer version.
        """
        self.path = path
        self._lock = RLock()
        if not create and not path.exists():
            raise InputError(f"{path}: no workout log there; `exerlitenet live` writes one")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise LogUnusable(
                f"{path}: its folder cannot be made ({error.strerror or error}); give another --database"
            ) from error
        with self._explained():
            self._connection = sqlite3.connect(
                path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        with self.reading() as connection:  # a log that is current waits for no one who writes
            current = version_of(connection, self.path) == VERSION
        if not current:
            with self.writing() as connection:
                migrate(connection, self.path)
        # SQLite does not wait by itself while another connection changes the mode at the same moment. Busy is the
        # low byte of several codes.
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(0.01)

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """A transaction: what the block writes is there whole, or not at all where it raises.

        Raises InputError when the file cannot be written.
        """
        return self._transaction("BEGIN IMMEDIATE")

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Everything that the block reads is of one moment. Raises InputError when it cannot be read."""
        return self._transaction("BEGIN")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # some errors end it by themselves
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Says in one line what is wrong with the file. Wrong SQL stays what it is: a defect."""
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.InterfaceError):
            raise
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
                raise
            raise LogUnusable(
                f"{self.path}: cannot be used as the workout log ({error}); check the file, its folder's "
                "permissions and the space left, or give another --database"
            ) from error

    def close(self) -> None:
        """Ends the connection; it may be called twice."""
        with self._lock:
            self._connection.close()
