"""What all kinds of locks raise."""

from __future__ import annotations

import errno

READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of a store that others may write, or nobody. All others may pass."""


class ReadOnlyError(OSError):
    """No lock can be taken, because nobody, or not this user, may write what marks it."""
