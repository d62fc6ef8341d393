"""Credentials → backends."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, overload

import dotenv
from qiskit.providers import QiskitBackendNotFoundError
from tabulate import tabulate

from aqt_fast.api_client import BackendType, Resource
from aqt_fast.aqt_options import checked_integer
from aqt_fast.aqt_resource import AQTResource, OfflineSimulatorResource
from aqt_fast.caller import warn_caller
from aqt_fast.exceptions import InvalidOptionError

OFFLINE_WORKSPACE = "default"
"""The workspace that the offline simulators are listed in."""

DEFAULT_NUM_QUBITS = 20
"""Size of an offline simulator's register unless another is asked for."""

_MOST_QUBITS = 10_000


class NoTokenWarning(UserWarning):
    """There is no access token: only the offline simulators are listed."""


class PortalUnavailableWarning(UserWarning):
    """The portal cannot be asked: only the offline simulators are listed."""


@dataclass(frozen=True)
class OfflineSimulator:
    """A simulator that runs in this process."""

    id: str
    """Name of the backend."""
    name: str
    """Description of the backend."""
    noisy: bool
    """Whether gates are noisy."""


OFFLINE_SIMULATORS = (
    OfflineSimulator("offline_simulator_no_noise", "Offline ideal simulator", noisy=False),
    OfflineSimulator("offline_simulator_noise", "Offline noisy simulator", noisy=True),
)


class BackendsTable(Sequence[AQTResource]):
    """Backends, in a table for reading (``str``, notebooks) and a sequence for working with."""

    _HEADERS = ("Workspace", "Resource ID", "Description", "Type", "Qubits", "Status")

    def __init__(self, backends: Sequence[AQTResource]) -> None:
        """The table keeps the order of ``backends``."""
        self._backends = tuple(backends)

    @overload
    def __getitem__(self, index: int) -> AQTResource: ...
    @overload
    def __getitem__(self, index: slice) -> BackendsTable: ...
    def __getitem__(self, index: int | slice) -> AQTResource | BackendsTable:
        if isinstance(index, slice):
            return BackendsTable(self._backends[index])
        return self._backends[index]

    def __len__(self) -> int:
        return len(self._backends)

    def __repr__(self) -> str:
        return f"<BackendsTable of {', '.join(backend.name for backend in self) or 'nothing'}>"

    def __str__(self) -> str:
        return tabulate(self._rows(), self._HEADERS, tablefmt="rounded_outline")

    def _repr_html_(self) -> str:
        return tabulate(self._rows(), self._HEADERS, tablefmt="html")

    def _rows(self) -> list[tuple[str, str, str, str, int, str]]:
        return [
            (
                backend.resource_id.workspace_id,
                backend.resource_id.resource_id,
                backend.resource_id.resource_name,
                backend.resource_id.resource_type,
                backend.resource_id.available_qubits,
                "online",
            )
            for backend in self
        ]


