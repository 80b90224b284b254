"""A client of a console that runs in this process, with the headers of a browser of this machine."""

import asyncio

import httpx

from tests.console.data import AGENT, BASE
from tests.console.html import Parsed


class Client:
    """Reads pages of a console as elements, and sends forms."""

    def __init__(self, console):
        self.console = console
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(console.app, raise_app_exceptions=False), base_url=BASE
        )

    async def raw(self, path, method="GET", **options):
        return await self._http.request(method, path, **options)

    async def page(self, path, *, status=200, agent=AGENT):
        response = await self.raw(f"/agents/{agent}{path}")
        assert response.status_code == status, response.text
        return Parsed(response.text)

    async def post(self, path, *, token=None, origin=BASE, agent=AGENT, **form):
        token = self.console.token.value if token is None else token
        headers = {"origin": origin} if origin else {}
        return await self.raw(f"/agents/{agent}{path}", "POST", data={"token": token, **form}, headers=headers)

    async def ended(self, kind, agent=AGENT):
        """Wait until work in the background has ended; returns it."""
        work = self.console.background.get(kind, agent)
        while work.is_running:  # noqa: ASYNC110  a thread ends it
            await asyncio.sleep(0.01)
        return work
