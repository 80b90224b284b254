"""Finds out why a server that has never answered does not: with TLS against a port without it, and the reverse.

Neither side says so: a server without TLS waits for the end of a line, and one with TLS closes the connection.
"""

import socket
import ssl
from contextlib import suppress

_REPLIES = (b"+", b"-")


def tls_mismatch(
    *, host: str | None, port: int, has_tls: bool, certificate: tuple[str | None, str | None], timeout_seconds: float
) -> str | None:
    """What to change in the settings of the connection; None where TLS is not the reason.

    Args:
        host: of the server; None where it is not known.
        port: of the server.
        has_tls: whether the settings demand TLS.
        certificate: files of the client's certificate and key.
        timeout_seconds: of each of at most two attempts.
    """
    if host is None:
        return None
    with suppress(OSError):
        if has_tls and _answers_without_tls(host, port, timeout_seconds):
            return "the port speaks no TLS; write redis://"
        try:
            answers = _answers_with_tls(host, port, certificate, timeout_seconds)
        except ssl.SSLError as error:
            if has_tls and "ALERT" in str(error):
                return f"the server refuses the TLS connection; set ?ssl_certfile=FILE&ssl_keyfile=FILE: {error.reason}"
            answers = not has_tls and "ALERT" in str(error)
        if answers and not has_tls:
            return "the port speaks TLS; write rediss://"
    return None


def _answers_without_tls(host: str, port: int, timeout_seconds: float) -> bool:
    with socket.create_connection((host, port), timeout_seconds) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(1) in _REPLIES


def _answers_with_tls(host: str, port: int, certificate: tuple[str | None, str | None], timeout_seconds: float) -> bool:
    # Nothing is sent but PING, so that it does not matter who answers.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate[0]:
        context.load_cert_chain(certificate[0], certificate[1])
    with (
        socket.create_connection((host, port), timeout_seconds) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(b"PING\r\n")
        return connection.recv(1) in _REPLIES
