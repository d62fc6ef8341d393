"""What AQT's portal offers. Nothing in here knows Qiskit."""

from aqt_fast.api_client.models import BackendType, Resource

__all__ = ["BackendType", "Resource"]
