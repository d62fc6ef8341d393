"""Install a built wheel, or source distribution, as a user does, and run the first example.

    python tests/install/check.py dist/*.whl

takes every CPython from 3.10 that this machine has, or with ``--python`` those that are named. Each
gets an environment of its own, with what its own pip chooses: first the package alone, for
``offline.py``, then the extra ``server``, for ``cloud.py``. It needs the standard library only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = (3, 10)

PROBE = """
import sys, sysconfig, ensurepip, venv
if sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    print(*sys.version_info[:3], sys.executable)
"""
"""What tells version and path of a Python that can make environments, in which the wheel runs."""


def candidates() -> Iterator[str]:
    """Yield what may be a Python: on the path, of pyenv."""
    yield sys.executable
    names = ("python3.exe", "python.exe") if os.name == "nt" else ("python3", "python3.[0-9]*")
    for folder in os.get_exec_path():
        for name in names:
            yield from sorted(map(str, Path(folder).glob(name)))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(map(str, pyenv.glob("versions/*/bin/python3")))


def pythons(paths: Sequence[str]) -> dict[tuple[int, ...], str]:
    """Return the first Python of each minor version from the oldest on, by version."""
    found: dict[tuple[int, ...], str] = {}
    for path in dict.fromkeys(paths):
        command = [path, "-I", "-c", PROBE]
        try:
            probe = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        except OSError:
            continue
        if probe.returncode or not probe.stdout:
            continue
        *version, executable = probe.stdout.strip().split(" ", 3)
        number = tuple(map(int, version))
        if number >= OLDEST and not any(number[:2] == other[:2] for other in found):
            found[number] = executable
    return dict(sorted(found.items()))


def check(python: str, package: Path) -> None:
    """Install the package in a fresh environment, and run the examples in it.

    Raises:
        subprocess.CalledProcessError: a step failed; it has what the step has printed.
    """
    with tempfile.TemporaryDirectory(prefix="aqt-fast-", ignore_cleanup_errors=True) as folder:
        environment = Path(folder) / "environment"
        programs = environment / ("Scripts" if os.name == "nt" else "bin")

        def run(*command: str | Path) -> None:
            print("+", *command, flush=True)
            variables = os.environ | {"AQT_STORE_PATH": str(Path(folder) / "jobs")}
            subprocess.run(command, check=True, cwd=folder, env=variables)  # noqa: S603

        run(python, "-I", "-m", "venv", environment)
        # Compiling all of Qiskit would take longer than everything else.
        pip = (programs / "python", "-I", "-m", "pip", "--disable-pip-version-check")
        install = (*pip, "install", "--quiet", "--no-compile")
        run(*install, f"aqt-fast @ {package.as_uri()}")
        run(*pip, "check")
        run(programs / "aqt-fast", "--version")
        run(programs / "python", "-I", HERE / "offline.py")
        run(*install, "aqt-fast[server]")
        run(programs / "python", "-I", HERE / "cloud.py", "serve")


def main() -> int:
    """Check with each Python, and return 1 if there is none or one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="the wheel or source distribution")
    parser.add_argument("--python", action="append", help="an interpreter; may be repeated")
    arguments = parser.parse_args()
    package = arguments.package.resolve(strict=True)
    found = pythons(arguments.python or list(candidates()))
    failed = 0
    for version, python in found.items():
        print(f"Python {'.'.join(map(str, version))}: {python}", flush=True)
        try:
            check(python, package)
        except subprocess.CalledProcessError as error:
            print(error, flush=True)
            failed += 1
    print(f"installs: {len(found) - failed} passed, {failed} failed")
    return int(failed > 0 or not found)


if __name__ == "__main__":
    sys.exit(main())
