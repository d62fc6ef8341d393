"""Goal: the peer's own tests, with its import name bent to ours, find no defect of ours.

``python benches/correctness/peer_suites.py GENERATION [SUITE] [pytest arguments]``

``GENERATION`` is 1 (bent to ``aqt_fast``) or 2 (bent to ``aqt_fast.v2``). ``SUITE`` is the unpacked
source of the peer, with a folder ``test``; without it, that of the newest release of the
generation is fetched from PyPI with pip. Nothing of it is kept.

The environment needs ours (its metadata, too: the stages of the transpiler are entry points), what
the suite imports (``hypothesis``, ``pytest-httpx``, ``pytest-mock``; for 1 ``polyfactory``, for 2
``fastapi[standard]``), and the peer without its dependencies, whose name is bent.

Each failure has one of three classes. ``peer_differences.toml`` lists, by test, private details and
what differs on purpose, each with a reason; a test that fails at a stand-in for a private name
(``support/peer_alias.py``) is a private detail, too. Anything else is a defect, and so is a line of
the list that fits no failure any more.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import tomllib

HERE = Path(__file__).resolve().parent
RELEASES = {1: "1.15.0", 2: "2.0.1"}
PACKAGES = {1: "aqt_fast", 2: "aqt_fast.v2"}
PRIVATE, PURPOSE, DEFECT = "private detail", "on purpose", "defect"


def fetch(release: str, folder: Path) -> Path:
    """Fetch and unpack the peer's source."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"]
    wanted = ["qiskit-aqt-provider", f"qiskit-aqt-provider=={release}", "--dest", str(folder)]
    subprocess.run([*command, *wanted], check=True)  # noqa: S603 - our own arguments
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def run(generation: int, suite: Path, arguments: list[str]) -> dict[str, Any]:
    """Run the suite in a folder of its own and return the outcome of each test."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(suite / "test", folder / "test")
        (folder / "home").mkdir()
        if (suite / "conftest.py").exists():
            shutil.copy(suite / "conftest.py", folder)
        report = folder / "report.json"
        paths = [str(HERE.parent / "support"), os.environ.get("PYTHONPATH", "")]
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("AQT_")},
            "HOME": str(folder / "home"),
            "PYTHONPATH": os.pathsep.join(filter(None, [*paths, str(folder)])),
            "PEER_ALIAS": PACKAGES[generation],
            "PEER_REPORT": str(report),
        }
        command = [sys.executable, "-m", "pytest", "-p", "peer_alias", "--quiet", "--tb=no"]
        command += [
            "-p",
            "no:cacheprovider",
            "-p",
            "no:pytest_qiskit_aqt",
            "--rootdir",
            str(folder),
            "--no-summary",
        ]
        subprocess.run(  # noqa: S603 - our own arguments
            [*command, *arguments, "test"], cwd=folder, env=environment, check=False
        )
        outcomes: dict[str, Any] = json.loads(report.read_text())
        return outcomes


def classify(test: str, outcome: dict[str, Any], known: list[dict[str, str]]) -> tuple[str, str]:
    """Return class and reason of a failure."""
    for entry in known:
        if fnmatchcase(test, entry["test"]):
            entry["used"] = "yes"
            return entry["class"], entry["reason"]
    private = [name for name in outcome["stand_ins"] if "._" in name]
    if private:
        return PRIVATE, f"needs {private[0]}"
    return DEFECT, outcome["why"]


def main() -> int:
    """Run, classify and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("generation", type=int, choices=PACKAGES)
    parser.add_argument("suite", type=Path, nargs="?", help="the peer's unpacked source")
    options, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        suite = options.suite or fetch(RELEASES[options.generation], Path(folder))
        outcomes = run(options.generation, suite, arguments)
    table = tomllib.loads((HERE / "peer_differences.toml").read_text())
    known = table.get(f"generation-{options.generation}", [])
    counts: Counter[str] = Counter()
    for test, outcome in sorted(outcomes.items()):
        if outcome["outcome"] != "failed":
            counts[outcome["outcome"]] += 1
            continue
        kind, reason = classify(test, outcome, known)
        counts[kind] += 1
        print(f"{kind:15} {test}\n{'':15} {reason}")
    stale = (
        []
        if arguments
        else [entry["test"] for entry in known if not {"used", "sometimes"} & entry.keys()]
    )
    for test in stale:
        print(f"{'stale':15} {test}")
    print(f"\n{'tests':15} {len(outcomes)}")
    for kind in ("passed", "skipped", PRIVATE, PURPOSE, DEFECT):
        print(f"{kind:15} {counts[kind]}")
    return 1 if counts[DEFECT] or stale else 0


if __name__ == "__main__":
    sys.exit(main())