class AQTProvider:
    """Lists AQT's backends and hands them out.

    This version has the offline simulators; it does not connect to the portal yet.

    Args:
        access_token: the token for AQT's portal. None takes it from the environment variable
            ``AQT_TOKEN``; the empty string stands for no token.
        load_dotenv: take environment variables that are not set from a ``.env`` file.
        dotenv_path: that file; None looks for ``.env`` in the working directory and above it.

    Raises:
        FileNotFoundError: there is no file ``dotenv_path``.

    Warns:
        NoTokenWarning: there is no token, and only offline simulators can be used.
    """

    def __init__(
        self,
        access_token: str | None = None,
        *,
        load_dotenv: bool = True,
        dotenv_path: str | Path | None = None,
    ) -> None:
        """Looks for the token; connects to nothing."""
        if load_dotenv:
            if dotenv_path is not None and not Path(dotenv_path).is_file():
                raise FileNotFoundError(f"no file {dotenv_path}")
            dotenv.load_dotenv(dotenv_path or dotenv.find_dotenv(usecwd=True))
        if access_token is None:
            access_token = os.environ.get("AQT_TOKEN", "")
        self._access_token = access_token
        if not access_token:
            message = "no access token was given: only offline simulators are available"
            warn_caller(message, NoTokenWarning)

    def __repr__(self) -> str:
        return f"<AQTProvider({'with' if self._access_token else 'without'} access token)>"

    @property
    def access_token(self) -> str:
        """The token, or the empty string."""
        return self._access_token

    def backends(
        self,
        name: str | re.Pattern[str] | None = None,
        *,
        backend_type: BackendType | None = None,
        workspace: str | re.Pattern[str] | None = None,
    ) -> BackendsTable:
        """List the backends that fit all that is given.

        Args:
            name: identifier of the resource. A string must be equal, a compiled pattern must
                match at the start.
            backend_type: ``device``, ``simulator``, ``offline_simulator`` or ``direct_access``.
            workspace: identifier of the workspace, compared like ``name``.

        Raises:
            InvalidOptionError: there is no such ``backend_type``.

        Warns:
            PortalUnavailableWarning: the portal cannot be asked although there is a token.
        """
        if backend_type is not None and backend_type not in get_args(BackendType):
            expected = f"one of {', '.join(get_args(BackendType))}"
            raise InvalidOptionError("backend_type", backend_type, expected)
        only_offline = (
            backend_type not in (None, "device", "simulator")
            or name in [simulator.id for simulator in OFFLINE_SIMULATORS]
            or not self._access_token
        )
        if not only_offline:
            message = (
                "this version of aqt-fast does not connect to AQT's portal yet: "
                "only offline simulators are listed"
            )
            warn_caller(message, PortalUnavailableWarning)
        return BackendsTable(
            [
                self._offline_backend(simulator, DEFAULT_NUM_QUBITS)
                for simulator in OFFLINE_SIMULATORS
                if backend_type in (None, "offline_simulator")
                and _fits(name, simulator.id)
                and _fits(workspace, OFFLINE_WORKSPACE)
            ]
        )

    def get_backend(
        self,
        name: str | re.Pattern[str] | None = None,
        *,
        backend_type: BackendType | None = None,
        workspace: str | re.Pattern[str] | None = None,
        available_qubits: int | None = None,
    ) -> AQTResource:
        """Get the one backend that fits all that is given.

        Args:
            name: as for :meth:`backends`.
            backend_type: as for :meth:`backends`.
            workspace: as for :meth:`backends`.
            available_qubits: size of an offline simulator's register, 1 to 10 000. Default: 20.

        Raises:
            QiskitBackendNotFoundError: no backend fits, or several; the message names them.
            InvalidOptionError: there is no such ``backend_type``, or ``available_qubits`` is not
                a whole number in its range.
        """
        found = self.backends(name, backend_type=backend_type, workspace=workspace)
        if len(found) != 1:
            problem = "several backends fit" if found else "no backend fits; there are"
            candidates = found or self.backends()
            raise QiskitBackendNotFoundError(
                f"{problem}: {', '.join(candidate.name for candidate in candidates)}"
            )
        if available_qubits is None:
            return found[0]
        num_qubits = checked_integer("available_qubits", available_qubits, 1, _MOST_QUBITS)
        simulator = next(entry for entry in OFFLINE_SIMULATORS if entry.id == found[0].name)
        return self._offline_backend(simulator, num_qubits)

    def _offline_backend(
        self, simulator: OfflineSimulator, num_qubits: int
    ) -> OfflineSimulatorResource:
        resource = Resource(
            workspace_id=OFFLINE_WORKSPACE,
            resource_id=simulator.id,
            resource_name=simulator.name,
            resource_type="offline_simulator",
            available_qubits=num_qubits,
        )
        return OfflineSimulatorResource(resource, provider=self, with_noise_model=simulator.noisy)


def _fits(wanted: str | re.Pattern[str] | None, identifier: str) -> bool:
    if isinstance(wanted, re.Pattern):
        return wanted.match(identifier) is not None
    return wanted is None or wanted == identifier
