"""Workspaces and their resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BackendType = Literal["device", "simulator", "offline_simulator", "direct_access"]
"""Kinds of resources: on the portal (two), in this process, in the same network."""


@dataclass(frozen=True)
class Resource:
    """A quantum computer or simulator."""

    workspace_id: str
    """The workspace through which it is reached."""
    resource_id: str
    """Its identifier, unique in the workspace."""
    resource_name: str
    """What people call it."""
    resource_type: BackendType
    """What it is."""
    available_qubits: int
    """Size of its register."""
