"""Workspaces and resources."""

from aqt_fast.api_client import BackendType as AQTBackendType
from aqt_fast.api_client import Resource, Workspace, Workspaces

__all__ = ["AQTBackendType", "Resource", "Workspace", "Workspaces"]
