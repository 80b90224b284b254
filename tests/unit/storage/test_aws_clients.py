"""Clients of AWS: in a process that forks, and what their requests say of them."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from agent_memory.storage.factory import aws_client


@pytest.fixture
def service(socket_enabled, monkeypatch):
    """A service without tables: the address from which it was asked, and the headers, for each request."""
    requests = []

    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            requests.append((self.client_address, self.headers))
            body = b'{"TableNames":[]}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield requests
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_has_connections_of_its_own(service):
    client = aws_client("dynamodb", region="us-east-1")
    client.list_tables()
    child = os.fork()
    if not child:
        code = 1
        try:
            client.list_tables()
            client.list_tables()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.list_tables()
    before, first, second, after = [address for address, _ in service]
    assert before == after
    assert first == second != before


def test_requests_name_the_libraries_and_this_application(service):
    aws_client("dynamodb", region="us-east-1").list_tables()
    ((_, headers),) = service
    named = headers["user-agent"].split()
    assert named[0] == f"Boto3/{boto3.__version__}"
    assert "app/agent-memory" in named


@pytest.mark.parametrize("place", ["environment", "settings"])
def test_requests_name_the_application_that_the_user_has_named(service, monkeypatch, tmp_path, place):
    if place == "environment":
        monkeypatch.setenv("AWS_SDK_UA_APP_ID", "momentum-desk")
    else:
        settings = tmp_path / "config"
        settings.write_text("[default]\nsdk_ua_app_id = momentum-desk\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(settings))
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # which may have read the settings before
    aws_client("dynamodb", region="us-east-1").list_tables()
    ((_, headers),) = service
    assert "app/momentum-desk" in headers["user-agent"].split()
