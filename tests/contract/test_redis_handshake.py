"""Connecting to Redis may take longer than a command: each step of it is slowed down by a proxy."""

import socketserver
import ssl
import threading
import time
from contextlib import contextmanager

import pytest
from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from agent_memory.core.errors import CacheUnavailable
from agent_memory.storage.redis.connection import cluster_client, redis_client_for, with_short_timeouts
from agent_memory.storage.redis.short_term import RedisShortTerm
from tests.redis_servers import hello, self_signed
from tests.serving import serving

pytestmark = pytest.mark.slow

ANSWERS = {b"HELLO": hello("7.2.0"), b"PING": b"+PONG\r\n"}
SLOW = 0.4  # longer than a command may take, shorter than a step of connecting
SECONDS = 3  # in which even a busy machine has given up an attempt


class SlowServer(socketserver.ThreadingTCPServer):
    """Answers HELLO and every other command after a while, and speaks TLS after a while if it has a certificate."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *, hello_seconds=0.0, command_seconds=0.0, tls=None, tls_seconds=0.0):
        self.hello_seconds, self.command_seconds = hello_seconds, command_seconds
        self.tls, self.tls_seconds = tls, tls_seconds
        self.greetings = 0
        super().__init__(("127.0.0.1", 0), Handler)

    def finish_request(self, request, client_address):
        if self.tls is not None:
            time.sleep(self.tls_seconds)
            request = self.tls.wrap_socket(request, server_side=True)
        with request:
            super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.readline():
            words = [self._word() for _ in range(int(head[1:]))]
            is_hello = words[0].upper() in (b"HELLO", b"AUTH")
            self.server.greetings += is_hello
            time.sleep(self.server.hello_seconds if is_hello else self._command_seconds(words))
            self.wfile.write(ANSWERS.get(words[0].upper(), b"+OK\r\n"))

    def _command_seconds(self, words):
        return 0 if words[0].upper() in (b"CLIENT", b"SELECT") else self.server.command_seconds

    def _word(self):
        length = int(self.rfile.readline()[1:])
        return self.rfile.read(length + 2)[:-2]


@contextmanager
def slow_server(**delays):
    server = SlowServer(**delays)
    with serving(server):
        yield server


@pytest.fixture
def certificate(tmp_path):
    key, chain = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context, chain


def ping(client):
    started = time.monotonic()
    try:
        return client.ping(), time.monotonic() - started
    except RedisTimeoutError:
        return "timed out", time.monotonic() - started


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("user", ["", "user:word@"])
def test_slow_authentication_is_waited_for(protocol, user):
    with slow_server(hello_seconds=SLOW) as server:
        client = redis_client_for(f"redis://{user}127.0.0.1:{server.server_address[1]}?protocol={protocol}")
        assert ping(client)[0] is True
        client.connection_pool.disconnect()
        assert ping(client)[0] is True, "opened again"
        assert server.greetings >= (2 if user or protocol == 3 else 0)


def test_slow_tls_is_waited_for(certificate):
    context, chain = certificate
    with slow_server(tls=context, tls_seconds=SLOW, hello_seconds=SLOW) as server:
        client = redis_client_for(f"rediss://127.0.0.1:{server.server_address[1]}?ssl_ca_certs={chain}")
        assert ping(client)[0] is True


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_slow_command_is_not_waited_for(protocol):
    with slow_server(command_seconds=SECONDS) as server:
        client = redis_client_for(f"redis://127.0.0.1:{server.server_address[1]}?protocol={protocol}")
        for _ in range(2):
            answer, seconds = ping(client)
            assert answer == "timed out"
            assert seconds < SECONDS
        connection = client.connection_pool.get_connection()
        assert connection._sock.gettimeout() == 0.2
        assert not connection.can_read()  # a look that does not wait, after which the timeout is set again
        assert connection._sock.gettimeout() == 0.2


def test_a_server_that_never_greets_is_given_up():
    with slow_server(hello_seconds=10) as server:
        answer, seconds = ping(redis_client_for(f"127.0.0.1:{server.server_address[1]}"))
        assert answer == "timed out"
        assert 0.9 < seconds < 9


def test_tls_that_never_begins_is_given_up(certificate):
    context, chain = certificate
    with slow_server(tls=context, tls_seconds=10) as server:
        client = redis_client_for(f"rediss://127.0.0.1:{server.server_address[1]}?ssl_ca_certs={chain}")
        started = time.monotonic()
        with pytest.raises(RedisError):
            client.ping()
        assert 0.9 < time.monotonic() - started < 9


def test_the_timeout_of_the_url_is_that_of_commands():
    with slow_server(hello_seconds=SLOW, command_seconds=SLOW) as server:
        port = server.server_address[1]
        assert ping(redis_client_for(f"redis://127.0.0.1:{port}?socket_timeout=5"))[0] is True
        patient = redis_client_for(f"redis://127.0.0.1:{port}?socket_timeout=0.1&socket_connect_timeout=5")
        assert ping(patient)[0] == "timed out"


def test_a_client_that_the_caller_has_is_as_patient():
    with slow_server(hello_seconds=SLOW) as server:
        given = Redis(host="127.0.0.1", port=server.server_address[1], socket_timeout=0.01)
        assert ping(with_short_timeouts(given))[0] is True
        assert ping(with_short_timeouts(with_short_timeouts(given)))[0] is True


def test_a_connect_function_that_the_caller_has_is_called_once():
    called = []

    def connect(connection):
        called.append(connection)
        connection.on_connect()

    with slow_server() as server:
        given = Redis(host="127.0.0.1", port=server.server_address[1], redis_connect_func=connect)
        client = with_short_timeouts(with_short_timeouts(given))
        assert ping(client)[0] is True
    assert len(called) == 1


def test_the_store_reports_a_slow_command_as_an_outage():
    with slow_server(hello_seconds=SLOW, command_seconds=SECONDS) as server:
        store = RedisShortTerm(redis_client_for(f"127.0.0.1:{server.server_address[1]}"))
        with pytest.raises(CacheUnavailable):
            store.count("stm:x:")


def test_a_node_of_a_cluster_has_the_same_timeouts(monkeypatch):
    settings = {}

    class NotConnected(RedisCluster):
        def __init__(self, **given):
            settings.update(given)

        def __del__(self):
            pass

    monkeypatch.setattr("redis.RedisCluster", NotConnected)
    cluster_client(redis_client_for("127.0.0.1:1"))
    assert (settings["socket_timeout"], settings["socket_connect_timeout"]) == (1.0, 1.0)
    with slow_server() as server:
        connection = Redis(host="127.0.0.1", port=server.server_address[1]).connection_pool.get_connection()
        settings["redis_connect_func"](connection)  # as redis-py's cluster client does with each connection
        assert connection._sock.gettimeout() == 0.2
        connection.disconnect()


def test_threads_that_connect_at_once_do_not_share_a_timeout():
    with slow_server(hello_seconds=SLOW) as server:
        client = redis_client_for(f"127.0.0.1:{server.server_address[1]}")
        answers: list[object] = []
        threads = [threading.Thread(target=lambda: answers.append(ping(client)[0])) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert answers == [True] * 6


def test_the_proxy_is_really_slow():
    with slow_server(hello_seconds=SLOW) as server:
        port = server.server_address[1]
        client = Redis(host="127.0.0.1", port=port, socket_timeout=0.2, retry=Retry(NoBackoff(), 0))
        assert ping(client)[0] == "timed out"
