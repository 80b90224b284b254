"""Finds out why a server that has never answered does not: with TLS against a port without it, and the reverse.

Neither side says so: a server without TLS waits for the end of a line, and one with TLS closes the connection.
"""

import socket
import ssl
from contextlib import suppress

_REPLIES = (b"+", b"-")
_WITH_TLS = "the port speaks TLS; write rediss://"


def tls_mismatch(
    *, host: str | None, port: int, has_tls: bool, certificate: tuple[str | None, str | None], timeout_seconds: float
) -> str | None:
    """What to change in the settings of the connection; None where TLS is not the reason.

    Args:
        host: of the server; None where it is not known.
        port: of the server.
        has_tls: whether the settings demand TLS.
        certificate: files of the client's certificate and key.
        timeout_seconds: of each of at most three attempts.
    """
    if host is None:
        return None
    with suppress(OSError):
        if has_tls:
            if _answers_without_tls(host, port, timeout_seconds):
                return "the port speaks no TLS; write redis://"
            alert = _alert_after_handshake(host, port, certificate, timeout_seconds)
            return alert and f"the server refuses the TLS connection; set ?ssl_certfile=FILE&ssl_keyfile=FILE: {alert}"
        try:
            _handshake(host, port, (None, None), timeout_seconds).close()
        except ssl.SSLError as error:
            return _WITH_TLS if "ALERT" in str(error) else None
        return _WITH_TLS
    return None


def _answers_without_tls(host: str, port: int, timeout_seconds: float) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout_seconds) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(1) in _REPLIES
    return False


def _alert_after_handshake(
    host: str, port: int, certificate: tuple[str | None, str | None], timeout_seconds: float
) -> str | None:
    """The alert by which a server refuses the client's certificate, in TLS 1.3 after the handshake; else None."""
    try:
        with _handshake(host, port, certificate, timeout_seconds) as connection:
            connection.recv(1)
    except ssl.SSLError as error:
        return error.reason if "ALERT" in str(error) else None
    return None


def _handshake(
    host: str, port: int, certificate: tuple[str | None, str | None], timeout_seconds: float
) -> ssl.SSLSocket:
    # No data is sent, so that it does not matter who answers.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate[0]:
        context.load_cert_chain(certificate[0], certificate[1])
    plain = socket.create_connection((host, port), timeout_seconds)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise
