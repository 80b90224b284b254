"""The client honours the environment's proxies and certificates, through a real proxy on this machine."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent_memory import AgentMemoryClient, InvalidInput, Unavailable
from tests.http_events import FakeSession, call_routes
from tests.http_servers import forward_proxy, http_server

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def log_one(url):
    with AgentMemoryClient(url, "market-hunter", session=FakeSession()).sync as client:
        return client.log_decision("QUERY", {}, {})


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_requests_of_http_go_through_the_proxy(served, monkeypatch, variable):
    with http_server(call_routes) as url, forward_proxy() as proxy:
        monkeypatch.setenv(variable, proxy.url)
        log_one(url)
        assert proxy.targets == [f"{url}/v1/agents/market-hunter/decisions"]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_requests_of_https_go_through_a_tunnel(served, monkeypatch, tls, certificate, variable):
    with http_server(call_routes, tls) as url, forward_proxy() as proxy:
        monkeypatch.setenv(variable, proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        log_one(url)
        assert proxy.targets == [url.removeprefix("https://")]


@pytest.mark.parametrize(
    "exceptions", [{"NO_PROXY": "127.0.0.1"}, {"no_proxy": "example.com,127.0.0.1"}, {"NO_PROXY": "*"}]
)
def test_no_proxy_is_an_exception(served, monkeypatch, exceptions):
    with http_server(call_routes) as url, forward_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        for name, value in exceptions.items():
            monkeypatch.setenv(name, value)
        log_one(url)
        assert proxy.targets == []


def test_the_proxy_of_the_other_scheme_is_not_used(served, monkeypatch):
    with http_server(call_routes) as url, forward_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        log_one(url)
        assert proxy.targets == []


def test_a_proxy_that_does_not_respond_is_an_outage(served, monkeypatch, no_waits):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with http_server(call_routes) as url, pytest.raises(Unavailable, match="ConnectError"):
        log_one(url)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "AWS_CA_BUNDLE"])
def test_certificates_of_the_environment_are_trusted(served, monkeypatch, tls, certificate, variable, no_waits):
    with http_server(call_routes, tls) as url:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            log_one(url)
        monkeypatch.setenv(variable, str(certificate))
        log_one(url)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/no/such/file.pem"),
        ("AWS_CA_BUNDLE", "/no/such/file.pem"),
        ("HTTPS_PROXY", "socks5://127.0.0.1:1080"),
        ("ALL_PROXY", "gopher://127.0.0.1"),
        ("HTTP_PROXY", "http://127.0.0.1:port"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_the_constructor(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInput, match=r"environment: the variables for proxies and certificates"):
        AgentMemoryClient("https://api.example", "hunter", session=FakeSession())
