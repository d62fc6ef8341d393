"""Identifiers of API jobs, and whose they are: an answer that repeats one is a stranger's.

The file is in the directory of all jobs, and all processes append to it. A line is an identifier of
the portal or of a machine, the batch, the number of the API job in it, the CRC-32 of the
submission's label, and how it came to this identifier:

- a decimal number: by the answer to the submission, before which the file had so many lines;
- ``known``: from a journal;
- ``adopted``: by the user's word;
- ``seen``: nobody knows whose it is, but somebody has asked for its result;
- ``proven``: has it, and an answer about it has named the label;
- ``free``: has it no longer, for it was a stranger's.

When the file is made, or made anew after damage, the identifiers that the journals have come first,
and a line ``complete`` with their number. The file is not flushed to the disk: journals have the
same identifiers.
"""

from __future__ import annotations

import math
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from aqt_fast._files import opened
from aqt_fast._forks import ForkSafeLock
from aqt_fast.store import locks

FILE = "accepted-ids"
"""Name of the file."""

_LINE = re.compile(
    rb"([0-9a-f-]{36} [0-9a-f-]{36} [0-9]+ [0-9a-f]{8}) "
    rb"([0-9]+|known|adopted|seen|proven|free)"
)

_COMPLETE = re.compile(rb"complete ([0-9]+)")


class Owner(NamedTuple):
    """A submission of an API job."""

    batch_id: str
    """The batch's identifier, a UUID."""
    number: int
    """Index of the API job in the batch."""
    label: str
    """The label of the submission."""

    @property
    def key(self) -> bytes:
        """What stands for it in a line."""
        return b"%s %d %s" % (self.batch_id.encode(), self.number, checksum(self.label))


def checksum(label: str) -> bytes:
    """Return what stands for a label in a line."""
    return b"%08x" % zlib.crc32(label.encode(errors="surrogatepass"))


class _Claim(NamedTuple):
    """A line about an identifier."""

    position: int
    """Number of lines before it."""
    owner: bytes
    """The submission, as :attr:`Owner.key` names it."""
    how: bytes
    """How it came to the identifier."""

    @property
    def sent(self) -> float:
        """Number of lines before the submission; infinite if this is not its answer."""
        return int(self.how) if self.how.isdigit() else math.inf

    @property
    def label(self) -> bytes:
        """The checksum of the submission's label."""
        return self.owner.rpartition(b" ")[2]

    @property
    def in_words(self) -> str:
        """Whose the identifier is."""
        batch_id, number, _ = self.owner.decode().split(" ")
        if self.how == b"seen":
            return "a job that was found by this identifier"
        return f"API job {int(number) + 1} of job {batch_id}"


