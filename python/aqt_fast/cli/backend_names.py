"""Names of backends, for the shell to complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqt_fast.cli.completion import completed, silently
from aqt_fast.cli.stored import stored_jobs

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

_SECONDS = 2.0
"""How long somebody who has pressed the tabulator key waits for the portal."""


def backend_names(
    _context: click.Context, _parameter: click.Parameter, beginning: str
) -> list[CompletionItem]:
    """Complete the ID of a resource: those of the portal, of stored jobs, and of this package."""
    from aqt_fast.provider.offline_simulators import OFFLINE_SIMULATORS

    names = []
    with silently():
        names += _of_portal()
    with silently():
        names += [(job.backend, "of a stored job") for job in stored_jobs(None) if job.backend]
    names += [(simulator.id, simulator.name) for simulator in OFFLINE_SIMULATORS]
    return completed(beginning, names)


def _of_portal() -> list[tuple[str, str]]:
    """Ask the portal, if there is a token.

    Raises:
        APIError: it does not answer in time.
    """
    from aqt_fast.api_client import PortalClient
    from aqt_fast.provider.access import Access
    from aqt_fast.provider.settings import Settings

    access = Access(None, None, Settings.read(None, search=True), None)
    if not access.token:
        return []
    portal = PortalClient(
        access.token, portal_url=access.portal_url, connect_timeout=_SECONDS, read_timeout=_SECONDS
    )
    try:
        listed = portal.list_resources()
    finally:
        portal.close()
    return [(item.resource_id, f"{item.resource_name} ({item.workspace_id})") for item in listed]
