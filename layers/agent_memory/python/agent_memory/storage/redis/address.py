"""The setting that says where the cache is, checked before anything connects to it.

    host:port                                      without TLS, as [::1]:6379 for IPv6
    redis://[user:password@]host[:port][/db]       the same, with a user and a database
    rediss://[user:password@]host[:port][/db]      with TLS
    rediss://user@host:port?iam=CACHE              with TLS and IAM, for ElastiCache; see `iam_token`
    unix:///path/of/the/socket

The query string holds redis-py's connection options, as `ssl_ca_certs=/etc/ca.pem&socket_timeout=1`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from agent_memory.core.errors import InvalidInput

FIELD = "redis_endpoint"
IAM, IAM_SERVERLESS = "iam", "iam_serverless"

_EXPECTED = "write host:port, redis://user:password@host:port/0, or rediss://… for TLS"
_HOST_AND_PORT = re.compile(r"(\[[^\[\]]+\]|[^\s:/?#@\[\]]+):\d+")
_DATABASE = re.compile(r"/?|/\d+")
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
# Options of redis-py that are objects, which no text can be, and those that would change what is stored.
_NO_TEXT = frozenset(
    {"command_packer", "encoder_class", "encoding", "encoding_errors", "parser_class", "redis_connect_func", "retry"}
    | {"retry_on_error", "socket_keepalive_options", "credential_provider", "event_dispatcher"}
)
_LONGEST_SECONDS = 3600
_SECONDS = ("socket_timeout", "socket_connect_timeout")
_PASSWORD_OPTION = re.compile(r"(?<=password=)[^&#]*")


def redis_url(setting: object, *, tls: bool = False, field: str = FIELD) -> str:
    """The setting as a URL. `tls` applies to `host:port`, which does not say it.

    Raises:
        InvalidInput: names the field and says what to write. The message contains no password.
    """
    if not isinstance(setting, str):
        raise InvalidInput(field, f"expected text, got {type(setting).__name__}; {_EXPECTED}")
    url = f"{'rediss' if tls else 'redis'}://{setting}" if _HOST_AND_PORT.fullmatch(setting) else setting
    shown = repr(without_password(setting))[:100]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as the system's resolver is asked
    except ValueError:  # such as a port that is not a number, a bracket without its counterpart, or a label too long
        raise InvalidInput(field, f"{shown} is invalid; {_EXPECTED}") from None  # which may quote the password
    is_socket = parts.scheme == "unix" and parts.path.startswith("/")
    is_server = parts.scheme in ("redis", "rediss") and bool(host) and port != 0
    if not (is_socket or is_server) or parts.fragment or not setting.isprintable() or " " in setting:
        raise InvalidInput(field, f"{shown} is invalid; {_EXPECTED}, and write special characters as %40")
    if is_server and not _DATABASE.fullmatch(parts.path):
        raise InvalidInput(field, f"{shown} is invalid: only the number of a database may follow the port, as /0")
    if tls and parts.scheme != "rediss":
        raise InvalidInput(field, f"{shown} is without TLS, which is demanded; write rediss://")
    _check_options(parse_qs(parts.query, keep_blank_values=True), parts.scheme, parts.username, field)
    return f"{parts.scheme}{url[len(parts.scheme) :]}"  # the scheme in lower case, as redis-py expects it


def url_from_environment(environment: Mapping[str, str]) -> str | None:
    """The URL that the variables `AGENT_MEMORY_REDIS_…` describe; None without an endpoint.

    `ENDPOINT` holds any form of the setting. For `host:port`, `TLS` is `true` or `false`, and `USER` and `CACHE` are
    the user and the cache of IAM authentication, as the stacks set them.

    Raises:
        InvalidInput: `field` is the name of the variable.
    """
    endpoint = environment.get("AGENT_MEMORY_REDIS_ENDPOINT")
    if not endpoint:
        return None
    tls = environment.get("AGENT_MEMORY_REDIS_TLS") or "false"
    if tls not in ("true", "false"):
        raise InvalidInput("AGENT_MEMORY_REDIS_TLS", f"{tls!r:.40} is invalid; write true or false")
    url = redis_url(endpoint, tls=tls == "true", field="AGENT_MEMORY_REDIS_ENDPOINT")
    user, cache = environment.get("AGENT_MEMORY_REDIS_USER"), environment.get("AGENT_MEMORY_REDIS_CACHE")
    if user and "://" not in endpoint:
        scheme, _, address = url.partition("://")
        url = f"{scheme}://{quote(user, safe='')}@{address}?{urlencode({IAM: cache or ''})}"
        return redis_url(url, field="AGENT_MEMORY_REDIS_CACHE")
    return url


def without_password(setting: str) -> str:
    """The setting without user and password, for messages."""
    scheme, separator, address = setting.partition("://") if "://" in setting else ("", "", setting)
    _, at, host = address.rpartition("@")
    return _PASSWORD_OPTION.sub("…", f"{scheme}{separator}{'…@' if at else ''}{host}")


def _check_options(options: Mapping[str, list[str]], scheme: str, user: str | None, field: str) -> None:
    for name in _FILES:
        for file in options.get(name, []):
            if not Path(file).is_file():
                raise InvalidInput(field, f"{name}: there is no file {file}")
    for name in sorted(_NO_TEXT & options.keys()):
        raise InvalidInput(field, f"{name} cannot be set in the URL; pass redis_client=")
    for name in _SECONDS:
        for seconds in options.get(name, []):
            if not re.fullmatch(r"\d+(\.\d+)?|\.\d+", seconds) or not 0 < float(seconds) <= _LONGEST_SECONDS:
                raise InvalidInput(field, f"{name}: {seconds!r:.40} is invalid; write seconds, as 0.5")
    caches = [*options.get(IAM, []), *options.get(IAM_SERVERLESS, [])]
    if caches and (len(caches) > 1 or not caches[0] or not user or scheme != "rediss"):
        raise InvalidInput(field, f"IAM needs TLS, a user and one cache: rediss://USER@HOST:PORT?{IAM}=CACHE")