class AcceptedIds:
    """The identifiers that are known in a directory of jobs, or to a connection.

    Any number of threads may use it. What cannot be written is known to this process only.

    Args:
        root: directory of all jobs, None for no file.
        journalled: returns the identifiers that the journals there have.
    """

    def __init__(
        self,
        root: Path | None = None,
        journalled: Callable[[], Iterable[tuple[str, Owner]]] = tuple,
    ) -> None:
        """Read nothing yet."""
        self._path = None if root is None else root / FILE
        self._journalled = journalled
        self._lock = ForkSafeLock()
        self._claims: dict[bytes, tuple[tuple[int, bytes], ...]] = {}
        """Positions and lines, without the identifier, by identifier."""
        self._number = 0
        """Number of lines so far."""
        self._offset = 0
        """Number of bytes of the file that were read."""
        self._intact = 0
        """Number of lines since the last one that is no identifier's."""
        self._complete = root is None
        """Whether all that journals have is known, and nothing was damaged since."""

    def position(self, *, complete: bool = True) -> int:
        """Return the number of lines so far, to be noted before a submission is sent.

        Args:
            complete: if the file is missing or damaged, write what the journals have.
        """
        with self._lock:
            self._read()
            if complete and not self._complete:
                known = [_line(job_id, owner, b"known") for job_id, owner in self._journalled()]
                # An unfinished line may come before.
                self._append(b"\n%scomplete %d\n" % (b"".join(known), len(known)))
            return self._number

    def claim(self, job_id: str, owner: Owner, position: int | None) -> str | None:
        """Note the identifier in the answer to a submission.

        Args:
            job_id: the identifier, a UUID in canonical form.
            owner: the submission.
            position: what :meth:`position` returned before it was sent; None writes nothing.

        Returns:
            Whose the identifier may be, in words; None if it is the submission's.
        """
        with self._lock:
            if position is None:
                self._read()
            else:
                self._append(_line(job_id, owner, b"%d" % position))
            return self._rival(job_id, owner.key, latest=position is None)

    def note(self, job_id: str, owner: Owner, *, seen: bool = False) -> None:
        """Note that an identifier belongs to a submission.

        Args:
            job_id: the identifier, a UUID in canonical form.
            owner: the submission.
            seen: it may as well belong to another one, as somebody has just asked for its result.
        """
        with self._lock:
            if not any(claim.owner == owner.key for claim in self._holding(job_id)):
                self._append(_line(job_id, owner, b"seen" if seen else b"known"))

    def adopt(self, job_id: str, owner: Owner) -> None:
        """Note that an identifier belongs to a submission, as the user says."""
        self._note_once(job_id, owner, b"adopted")

    def prove(self, job_id: str, owner: Owner) -> None:
        """Note that an answer about an identifier has named the label of the submission."""
        self._note_once(job_id, owner, b"proven")

    def release(self, job_id: str, owner: Owner) -> None:
        """Note that an identifier does not belong to a submission."""
        self._note_once(job_id, owner, b"free")

    def rival(self, job_id: str, owner: Owner) -> str | None:
        """Return whose an identifier may be that a submission has got; None for its own.

        Another submission makes it doubtful if it had the identifier before, or has got it, too,
        in the answer to what was under way at that time, or if the user says so. What is proven is
        not doubtful, unless labels are the same.
        """
        with self._lock:
            self._read()
            return self._rival(job_id, owner.key, latest=False)

    def _note_once(self, job_id: str, owner: Owner, how: bytes) -> None:
        with self._lock:
            self._read()
            known = [claim.how for claim in self._of(job_id) if claim.owner == owner.key]
            if known[-1:] != [how]:
                self._append(_line(job_id, owner, how))

    def holder(self, job_id: str, owner: Owner, position: int | None) -> str | None:
        """Return whose an identifier certainly is, in words, so that a submission cannot have it.

        Args:
            job_id: the identifier, a UUID in canonical form.
            owner: the submission.
            position: what :meth:`position` returned before it was sent, None if that is unknown.
        """
        with self._lock:
            self._read()
            holding = list(self._holding(job_id))
            proven = {claim.owner for claim in holding if claim.how == b"proven"}
            for claim in holding:
                if claim.owner == owner.key or claim.how == b"seen":
                    continue
                earlier = position is not None and claim.position < position
                certain = earlier or claim.owner in proven
                if certain and not self._rival(job_id, claim.owner, latest=False):
                    return claim.in_words
            return None

    def _rival(self, job_id: str, owner: bytes, *, latest: bool) -> str | None:
        """See :meth:`rival`; ``latest``: the submission is not noted, and the latest of all."""
        claims = self._of(job_id)
        others = [claim for claim in claims if claim.owner != owner]
        own = [claim for claim in claims if claim.owner == owner and claim.how != b"free"]
        came = [claim for claim in own if claim.how != b"proven"]
        if not others or not (latest or came):
            return None
        answered = latest or math.isfinite(came[-1].sent)
        since = math.inf if latest else came[-1].position
        if not latest and any(claim.position > since for claim in own):
            others = [claim for claim in others if claim.label == own[-1].label]
        holding = {claim.owner for claim in self._holding(job_id)}
        for claim in others:
            before = answered and claim.owner in holding and claim.position < since
            meanwhile = answered and claim.sent <= since < claim.position
            told = claim.how == b"adopted" and claim.owner in holding and claim.position > since
            if before or meanwhile or told:
                return claim.in_words
        return None

    def _holding(self, job_id: str) -> Iterator[_Claim]:
        """Return the claims of submissions that have not released the identifier."""
        claims = self._of(job_id)
        last = {claim.owner: claim.how for claim in claims}
        return (claim for claim in claims if last[claim.owner] != b"free")

    def _of(self, job_id: str) -> list[_Claim]:
        claims = []
        for position, line in self._claims.get(job_id.encode(), ()):
            owner, _, how = line.rpartition(b" ")
            claims.append(_Claim(position, owner, how))
        return claims

    def _append(self, lines: bytes) -> None:
        if self._path is not None:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            with (
                suppress(OSError),
                locks.appending(self._path),
                opened(self._path, flags) as file,
            ):
                if os.write(file, lines) == len(lines):
                    self._read_from(file)
                    return
        self._take(lines)

    def _read(self) -> None:
        """Read what was appended."""
        if self._path is None:
            return
        try:
            if self._path.stat().st_size != self._offset:
                with opened(self._path) as file:
                    self._read_from(file)
        except FileNotFoundError:
            self._offset, self._complete = 0, False
        except OSError:
            pass  # it is known to this process only

    def _read_from(self, file: int) -> None:
        size = os.fstat(file).st_size
        if size < self._offset:  # it was removed
            self._offset, self._complete = 0, False
        os.lseek(file, self._offset, os.SEEK_SET)
        data = os.read(file, size - self._offset)
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        self._take(data[:whole])
        if whole < len(data):
            self._complete = False

    def _take(self, lines: bytes) -> None:
        for line in lines.split(b"\n")[:-1]:
            if _LINE.fullmatch(line):
                job_id, claim = line[:36], (self._number, line[37:])
                self._claims[job_id] = (*self._claims.get(job_id, ()), claim)
                self._intact += 1
            else:
                end = _COMPLETE.fullmatch(line)
                self._complete = end is not None and self._intact >= int(end[1])
                self._intact = 0
            self._number += 1


