"""Backends as a table for reading and a sequence for working with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from tabulate import tabulate

from aqt_fast.aqt_resource import AQTResource


class BackendsTable(Sequence[AQTResource]):
    """Backends, in a table for reading (``str``, notebooks) and a sequence for working with."""

    HEADERS = ("Workspace", "Resource ID", "Description", "Type", "Qubits", "Status")
    """What the columns hold."""

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
        return tabulate(self.rows(), self.HEADERS, tablefmt="rounded_outline")

    def _repr_html_(self) -> str:
        return tabulate(self.rows(), self.HEADERS, tablefmt="html")

    def by_workspace(self) -> dict[str, list[AQTResource]]:
        """The backends of each workspace."""
        workspaces: dict[str, list[AQTResource]] = {}
        for backend in self:
            workspaces.setdefault(backend.resource_id.workspace_id, []).append(backend)
        return workspaces

    def rows(self) -> list[tuple[str, str, str, str, int, str]]:
        """One row a backend, with the columns of ``HEADERS``."""
        return [
            (
                resource.workspace_id,
                resource.resource_id,
                resource.resource_name,
                resource.resource_type,
                resource.available_qubits,
                resource.status,
            )
            for resource in (backend.resource_id for backend in self)
        ]
