"""The console's web server: routes, pages, errors as pages, and CSV of every table."""

import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from agent_memory.cli.console.background import Background
from agent_memory.cli.console.csv_file import as_csv
from agent_memory.cli.console.pages import ACTIONS, PAGES, SECTIONS
from agent_memory.cli.console.pages.agents import agents_page
from agent_memory.cli.console.rendering import environment
from agent_memory.cli.console.security import LOOPBACK, LocalOnly, WriteToken, local_hosts
from agent_memory.cli.console.source import Source
from agent_memory.cli.console.view import Page, Visit
from agent_memory.core.clock import to_iso
from agent_memory.core.errors import (
    AgentMemoryError,
    Conflict,
    Damaged,
    Forbidden,
    InColdStorage,
    InvalidInput,
    NotFound,
    ShortTermOff,
    Unavailable,
)

_logger = logging.getLogger(__name__)
_STATUSES: dict[type[AgentMemoryError], int] = {
    InvalidInput: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
}
_NO_OUTAGES = Damaged, InColdStorage, ShortTermOff
_MAX_FORM_BYTES = 1_000_000
_STYLE = "agent_memory.reporting", "style.html.j2"

PageHandler = Callable[[Visit], Awaitable[Page]]


class Console:
    """The pages of a source as an ASGI application."""

    def __init__(self, source: Source, port: int) -> None:
        self.source = source
        self.token = WriteToken()
        self.background = Background()
        routes = [
            Route("/", self._home),
            Route("/agents", self._agents),
            Route("/static/report.css", _report_css),
            Mount("/static", StaticFiles(packages=[("agent_memory.cli.console", "static")])),
            *(Route(f"/agents/{{agent_id}}{path}", self._page(handler)) for path, handler in PAGES),
        ]
        if not source.read_only:
            routes += [
                Route(f"/agents/{{agent_id}}{path}", self._action(handler), methods=["POST"])
                for path, handler in ACTIONS
            ]
        errors = (AgentMemoryError, HTTPException, Exception)
        pages = Starlette(routes=routes, exception_handlers=dict.fromkeys(errors, self._on_error))
        pages.router.redirect_slashes = False
        # Around everything, so that the page of an unexpected error has the headers too.
        self.app = LocalOnly(pages, local_hosts(port))

    async def _home(self, request: Request) -> Response:  # noqa: ARG002  of the route
        agents = await self.source.agent_ids()
        return RedirectResponse(f"/agents/{agents[0]}" if len(agents) == 1 else "/agents")

    async def _agents(self, request: Request) -> Response:
        visit = Visit(self.source, "", request.query_params)
        return await self._respond(request, visit, await agents_page(visit))

    def _page(self, handler: PageHandler) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            visit = await self._visit(request)
            return await self._respond(request, visit, await handler(visit))

        return respond

    def _action(self, handler: Callable[[Visit], Awaitable[str]]) -> Callable[[Request], Awaitable[Response]]:
        """A route that writes: it needs the token of the pages, and leads to a page."""

        async def respond(request: Request) -> Response:
            form = await _form(request)
            if not self.token.matches(form.get("token")):
                raise Forbidden("the page is of another run of this console; load it again")
            visit = replace(await self._visit(request), form=form)
            return RedirectResponse(await handler(visit), status_code=303)

        return respond

    async def _visit(self, request: Request) -> Visit:
        agent_id = await self.source.check_agent(request.path_params["agent_id"])
        return Visit(self.source, agent_id, request.query_params, request.path_params, background=self.background)

    async def _respond(self, request: Request, visit: Visit, page: Page) -> Response:
        wanted = request.query_params.get("csv")
        if wanted:
            text = as_csv(page.table(wanted))
            name = f"{visit.agent_id or 'agents'}-{wanted}.csv"
            headers = {"content-disposition": f'attachment; filename="{name}"'}
            return Response(text, media_type="text/csv", headers=headers)
        return HTMLResponse(await self._render(request, visit.agent_id, page), status_code=page.status)

    async def _render(self, request: Request, agent_id: str, page: Page) -> str:
        values: dict[str, Any] = {
            "page": page,
            "tables": {one.name: one for one in page.tables},
            "agent_id": agent_id,
            "agents": await self._agent_ids(),
            "sections": [one for one in SECTIONS if one[0] != "/trading" or self.source.trading_memory],
            "path": request.url.path,
            "query": request.query_params,
            "source": self.source,
            "token": self.token.value,
            "now": to_iso(self.source.clock.now_ms()),
            **_as_of_links(request.query_params.get("as_of", "").strip()),
            **page.values,
        }
        return environment().get_template(page.template).render(values)

    async def _agent_ids(self) -> list[str]:
        """The agents for the menu, which an error page has too, also if they cannot be listed."""
        try:
            return await self.source.agent_ids()
        except AgentMemoryError:
            return []

    async def _on_error(self, request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            status, message, code = error.status_code, str(error.detail), NotFound.code
        elif isinstance(error, AgentMemoryError):
            status, message, code = _status(error), str(error), error.code
        else:
            _logger.error("%s failed", request.url.path, exc_info=error)
            status, message, code = 500, "The console has a defect; the terminal that it runs in says more.", "error"
        values = {
            "message": message,
            "code": code,
            "is_outage": isinstance(error, Unavailable) and error.retryable and not isinstance(error, _NO_OUTAGES),
            # Where a part of a page was asked for, the error stands in its place, which is selected by its id.
            "part": request.headers.get("hx-target") or "results",
        }
        page = Page(
            "error.html.j2", "Not found" if code == NotFound.code else "This did not work", values, status=status
        )
        asked = request.path_params.get("agent_id", "")
        agent_id = asked if asked in await self._agent_ids() else ""
        return HTMLResponse(await self._render(request, agent_id, page), status_code=status)


def _status(error: AgentMemoryError) -> int:
    return next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)


def _as_of_links(as_of: str) -> dict[str, str]:
    """The time that pages are shown as of, and what links add to their addresses to keep it."""
    pair = urlencode({"as_of": as_of})
    return {"as_of": as_of, "at": f"?{pair}" if as_of else "", "and_at": f"&{pair}" if as_of else ""}


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            raise InvalidInput("form", f"is larger than {_MAX_FORM_BYTES:,} bytes")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body)))
    except ValueError as error:
        raise InvalidInput("form", "is not what a form of this console sends") from error


@cache
def _style() -> str:
    package, name = _STYLE
    return files(package).joinpath(name).read_text(encoding="utf-8").replace("<style>", "").replace("</style>", "")


async def _report_css(request: Request) -> Response:  # noqa: ARG001  of the route
    """The report's own style, with which the pages begin."""
    return Response(_style(), media_type="text/css")


def listen(port: int) -> socket.socket:
    """A socket that only this machine can connect to.

    Raises:
        InvalidInput: the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise InvalidInput("--port", f"{port} cannot be used: {error.strerror}") from error
    listener.listen()
    return listener


def serve(source: Source, port: int, announce: Callable[[str], None]) -> None:
    """Serve the console at 127.0.0.1 until the process is interrupted; raises as `listen`."""
    with listen(port) as listener:
        own_port = listener.getsockname()[1]
        announce(f"http://{LOOPBACK}:{own_port}/")
        app = Console(source, own_port).app
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])