class Answers:
    """Which submissions have got an identifier in the answer to them, as far as the file knows.

    Only what was appended since the last time is read. One thread may use it at a time.

    Args:
        root: directory of all jobs.
        batch_id: the only batch to know, a UUID in canonical form; None for all.
    """

    def __init__(self, root: Path, batch_id: str | None = None) -> None:
        """Read nothing yet."""
        self._path = root / FILE
        batch = b"[0-9a-f-]{36}" if batch_id is None else batch_id.encode()
        self._pattern = re.compile(rb" (%s) ([0-9]{1,9}) ([0-9a-f]{8}) [0-9]+\n" % batch)
        self._found: dict[str, set[tuple[int, bytes]]] = {}
        self._file: int | None = None
        """Which file was read: its inode."""
        self._offset = 0

    def of(self, batch_id: str) -> set[tuple[int, bytes]]:
        """Return the submissions of a batch that were answered.

        Args:
            batch_id: the batch's identifier, a UUID in canonical form.

        Returns:
            Index of the API job, and the label's checksum, as :attr:`Owner.key` has it.
        """
        with suppress(OSError), opened(self._path) as file:
            state = os.fstat(file)
            if state.st_ino != self._file or state.st_size < self._offset:
                self._found, self._file, self._offset = {}, state.st_ino, 0
            os.lseek(file, self._offset, os.SEEK_SET)
            data = os.read(file, state.st_size - self._offset)
            self._offset += data.rfind(b"\n") + 1
            for line in self._pattern.finditer(data):
                found = self._found.setdefault(line[1].decode(), set())
                found.add((int(line[2]), line[3]))
        return self._found.get(batch_id, set())


def batch_of(root: Path, job_id: str) -> str | None:
    """Return the batch with an API job as far as the file knows it, None if it does not.

    Args:
        root: directory of all jobs.
        job_id: identifier of the API job, a UUID in canonical form.
    """
    found = None
    with suppress(OSError), opened(root / FILE) as file:
        data = os.read(file, os.fstat(file).st_size)
        for start in re.finditer(rb"^%s " % job_id.encode(), data, re.MULTILINE):
            line = data[start.start() : data.find(b"\n", start.start())]
            if _LINE.fullmatch(line) and not line.endswith(b"free"):
                found = line[37:73].decode()
    return found


def _line(job_id: str, owner: Owner, how: bytes) -> bytes:
    return b"%s %s %s\n" % (job_id.encode(), owner.key, how)
