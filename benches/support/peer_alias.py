"""Pytest plugin that bends the peer's import name to ours, and reports how each test ended.

``correctness/peer_suites.py`` starts it. ``PEER_ALIAS`` names our package that stands in for
``qiskit_aqt_provider``, ``PEER_REPORT`` the file for the report.

- A module of the peer is ours at the same path. A name that is not ours becomes a stand-in: it can
  be imported, and using it raises :class:`NotOursError`.
- Names in ``OBSTACLES`` of the module ``peer_obstacles_<generation>`` come first: the peer's
  private constructors, which make our public objects.
- Data models that the suite's own servers use are loaded from the peer itself.
"""

from __future__ import annotations

import abc
import importlib
import importlib.abc
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PEER = "qiskit_aqt_provider"
OURS = os.environ["PEER_ALIAS"]
GENERATION = 2 if OURS.endswith("v2") else 1
ITS_OWN = {
    1: {"api_client.models_direct", "test.circuits", "test.timeout"},
    2: {"api_client.models", "api_client.models_direct"},
}[GENERATION]
"""Modules with which the suite plays the other party, the data of its servers, or its own tools."""

touched: list[str] = []
"""Stand-ins that the running test has used."""
outcomes: dict[str, dict[str, Any]] = {}


class NotOursError(Exception):
    """A test has used a name that our package does not have."""


class StandIn(abc.ABCMeta):
    """Class of the stand-ins, which are classes: tests annotate with them and derive from them."""

    def __call__(cls, *_: Any, **__: Any) -> Any:
        """Note the use, and refuse it."""
        touched.append(cls.__name__)
        raise NotOursError(cls.__name__)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):  # mock and pytest look for their own
            raise AttributeError(name)
        touched.append(cls.__name__)
        raise NotOursError(f"{cls.__name__}.{name}")

    def __dir__(cls) -> list[str]:
        touched.append(cls.__name__)  # `mock.Mock(spec=...)`
        return list(super().__dir__())


class Alias(ModuleType):
    """A module of the peer, with our names in it."""

    def __init__(
        self, name: str, ours: ModuleType | None, obstacles: dict[str, Any], modules: set[str]
    ) -> None:
        super().__init__(name)
        vars(self).update(__path__=[], _ours=ours, _obstacles=obstacles, _modules=modules)

    def __getattr__(self, name: str) -> Any:
        if name in self._obstacles:
            return self._obstacles[name]
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._modules:
            return importlib.import_module(f"{self.__name__}.{name}")  # noqa: TID251 - an alias
        try:
            return getattr(self._ours, name)
        except AttributeError:
            return StandIn(f"{self.__name__}.{name}", (), {})

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__") or self._ours is None:
            super().__setattr__(name, value)
        elif not isinstance(value, ModuleType):
            setattr(self._ours, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._ours, name)


class AliasFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds our modules under the peer's name."""

    def __init__(self, peer: Path, obstacles: dict[str, dict[str, Any]]) -> None:
        self._peer = peer
        self._obstacles = obstacles

    def find_spec(self, name: str, *_: Any) -> Any:
        """Return an alias for modules of the peer, and the peer's own file for its data."""
        if name != PEER and not name.startswith(f"{PEER}."):
            return None
        if name.removeprefix(f"{PEER}.") in ITS_OWN:
            path = self._peer.joinpath(*name.split(".")[1:]).with_suffix(".py")
            return importlib.util.spec_from_file_location(name, path)
        return importlib.util.spec_from_loader(name, self, is_package=True)

    def create_module(self, spec: Any) -> ModuleType:
        """Import ours, if there is one, and put the peer's name in front."""
        inner = spec.name.removeprefix(PEER)
        ours = None
        try:
            ours = importlib.import_module(f"{OURS}{inner}")  # noqa: TID251 - an alias
        except ModuleNotFoundError as error:
            if error.name is None or not f"{OURS}{inner}".startswith(error.name):
                raise
        folder = self._peer.joinpath(*inner.split("."))
        modules = {path.stem for path in folder.glob("*") if not path.stem.startswith("__")}
        return Alias(spec.name, ours, self._obstacles.get(inner.lstrip("."), {}), modules)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is there."""


def _obstacles() -> ModuleType | None:
    try:
        return importlib.import_module(f"peer_obstacles_{GENERATION}")  # noqa: TID251 - one of two
    except ModuleNotFoundError as error:
        if error.name != f"peer_obstacles_{GENERATION}":
            raise
        return None


def install() -> None:
    """Put the alias in front of the installed peer."""
    spec = importlib.util.find_spec(PEER)
    assert spec is not None
    assert spec.origin is not None, f"install {PEER} (without dependencies) for its metadata"
    obstacles = getattr(_obstacles(), "OBSTACLES", {})
    sys.meta_path.insert(0, AliasFinder(Path(spec.origin).parent, obstacles))


install()


def pytest_configure(config: pytest.Config) -> None:
    """Give the suite the fixtures of the generation's obstacles."""
    obstacles = _obstacles()
    if obstacles is not None:
        config.pluginmanager.register(obstacles)


def pytest_collection_finish() -> None:
    """Let the generation's obstacles prepare what the suite needs."""
    prepare = getattr(_obstacles(), "prepare", None)
    if prepare is not None:
        prepare()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:  # noqa: ARG001 - pytest's signature
    """Forget what the test before has used."""
    touched.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Note how the test ended: its first phase that has not passed."""
    report = (yield).get_result()
    entry = outcomes.setdefault(item.nodeid, {"outcome": "passed", "why": "", "stand_ins": []})
    if entry["outcome"] == "passed" and not report.passed:
        text = str(getattr(report.longrepr, "reprcrash", report.longrepr))
        entry.update(outcome=report.outcome, why=text[:400], stand_ins=sorted(set(touched)))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a file that cannot be imported as one failure."""
    if report.failed:
        text = report.longreprtext.strip().splitlines()
        outcomes[report.nodeid] = {"outcome": "failed", "why": text[-1], "stand_ins": []}


def pytest_sessionfinish() -> None:
    """Write the report."""
    Path(os.environ["PEER_REPORT"]).write_text(json.dumps(outcomes, indent=1))
