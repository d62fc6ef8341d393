"""The clock, the requests, and servers on loopback."""

import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from api_client.scripted import ASKING, EVERYTHING, SUBMITTING, FakeTime, Operation
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@pytest.fixture
def time() -> FakeTime:
    """A clock that waits for nothing."""
    return FakeTime()


@pytest.fixture(params=ASKING.values(), ids=ASKING.keys())
def asking(request) -> Operation:
    """GET and DELETE."""
    return request.param


@pytest.fixture(params=SUBMITTING.values(), ids=SUBMITTING.keys())
def submitting(request) -> Operation:
    """POST and PUT."""
    return request.param


@pytest.fixture(params=EVERYTHING.values(), ids=EVERYTHING.keys())
def operation(request) -> Operation:
    """Any request."""
    return request.param


class Web:
    """A web server on loopback that answers with path and token of the request."""

    def __init__(self, certificate: Path | None = None) -> None:
        """``certificate``: a PEM file with certificate and key, None for plain HTTP."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = orjson.dumps({"path": self.path, "token": self.headers["Authorization"]})
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.certificate = certificate
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = self.url.replace("http:", "https:")


class Listener:
    """A server on loopback that records the first bytes of a connection, and hangs up."""

    def __init__(self) -> None:
        self.heard = heard = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                heard.append(self.request.recv(65536))
                self.request.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def serving(what: Any) -> Iterator[Any]:
    """Run a server during a test."""
    thread = threading.Thread(target=what.server.serve_forever, args=(0.01,))
    thread.start()
    yield what
    what.server.shutdown()
    thread.join()
    what.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server."""
    yield from serving(Web())


def certificate_for(host: str) -> bytes:
    """A certificate for an IP address that signs itself, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return certificate.public_bytes(pem) + private


@pytest.fixture
def secure_web(request, tmp_path) -> Iterator[Web]:
    """A web server with TLS; its certificate is for 127.0.0.1, or for the parameter."""
    path = tmp_path / "server.pem"
    path.write_bytes(certificate_for(getattr(request, "param", "127.0.0.1")))
    yield from serving(Web(path))


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server that records the first bytes of each connection."""
    yield from serving(Listener())


@pytest.fixture
def no_proxies(monkeypatch) -> None:
    """Hide the proxies and certificates of this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
