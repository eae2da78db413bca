"""The HTTP server on a real socket: what it reads, what it writes, and that nothing breaks it."""

import http.client
import socket
import threading
from contextlib import closing, contextmanager

import pytest

from kappa.errors import KappaError
from kappa.local_run.server import Server, TooLarge
from kappa.local_run.url_response import Response

LIMIT = 1_000_000
TYPE = ("Content-Type", "text/plain")


class Served:
    """A running server, what it was asked, and the exceptions that it took for kappa's own."""

    def __init__(self, respond):
        self.answers, self.crashes = [], []
        self.server = Server(respond, answered=self.answered, crashed=self.crashes.append)
        self.port = self.server.port

    def answered(self, exchange):
        self.answers.append((exchange.method, exchange.target, exchange.status))

    def raw(self, data, *, end=True):
        """Send bytes, then read all that comes until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(data)
            if end:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def ask(self, method, target, body=None, headers=None, **more):
        with self.client() as connection:
            connection.request(method, target, body, headers or {}, **more)
            answer = connection.getresponse()
            return answer, answer.read()

    def client(self):
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30))


@contextmanager
def serving(respond):
    served = Served(respond)
    served.server.start()
    with closing(served.server):
        yield served
    assert served.crashes == []


def echo(exchange):
    try:
        body = exchange.read(LIMIT)
    except TooLarge:
        exchange.send(Response(413, (TYPE,), b"too large"))
    else:
        asked = f"{exchange.method} {exchange.target} {exchange.value('x-mode')}"
        exchange.send(Response(200, (TYPE, ("X-Asked", asked)), body or b"nothing"))


@pytest.fixture(scope="module")
def server():
    with serving(echo) as served:
        yield served


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def test_a_request_arrives_as_it_was_sent(server):
    answer, body = server.ask("PUT", "//a%2Fb/?c=d%20e", b"\0\xff", {"X-Mode": "one"})
    assert (answer.status, body) == (200, b"\0\xff")
    assert answer.getheader("X-Asked") == "PUT //a%2Fb/?c=d%20e one"
    assert answer.getheader("Date")


def test_one_connection_serves_many_requests(server):
    with server.client() as connection:
        for number in range(3):
            connection.request("POST", "/", b"%d" % number)
            sockets = connection.sock
            assert connection.getresponse().read() == b"%d" % number
            assert connection.sock is sockets is not None


def test_a_body_in_chunks_is_read(server):
    pieces = iter([b"one", b"", b"two" * 1000])
    _, body = server.ask("POST", "/", pieces, encode_chunked=True)
    assert body == b"one" + b"two" * 1000


def test_head_has_no_body(server):
    answer, body = server.ask("HEAD", "/")
    assert (answer.getheader("Content-Length"), body) == ("7", b"")


def test_a_client_of_http_1_0_is_answered_and_left(server):
    answer = server.raw(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", end=False)
    assert status_of(answer) == 200
    assert b"Connection: close" in answer
    assert answer.endswith(b"\r\n\r\nnothing")


def test_requests_may_be_sent_ahead(server):
    ask = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d"
    answer = server.raw(ask % 1 + ask % 2)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.endswith(b"2")


def test_a_client_that_waits_for_continue_is_told_to_go_on(server):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    answer = server.raw(head + b"hi")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\r\n\r\n", None),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET / HTTP/x\r\n\r\n", 400),
        (b"GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (HEAD + b"X: y\r\n" * 200 + b"\r\n", 431),
        (HEAD + b"no colon\r\nOrigin: z\r\n\r\n", 400),
        (HEAD + b"X Y: z\r\n\r\n", 400),
        (HEAD + b"X: y\r\n folded\r\n\r\n", 400),
        (HEAD + b"X: \0\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1, 1\r\n\r\na", 400),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (HEAD + b"Content-Length: 9\r\n\r\nab", 400),
        (HEAD + b"Content-Length: 99999999999\r\n\r\nab", 413),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n", 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 200, 400),
    ],
)
def test_what_is_not_http_is_an_error_of_one_line(server, data, status, capfd):
    answer = server.raw(data)
    assert capfd.readouterr() == ("", "")
    if status is None:
        assert answer == b""
        return
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(head) == status
    assert b"Connection: close" in head
    assert body.count(b"\n") == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413_and_the_connection_stays(server, chunked):
    body = b"a" * (LIMIT + 1)
    with server.client() as connection:
        connection.request("POST", "/", iter([body]) if chunked else body, encode_chunked=chunked)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (413, b"too large")
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"nothing"
    assert ("POST", "/", 413) in server.answers


def stream(exchange):
    exchange.begin(Response(206, (("X-Name", "Grüße"),)))
    for piece in (b"one", b"", b"two"):
        exchange.write(piece)
    if exchange.target == "/cut":
        exchange.cut()
    else:
        exchange.end()


def test_a_stream_is_sent_in_chunks_and_cut_where_it_fails():
    with serving(stream) as served:
        answer, body = served.ask("GET", "/")
        assert (answer.status, body) == (206, b"onetwo")
        assert answer.getheader("Transfer-Encoding") == "chunked"
        assert answer.getheader("X-Name").encode("latin-1").decode() == "Grüße"
        assert served.raw(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n").endswith(b"\r\n\r\nonetwo")
        assert served.raw(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"\r\n\r\n")
        with pytest.raises(http.client.IncompleteRead):
            served.ask("GET", "/cut")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status):
    with serving(lambda exchange: exchange.send(Response(status, (), b"body"))) as served:
        answer, body = served.ask("GET", "/")
        assert (answer.status, body) == (status, b"")
        assert answer.headers["Content-Length"] is None


def test_a_client_that_goes_away_is_no_error():
    gone = threading.Event()

    def write_on(exchange):
        exchange.begin(Response(200))
        try:
            for _ in range(1000):
                exchange.write(b"a" * 100_000)
        finally:
            gone.set()

    with serving(write_on) as served:
        with socket.create_connection(("127.0.0.1", served.port), 10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(10)
        assert gone.wait(10)


def test_an_exception_of_kappas_own_is_not_hidden():
    def broken(*_):
        raise RuntimeError("a bug")

    served = Served(broken)
    served.server.start()
    with closing(served.server):
        assert served.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
    assert [str(error) for error in served.crashes] == ["a bug"]


def test_a_port_in_use_is_an_error_that_says_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(KappaError, match=f"Port {port} is in use") as caught:
            Server(echo, port=port)
        assert "--port 0" in caught.value.hint
