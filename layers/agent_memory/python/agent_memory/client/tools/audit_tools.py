"""Tools that say whether the record is unchanged, and whether the store responds."""

from importlib import import_module
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from agent_memory.archive.verification import verification_of
from agent_memory.client.connect import HttpApi, over_http
from agent_memory.client.executor import in_thread
from agent_memory.client.tools.access import AgentAccess
from agent_memory.client.tools.results import RecalledReport, ServiceStatus
from agent_memory.core.clock import parse_date
from agent_memory.core.errors import AgentMemoryError

Day = Annotated[str | None, Field(description="A UTC day, as 2026-11-20")]


class AuditTools:
    """Verify the archive of the server's agent, and look at the service."""

    def __init__(self, access: AgentAccess) -> None:
        self._access = access

    async def verify_audit_chain(
        self,
        first: Day = None,
        last: Day = None,
        head: Annotated[
            str | None, Field(description="A head of an earlier result, which has to be in the chain")
        ] = None,
    ) -> RecalledReport:
        """Check every archived decision, day and link of the chain of seals; `status` is `unchanged` or `changed`.

        `nothing_checked` is the status while no day is archived yet, which happens after 30 days.
        """
        stores = self._access.connection
        if isinstance(stores, HttpApi):
            raise over_http("the archive's seals")
        days = [None if day is None else parse_date(day) for day in (first, last)]
        found = await in_thread(verification_of, self._access.agent_id, stores, first=days[0], last=days[1], head=head)
        return RecalledReport(figures=found.as_dict())

    async def get_service_status(self) -> ServiceStatus:
        """Whether the store responds, and what this server may do."""
        error = None
        try:
            await self._access.memory.load_state(fresh=True)
        except AgentMemoryError as caught:
            error = f"{caught.code}: {caught}"
        return ServiceStatus(
            agent_id=self._access.agent_id,
            store=_kind_of(self._access),
            available=error is None,
            read_only=self._access.read_only,
            error=error,
            version=import_module("agent_memory").__version__,  # which imports all that it exports
        )


def _kind_of(access: AgentAccess) -> str:
    """Where the memory is kept, without the address, which may contain a name or a path that is not for models."""
    if isinstance(access.connection, HttpApi):
        return urlsplit(access.connection.base_url).scheme
    return type(access.connection.memories).__name__.removesuffix("Memories").lower()
