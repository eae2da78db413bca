"""The comparison of two zips, file by file, and the download of one from AWS."""

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
from kappa.package.compare import compare_code, file_lines, read_code


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


def lines_of(old, new, installed=(), **options):
    return [text.strip() for _, text in file_lines(compare_code(old, new, installed, **options))]


TEA = {"tea__a.py": "1", "tea__b.py": "22", "tea-1.0.dist-info__METADATA": "333"}
TEA_2 = {"tea__a.py": "1", "tea__b.py": "4444", "tea-2.0.dist-info__METADATA": "333"}


def test_a_package_is_one_line_however_many_files_it_has():
    own = {"app.py": "x"}
    assert lines_of(zipped(**own), zipped(**own, **TEA)) == ["+ tea 1.0  3 files, 6 bytes"]
    assert lines_of(zipped(**own, **TEA), zipped(**own)) == ["- tea 1.0  3 files, 6 bytes"]
    assert lines_of(zipped(**TEA), zipped(**TEA_2)) == ["~ tea 1.0 -> 2.0  3 files, 7 bytes"]


def test_a_package_that_has_another_name_than_its_folder_is_known_by_what_it_says():
    files = {"bs4__a.py": "1", "soup-1.0.dist-info__METADATA": ""}
    says = {"soup-1.0.dist-info__top_level.txt": "bs4\n"}
    assert lines_of(zipped(), zipped(**files, **says)) == ["+ soup 1.0  3 files, 5 bytes"]
    assert lines_of(zipped(), zipped(**files), ["bs4/a.py"]) == [
        "+ bs4  1 file, 1 bytes",
        "+ soup 1.0  1 file, 0 bytes",
    ]


def test_a_long_diff_of_a_file_is_cut_and_says_so():
    old, new = ("\n".join(f"{word} {n}" for n in range(500)) for word in ("a", "b"))
    said = lines_of(zipped(**{"a.txt": old}), zipped(**{"a.txt": new}))
    assert len(said) == 42
    assert said[-1] == "... 961 more lines"


def test_what_is_no_text_is_shown_by_its_size():
    old, new = zipped(a=b"\0\xff"), zipped(a=b"\0\xff\xff")
    assert lines_of(old, new) == ["~ a  2 -> 3 bytes"]


def test_what_a_terminal_would_obey_is_shown_as_its_number():
    assert lines_of(zipped(a="x"), zipped(a="\x1b[31m"))[-1] == r"+\x1b[31m"


@pytest.mark.parametrize("char", ["\u00a0", "\u2009", "\u3000", "\u200c", "\u200d", "\u00ad"])
def test_a_line_that_differs_only_in_an_invisible_character_shows_its_number(char):
    number = ascii(char).strip("'")
    lines = lines_of(zipped(a=f"\tx{char}y"), zipped(a="\tx y"))
    assert lines[-2:] == [f"-\tx{number}y", "+\tx y"]


def test_files_that_hold_secrets_are_shown_by_their_size_unless_values_are_shown():
    names = (
        ".env deep__.env.prod tls.key db_password.txt secrets__db.yml a__.aws__config .netrc .npmrc"
        " .pypirc .pgpass a__.htpasswd id_rsa .ssh__x id_ed25519 prod.env env.yml tokens.json"
        " Credentials__b.txt service-account-1.json a.keystore a.JKS a.p12 My_Secret.py"
    )
    for name in names.split():
        old, new = zipped(**{name: "one"}), zipped(**{name: "three"})
        assert lines_of(old, new) == [f"~ {name.replace('__', '/')}  3 -> 5 bytes"]
        assert "+three" in lines_of(old, new, show_secrets=True)


def damaged(kind):
    """A zip of one text, packed in that way, whose packed bytes are not what they were."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        archive.writestr("a", "text of a")
    data = bytearray(buffer.getvalue())
    data[31:35] = b"\xff" * 4  # 30 bytes of header and the name stand before them
    return bytes(data)


def test_a_file_that_a_secret_was_built_into_is_shown_by_its_size():
    old, new = zipped(a="key=old-s3cret"), zipped(a="key=new-s3cret")
    for shows in (False, True):
        lines = lines_of(old, new, show_secrets=shows, secrets=["new-s3cret"])
        assert lines == ["~ a  14 -> 14 bytes"]


@pytest.mark.parametrize(
    "kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_file_on_aws_is_shown_by_its_size(kind):
    new = zipped(a="other text of a")
    assert lines_of(damaged(kind), new) == ["~ a  9 -> 15 bytes"]


QUERY = "?X-Amz-Signature=secret"


def code_of():
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
    url, asked = serve(code_of())
    link = "/code%2Bx/a" + QUERY + "%2F%3D&a=b"
    assert read(url + link) == code_of()
    assert asked == [link]


def test_a_download_that_is_cut_off_is_an_error(serve):
    url, _ = serve(code_of()[:50], length=500)
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
    url, asked = serve(code_of())
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.setenv("no_proxy", "")
    assert read("http://code.example/greeter") == code_of()
    assert asked == ["http://code.example/greeter"]


def test_the_bundle_of_certificates_is_used(serve, certificate, monkeypatch):
    url, _ = serve(code_of(), certificate=certificate)
    assert "SSL validation failed" in error_of(url + QUERY)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    assert read(url + QUERY) == code_of()


def test_an_image_has_no_zip():
    assert read_code(Aws("us-east-1"), "", "greeter") is None
