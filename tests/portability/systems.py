"""What other systems lack: scripts that begin with it run as if they were there, as far as it goes.

A script hides what Python does not have on a system, before anything else is imported. It also
refuses what the system refuses. Paths, and the names of systems, stay those of Linux.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MACOS = """
import fcntl, os
for name in [name for name in vars(fcntl) if name.startswith("F_OFD_")]:
    delattr(fcntl, name)
del os.fdatasync, os.memfd_create
fcntl.F_FULLFSYNC = 51
_fcntl = fcntl.fcntl

def _with_full_fsync(descriptor, command, argument=0):
    if command == fcntl.F_FULLFSYNC:
        os.fsync(descriptor)
        return 0
    return _fcntl(descriptor, command, argument)

fcntl.fcntl = _with_full_fsync
"""

WINDOWS = """
import fcntl, os, signal, stat, sys

_fcntl, _getfl, _accmode, _open, _fsync = fcntl.fcntl, fcntl.F_GETFL, 3, os.open, os.fsync

def _open_no_directory(path, flags, mode=0o777):
    if not isinstance(path, int) and os.path.isdir(path):
        raise PermissionError(13, "Permission denied", str(path))
    return _open(path, flags, mode)

def _fsync_what_can_be_written(descriptor):
    if _fcntl(descriptor, _getfl) & _accmode == os.O_RDONLY:
        raise OSError(9, "Bad file descriptor")
    _fsync(descriptor)

os.open, os.fsync = _open_no_directory, _fsync_what_can_be_written
for module in ("fcntl", "grp", "pwd", "syslog", "termios"):
    sys.modules[module] = None
for name in (
    "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "chown", "fchmod", "fchown",
    "fdatasync", "fork", "forkpty", "getegid", "geteuid", "getgid", "getpgid", "getuid", "killpg",
    "memfd_create", "mkfifo", "nice", "posix_spawn", "pread", "pwrite", "register_at_fork",
    "setsid", "wait", "waitid",
):
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "pause", "pthread_sigmask", "sigwait", "setitimer"):
    delattr(signal, name)
"""

SYSTEMS = {"macOS": MACOS, "Windows": WINDOWS}


def start(system: str, script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a script on a system; its standard input and output are pipes of text."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", SYSTEMS[system] + script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def run(system: str, script: str, arguments: Sequence[str | Path] = ()) -> str:
    """Run a script on a system to its end, and return what it prints."""
    with start(system, script, *map(str, arguments)) as process:
        output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output
