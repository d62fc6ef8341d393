"""The table of backends: its columns and rows."""

from __future__ import annotations

from typing import Any

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.backends.base import AQTResource
from aqt_fast.provider.fitting import Paint, fits_terminal, fitted
from aqt_fast.provider.table import Table


class BackendsTable(Table[AQTResource]):
    """Backends that print as a table (``str``, notebooks) and act as a sequence."""

    HEADERS = ("Workspace", "Resource ID", "Description", "Type", "Qubits", "Status")
    """Names of the columns."""
    EXPENDABLE = ("Description",)
    STATES = "Status"
    _EXPENDABLE_LATER = ("Type", "Qubits", "Workspace", "Status")
    """Columns that go only if the others do not even fit without lines."""

    @property
    def headers(self) -> list[str]:
        """Names of the columns."""
        return list(self.HEADERS)

    @property
    def backends(self) -> list[AQTResource]:
        """The backends."""
        return list(self)

    def fitted(self, style: str = "simple", paint: Paint | None = None) -> str:
        """Format the table for the terminal's width.

        Args:
            style: a format of the package ``tabulate``, one for plain text.
            paint: for names of columns, what colours a cell by escapes of the terminal.
        """
        if fits_terminal(super().fitted(style)):
            return super().fitted(style, paint)
        expendable = (*self.EXPENDABLE, *self._EXPENDABLE_LATER)
        return fitted(self.rows(), self.HEADERS, drop=expendable, style=style, paint=paint)

    def table(self) -> list[list[Any]]:
        """Return one row per backend, with the columns of ``headers``."""
        return [list(row) for row in self.rows()]

    def __repr__(self) -> str:
        names = ", ".join(one_line(backend.name, LONGEST_NAME) for backend in self)
        return f"<BackendsTable of {names or 'nothing'}>"

    def by_workspace(self) -> dict[str, list[AQTResource]]:
        """Return the backends of each workspace."""
        workspaces: dict[str, list[AQTResource]] = {}
        for backend in self:
            workspaces.setdefault(backend.resource_id.workspace_id, []).append(backend)
        return workspaces

    def rows(self) -> list[tuple[Any, ...]]:
        """Return one row per backend, with the columns of ``HEADERS``."""
        return [
            (
                resource.workspace_id,
                resource.resource_id,
                resource.resource_name,
                resource.resource_type,
                resource.available_qubits,
                resource.full_status,
            )
            for resource in (backend.resource_id for backend in self)
        ]
