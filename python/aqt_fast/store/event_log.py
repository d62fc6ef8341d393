"""The journal's file of events: append, flush and read events; a lock marks the writer.

An event is on the disk before any action that depends on it. The file is open only while something
is read or written.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aqt_fast._files import flush_data, opened, read_at, read_file, write_at
from aqt_fast._forks import on_fork
from aqt_fast.exceptions import DamagedJobError, JournalError
from aqt_fast.store import locks
from aqt_fast.store.event_lines import FILLER, End, EventFile, line_of, read_events

_PAUSES = (0.0, 0.001, 0.01)
"""Seconds before a reader looks again at what seems damaged: a line may be being written."""


class EventLog:
    """One file of events.

    Args:
        path: the file, in the directory of its job.
    """

    def __init__(self, path: Path) -> None:
        """Opens nothing yet."""
        self.before_first_flush: Callable[[], None] | None = None
        """Called once, before the first event is flushed to the disk."""
        self._path = path.absolute()
        self._job = self._path.parent
        self._owned = False
        self.read_only: OSError | None = None
        """Why the writer has no lock and can write nothing, None if all is well."""
        self._end: End | None = None
        """The end of the file as far as it is known."""
        self._problem: str | None = None
        """What is missing in the file or damaged, as far as it is known."""
        self._synced = 0
        self.renew_in_child()
        on_fork(self)

    @property
    def owned(self) -> bool:
        """Whether this object is the writer."""
        return self._owned

    def own(self, written: bytes | None = None) -> bool:
        """Take the lock and become the writer. Return False if another writer has it.

        In a store that may not be written, the lock is not taken, and nothing can be appended;
        another call tries again.

        Args:
            written: the content of the file, which was just made; None reads it.

        Raises:
            DamagedJobError: the file does not exist or cannot be read.
            OSError: no lock can be taken, or it is unknown whether another writer has it.
        """
        with self._lock:
            if self._owned and self.read_only is None:
                return True
            read_only: OSError | None = None
            try:
                if not locks.acquire(self._job):
                    return False
            except locks.ReadOnlyError as error:
                held = locks.is_held(self._job)
                if held is None:
                    raise
                if held:
                    return False
                read_only = error
            try:
                name = self._job.name
                self._know(self._load() if written is None else read_events(written, name))
            except BaseException:
                if read_only is None:
                    locks.release(self._job)
                raise
            self._owned, self.read_only = True, read_only
            return True

    def own_again(self) -> None:
        """Take the lock again if the file is as it was when it was closed or read.

        Raises:
            JournalError: another process works on the batch or has continued it, or the file cannot
                be opened.
        """
        if self._owned and self.read_only is None:
            return
        known = self._end, self._problem
        name = self._job.name
        try:
            owned = self.own()
        except (OSError, DamagedJobError) as error:
            raise JournalError(f"the journal {self._path} cannot be opened: {error}") from error
        if not owned:
            raise JournalError(f"another process is working on job {name}")
        now = self._end, self._problem
        if known != now:
            self.close()
            self._end, self._problem = known
            what = f"another process has gone on with job {name}"
            if known[0] == now[0]:
                what = f"the journal of job {name} was damaged meanwhile"
            raise JournalError(f"{what}; restore it again")

    def require_writable(self) -> None:
        """Raise the error if nothing can be written.

        Raises:
            OSError: the store may not be written, so the writer has no lock.
        """
        if self.read_only is not None:
            raise self.read_only

    def append(self, event: dict[str, Any]) -> None:
        """Append an event and wait until it is on the disk. Do nothing if this is not the writer.

        Raises:
            OSError: the event cannot be written; the file stays as it was.
        """
        if not self._owned:
            return
        self.require_writable()
        with opened(self._path, os.O_RDWR) as file:
            self._sync(file, self._append(file, event))

    def read(self) -> EventFile:
        """Return the events so far.

        Raises:
            DamagedJobError: the file cannot be read.
        """
        content = self._load()
        for pause in _PAUSES:
            if content.problem is None or self._owned:
                break
            time.sleep(pause)
            content = self._load()
        if not self._owned:
            self._know(content)
        return content

    def close(self) -> None:
        """Release the lock; :meth:`own` takes it again."""
        with self._sync_lock, self._lock:
            if self._owned:
                self._owned = False
                if self.read_only is None:
                    locks.release(self._job)

    def renew_in_child(self) -> None:
        """Make locks anew in a forked process, which is not the writer."""
        self._lock, self._sync_lock = threading.Lock(), threading.Lock()
        self._owned = False

    def _load(self) -> EventFile:
        try:
            data = read_file(self._path)
        except OSError as error:
            raise DamagedJobError(self._path, str(error)) from error
        return read_events(data, self._job.name)

    def _know(self, content: EventFile) -> None:
        self._end, self._problem = content.end, content.problem

    def _append(self, file: int, event: dict[str, Any]) -> int:
        """Write an event, and return where it ends."""
        with self._lock:
            end = self._end
            if not self._owned or end is None:
                return 0
            line = line_of(event, end.number, self._job.name)
            # Behind what a crash has left, a line of its own; over an incomplete line, all of it.
            data = line.ljust(len(end.rest), FILLER) if end.whole else b"\n" + line
            spaces = FILLER * (end.size_with(data) - end.size)
            found = read_at(file, len(data), end.offset)
            if os.fstat(file).st_size != end.size or found.rstrip(FILLER) != end.rest:
                raise OSError("another process has written to it")
            after, problem = end.after(line), self._problem
            if not end.whole:
                data = data.ljust(end.size_with(data) - end.offset, FILLER)
                # What is wrong is described in another way then. Once the line is there, nothing
                # may fail any more.
                content = read_events(read_at(file, end.offset, 0) + data, self._job.name)
                after, problem = content.end, content.problem
            try:
                if end.whole:
                    # First the spaces: then a line that is not written to its end has some behind.
                    write_at(file, spaces, end.size)
                # Else in one piece: the file must not look whole before the line is there.
                write_at(file, data, end.offset)
            except OSError:
                with suppress(OSError):  # on a read-only disk nothing was written
                    os.ftruncate(file, end.size)
                    write_at(file, end.rest.ljust(end.size - end.offset, FILLER), end.offset)
                raise
            self._end, self._problem = after, problem
            return after.offset

    def _sync(self, file: int, offset: int) -> None:
        """Wait until all before ``offset`` is on the disk; one flush serves all waiting threads."""
        with self._sync_lock:
            if self._synced >= offset or self._end is None:
                return
            written = self._end.offset
            if self.before_first_flush is not None:
                self.before_first_flush()
                self.before_first_flush = None
            flush_data(file)
            self._synced = written
