"""`connect`: chooses by one URL where decisions and memories are kept."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_memory.core.clock import Clock
from agent_memory.core.errors import InvalidInput
from agent_memory.core.extras import needs_extra
from agent_memory.model.recall_weights import weights_from
from agent_memory.ports.stores import Stores
from agent_memory.storage.embedders import EMBEDDER_VARIABLE, EmbedderOption, embedder_of
from agent_memory.storage.factory import open_stores, with_short_term
from agent_memory.storage.store_urls import (
    FIELD,
    HTTP_SCHEMES,
    URL_VARIABLE,
    WAYS,
    check_store_url,
    names_a_deployment,
    stores_at,
)

if TYPE_CHECKING:
    from agent_memory.client.http import HttpBackend


class HttpApi:
    """A deployed HTTP API, as `connect("https://…")` returns it. Each object that uses it has its own connections.

    Args:
        base_url: the API's URL up to, not including, `/v1`.
        session: a boto3 session whose credentials sign the requests; by default a new one.
        transport: an httpx transport, for tests.
    """

    def __init__(self, base_url: str, *, session: Any = None, transport: Any = None) -> None:
        with needs_extra("client"):
            from agent_memory.client.urls import check_base_url  # noqa: PLC0415  needs httpx
        self.base_url = check_base_url(base_url)
        self._session = session
        self._transport = transport

    def __repr__(self) -> str:
        return f"HttpApi({self.base_url!r})"

    def backend(
        self, agent_id: str, *, pools: Sequence[str] = (), writer: str | None = None, write_shards: int = 1
    ) -> "HttpBackend":
        """The decision log and memory of an agent."""
        with needs_extra("client"):
            from agent_memory.client.http import HttpBackend  # noqa: PLC0415  needs httpx
            from agent_memory.client.requests import open_requests  # noqa: PLC0415  needs httpx and boto3
        requests = open_requests(self.base_url, self._session, None, self._transport)
        return HttpBackend(requests, agent_id, pools, writer, write_shards)


Connection = Stores | HttpApi
"""What `DecisionLogger` and `MemoryManager` work on."""


def connect(
    url: str | None = None, *, clock: Clock | None = None, embedder: EmbedderOption | None = None
) -> Connection:
    """Open the stores that a URL names, for `DecisionLogger(…, stores=…)` and `MemoryManager(…, stores=…)`.

        connect("sqlite:///memory.db")                                  a file on this machine, and a folder beside it
        connect("https://abc123.execute-api.us-east-1.amazonaws.com")   a deployed API, with signed requests
        connect("aws://agent-memory?region=us-east-1")                  the stores of a deployment, directly

    Without a URL, the variable `AGENT_MEMORY_URL` is read, else those of a deployment on AWS, see `open_stores`.
    A file is created if it does not exist; its folder has to. Where there is no cache, short-term memory is kept in
    this process. Options of `aws://` are `region`, `archive_bucket`, `anchor_bucket` and `redis_endpoint`.

    With `embedder`, memories are stored with vectors of their texts, and `recall` ranks by meaning too. It is an
    `Embedder`, a function from a list of texts to a list of vectors, `local` (a small model on this machine, extra
    `embed`) or `bedrock`; by default what the variable `AGENT_MEMORY_EMBEDDER` names, or none. An API has its own.
    `AGENT_MEMORY_RECALL_WEIGHTS`, such as `meaning=0.7,outcome=0`, sets the weights of recalls that give none.

    Raises:
        InvalidInput: it is not such a URL, or nothing says where the stores are; lists the three ways to say it.
        Misconfigured: the file cannot be opened, or a newer version of this package has written it.
        MissingExtra: names the extra to install.
    """
    url = url if url is not None else os.environ.get(URL_VARIABLE) or None
    if url is None:
        if names_a_deployment(os.environ):
            return _with_recall_settings(with_short_term(open_stores(clock=clock), clock), embedder)
        raise InvalidInput(FIELD, WAYS)
    if check_store_url(url).scheme in HTTP_SCHEMES:
        if embedder is not None:
            raise InvalidInput("embedder", f"an API has its own; set {EMBEDDER_VARIABLE} of the function api")
        return HttpApi(url)
    return _with_recall_settings(with_short_term(stores_at(url, clock), clock), embedder)


def _with_recall_settings(stores: Stores, embedder: EmbedderOption | None) -> Stores:
    option = embedder if embedder is not None else os.environ.get(EMBEDDER_VARIABLE) or None
    return replace(
        stores,
        embedder=None if option is None else embedder_of(option),
        recall_weights=weights_from(os.environ),
    )


def connected(stores: object, clock: Clock | None = None) -> Connection:
    """The connection that a caller passed: open stores, a connection, a URL, or None for the environment's.

    Raises:
        InvalidInput: it is something else.
    """
    if isinstance(stores, Stores | HttpApi):
        return stores
    if stores is None or isinstance(stores, str):
        return connect(stores, clock=clock)
    raise InvalidInput("stores", f"expected a URL, or what connect() returned, got {type(stores).__name__}")


def over_http(what: str) -> InvalidInput:
    """The error for what only a process with direct access to the stores has."""
    return InvalidInput("stores", f"the HTTP API has no access to {what}; open sqlite:// or aws:// instead")
