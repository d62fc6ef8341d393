"""A provider's connection to AQT's cloud: makes executions of batches, with their journals."""

from __future__ import annotations

from typing import Any

from aqt_fast import wire
from aqt_fast.api_client import PortalClient, Resource
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.batch import Batch
from aqt_fast.batch_execution import saved_records
from aqt_fast.chunks import BatchPlan
from aqt_fast.cloud_execution import CloudExecution, batch_settings
from aqt_fast.dispatcher import Dispatcher
from aqt_fast.execution import Session
from aqt_fast.journal import Journal
from aqt_fast.poller import Poller
from aqt_fast.stored_job import new_journal


class CloudSession(Session):
    """A provider's connection to the portal, and the threads that its jobs share."""

    def __init__(self, portal: PortalClient, *, max_parallel_requests: int = 8) -> None:
        """Connects to nothing yet.

        Args:
            portal: who is asked.
            max_parallel_requests: submissions that are under way at the same time, and polls as
                well.
        """
        super().__init__(max_parallel_requests, "aqt-fast portal")
        self.portal = portal
        """Who is asked."""
        self.max_parallel_requests = max_parallel_requests
        """Submissions that are under way at the same time, and polls as well."""
        self.submissions = Dispatcher(max_parallel_requests, name="aqt-fast submissions")
        """Other threads than those that poll: a portal that is full keeps submissions waiting."""
        self.poller = Poller(self.dispatcher, max_parallel_requests)
        """Asks for all jobs."""

    def execution(
        self, resource: Resource, batch: Batch, options: AQTOptions, limits: wire.Limits
    ) -> CloudExecution:
        """Make an execution of a new batch, with a journal if the options say so.

        Args:
            resource: what is to run it.
            batch: its circuits.
            options: its options.
            limits: what one API job takes.

        Warns:
            JournalWarning: the journal cannot be written, and there is none.
        """
        plan = BatchPlan.new(len(batch), options.shots, limits, options.label)
        settings = batch_settings(self.portal.portal_url, resource, plan)
        journal = new_journal(resource, batch, options, settings)
        execution = CloudExecution(self, resource, batch, options, plan, journal=journal)
        self.adopt(execution)
        return execution

    def resumed(
        self,
        resource: Resource,
        batch: Batch,
        options: AQTOptions,
        settings: dict[str, Any],
        journal: Journal | None,
    ) -> CloudExecution:
        """Make an execution that goes on with a batch of another process.

        Args:
            resource: what runs it.
            batch: its circuits.
            options: its options.
            settings: what :meth:`CloudExecution.settings` has returned there.
            journal: its journal, which knows more, if there is one.
        """
        execution = CloudExecution(
            self,
            resource,
            batch,
            options,
            BatchPlan.saved(settings),
            journal=journal,
            records=saved_records(settings, journal),
        )
        self.adopt(execution)
        return execution

    def disconnect(self) -> None:
        """Close the connection and end all waiting."""
        self.portal.close()
        self.submissions.close()
