"""The URLs of stores: `sqlite:///memory.db` is a file, `aws://agent-memory?region=us-east-1` a deployment on AWS."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from agent_memory.core.clock import Clock
from agent_memory.core.errors import InvalidInput, shown
from agent_memory.ports.stores import Stores
from agent_memory.storage.factory import DEFAULT_PREFIX, open_stores, sqlite_stores

FIELD = "store"
URL_VARIABLE = "AGENT_MEMORY_URL"
HTTP_SCHEMES = frozenset({"http", "https"})

WAYS = f"""nothing says where decisions and memories are kept; pass one of these, or set {URL_VARIABLE}:
  sqlite:///memory.db                    a file on this machine
  https://API.execute-api.REGION.amazonaws.com   a deployed API, with signed requests
  aws://agent-memory?region=REGION       the tables of a deployment, called directly"""

_AWS_OPTIONS = frozenset({"region", "archive_bucket", "anchor_bucket", "redis_endpoint"})
_MEMORY = ":memory:"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What names a deployment, or the account and region where one with the default prefix is.
AWS_VARIABLES = (
    "AGENT_MEMORY_TABLE_PREFIX",
    "AGENT_MEMORY_ARCHIVE_BUCKET",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
)


def check_store_url(value: object) -> SplitResult:
    """Return the parts of a store's URL, or raise `InvalidInput`, which lists the ways to write one."""
    if not isinstance(value, str | os.PathLike):
        raise InvalidInput(FIELD, f"expected a URL, got {type(value).__name__}")
    text = str(value).strip()
    _check_characters(text)  # urlsplit leaves out tabs and line ends, which would name another file
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise InvalidInput(FIELD, f"{shown(text, 80)} is not a URL: {error}") from error
    if parts.scheme not in {"sqlite", "aws", *HTTP_SCHEMES}:
        raise InvalidInput(FIELD, f"{shown(value, 80)} is not the URL of a store; {WAYS.partition('; ')[2]}")
    return parts


def stores_at(url: str, clock: Clock | None = None, *, creates: bool = True) -> Stores:
    """Open the stores of a `sqlite:` or `aws:` URL.

    `sqlite:///memory.db` is a path relative to the working directory, `sqlite:////var/lib/memory.db` an absolute one,
    `sqlite:///~/memory.db` one in the home directory, and `sqlite://` or `sqlite:///:memory:` a database in memory.
    `aws://PREFIX` names the tables' prefix; its options are `region`, `archive_bucket`, `anchor_bucket` and
    `redis_endpoint`, by default those of the environment. Without `creates`, a file has to exist.

    Raises:
        InvalidInput: it is another URL, or has other options. Misconfigured: the file cannot be opened.
    """
    parts = check_store_url(url)
    if parts.scheme == "sqlite":
        path = _path(parts, str(url).strip())
        if not creates:
            _check_exists(path)
        return sqlite_stores(path, clock)
    if parts.scheme == "aws":
        return _aws_stores(parts, clock)
    raise InvalidInput(FIELD, f"{url:.80} is an HTTP API, which this does not use; name a sqlite: or aws: URL")


def is_same_store(first: str, second: str) -> bool:
    """Whether two URLs name the same store, as `sqlite:///memory.db` and `sqlite:///./memory.db`."""
    return _location(first) == _location(second)


def sqlite_file(url: str) -> Path | None:
    """The file that a store's URL names; None for a database in memory, and for stores that are no file."""
    parts = check_store_url(url)
    return _path(parts, url.strip()) if parts.scheme == "sqlite" else None


def aws_deployment(url: str | None, table_prefix: str | None) -> tuple[str, str | None] | None:
    """The prefix and the region of the deployment on AWS that a URL names, or without a URL the table prefix.

    None if the URL is another one; the region is None where that of the environment holds.
    """
    if url is None:
        return table_prefix or DEFAULT_PREFIX, None
    parts = check_store_url(url)
    if parts.scheme != "aws":
        return None
    return parts.netloc or table_prefix or DEFAULT_PREFIX, dict(parse_qsl(parts.query)).get("region")


def names_a_deployment(environment: Mapping[str, str]) -> bool:
    """Whether the environment says which deployment, or which account and region on AWS, is meant."""
    config = Path(environment.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    return any(environment.get(name) for name in AWS_VARIABLES) or config.is_file()


def _location(url: str) -> str | Path:
    parts = check_store_url(url)
    path = _path(parts, str(url).strip()) if parts.scheme == "sqlite" else None
    return url if path is None else path.resolve()


def _path(parts: SplitResult, url: str) -> Path | None:
    if parts.netloc:
        raise InvalidInput(FIELD, f"{url:.80} has two slashes; a file has three, as sqlite:///{parts.netloc}")
    if parts.query or parts.fragment:
        raise InvalidInput(FIELD, f"{url:.80}: a file has no options")
    if not url[len(parts.scheme) + 1 :].startswith("//"):
        raise InvalidInput(FIELD, f"{url:.80} has no slashes before the file; write sqlite:///memory.db")
    path = unquote(parts.path)[1:]
    if parts.path and not path:
        raise InvalidInput(FIELD, f"{url:.80} names no file; write sqlite:///memory.db")
    if path in {"", _MEMORY}:
        return None
    _check_characters(path)
    try:
        os.fsencode(path)
        return Path(path).expanduser() if path.startswith("~/") else Path(path)
    except (UnicodeEncodeError, RuntimeError) as error:  # RuntimeError: nothing says where the home directory is
        raise InvalidInput(FIELD, f"{shown(url, 80)} names no file: {error}") from error


def _check_characters(text: str) -> None:
    if _CONTROL.search(text):
        raise InvalidInput(FIELD, f"{shown(text, 80)} contains a control character")


def _check_exists(path: Path | None) -> None:
    if path is None:
        raise InvalidInput(FIELD, "a database in memory is empty; name a file, as sqlite:///memory.db")
    if path.absolute().parent.is_dir() and not os.path.exists(path):  # noqa: PTH110  no error for a long name
        raise InvalidInput(FIELD, f"there is no file {path.absolute()}; the first decision or memory creates it")


def _aws_stores(parts: SplitResult, clock: Clock | None) -> Stores:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - _AWS_OPTIONS)
    if unknown:
        raise InvalidInput(FIELD, f"unknown option {unknown[0]!r}; the options are {', '.join(sorted(_AWS_OPTIONS))}")
    if parts.path.strip("/") or parts.fragment:
        raise InvalidInput(FIELD, "write aws://PREFIX, with the prefix of the tables' names and no path")
    return open_stores(
        table_prefix=parts.netloc or None,
        archive_bucket=options.get("archive_bucket"),
        anchor_bucket=options.get("anchor_bucket"),
        redis_endpoint=options.get("redis_endpoint"),
        region=options.get("region") or None,
        clock=clock,
    )
