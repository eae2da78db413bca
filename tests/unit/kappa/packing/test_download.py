"""The zip that AWS has is downloaded whole or not at all, by the way that calls take."""

import http.server
import io
import ipaddress
import ssl
import threading
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kappa.aws import Aws
from kappa.errors import AwsError
from kappa.packing.download import read_code

QUERY = "?X-Amz-Signature=secret"


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), "x")
    return buffer.getvalue()


@pytest.fixture
def serve(monkeypatch):
    """A server of one answer; gives its address, and the paths that were asked for."""
    servers = []
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def start(data, status=200, length=None, certificate=None):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(data) if length is None else length))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        scheme = "https" if certificate else "http"
        return f"{scheme}://127.0.0.1:{server.server_address[1]}", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def certificate(tmp_path):
    """A file with a certificate for this machine that nobody knows, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


def read(link):
    return read_code(Aws("us-east-1"), link, "greeter")


def error_of(link):
    with pytest.raises(AwsError) as error:
        read(link)
    assert "secret" not in str(error.value)
    assert "code of greeter" in error.value.message
    return error.value.message


def test_the_link_is_asked_for_as_it_is(serve):
    url, asked = serve(zipped())
    link = "/code%2Bx/a" + QUERY + "%2F%3D&a=b"
    assert read(url + link) == zipped()
    assert asked == [link]


def test_a_download_that_is_cut_off_is_an_error(serve):
    url, _ = serve(zipped()[:50], length=500)
    assert "50" in error_of(url + QUERY)


def test_what_is_no_zip_is_an_error(serve):
    url, _ = serve(b"<html>Please sign in to this network</html>")
    assert "is not a zip" in error_of(url + QUERY)


def test_a_link_that_has_ended_is_an_error(serve):
    url, _ = serve(b"<Error/>", status=403)
    assert "the answer is 403" in error_of(url + QUERY)


def test_a_server_that_is_not_there_is_an_error_without_the_link(serve):
    assert "127.0.0.1" in error_of("http://127.0.0.1:1/code" + QUERY)


def test_a_proxy_is_asked(serve, monkeypatch):
    url, asked = serve(zipped())
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.setenv("no_proxy", "")
    assert read("http://code.example/greeter") == zipped()
    assert asked == ["http://code.example/greeter"]


def test_the_bundle_of_certificates_is_used(serve, certificate, monkeypatch):
    url, _ = serve(zipped(), certificate=certificate)
    assert "SSL validation failed" in error_of(url + QUERY)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    assert read(url + QUERY) == zipped()


def test_an_image_has_no_zip():
    assert read_code(Aws("us-east-1"), "", "greeter") is None
