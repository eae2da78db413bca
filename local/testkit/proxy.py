"""A proxy in front of the emulator: it records operations and can make them fail."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

# Operations of REST services: method, the path after the API version, name.
_REST = {
    "lambda": (
        ("GET", r"/functions/[^/]+", "GetFunction"),
        ("GET", r"/functions/[^/]+/configuration", "GetFunctionConfiguration"),
        ("GET", r"/functions/[^/]+/policy", "GetPolicy"),
        ("GET", r"/functions/?", "ListFunctions"),
        ("GET", r"/functions/[^/]+/aliases", "ListAliases"),
        ("GET", r"/functions/[^/]+/versions", "ListVersionsByFunction"),
        ("GET", r"/event-source-mappings/?", "ListEventSourceMappings"),
        ("GET", r"/event-source-mappings/[^/]+", "GetEventSourceMapping"),
        ("POST", r"/event-source-mappings/?", "CreateEventSourceMapping"),
        ("DELETE", r"/event-source-mappings/[^/]+", "DeleteEventSourceMapping"),
        ("POST", r"/functions", "CreateFunction"),
        ("POST", r"/functions/[^/]+/policy", "AddPermission"),
        ("PUT", r"/functions/[^/]+/code", "UpdateFunctionCode"),
        ("PUT", r"/functions/[^/]+/concurrency", "PutFunctionConcurrency"),
        ("PUT", r"/functions/[^/]+/configuration", "UpdateFunctionConfiguration"),
        ("DELETE", r"/functions/[^/]+", "DeleteFunction"),
    )
}
_REQUEST_IDS = frozenset({"x-amzn-requestid", "x-amz-request-id"})
READS = re.compile(r"(Get|List|Describe)[A-Z]")
# Status, headers, body.
Answer = tuple[int, list[tuple[str, str]], bytes]


@dataclass
class Proxy:
    """A running proxy: the emulator's host and port, and the operations that it has received.

    `before` decides what happens to an operation: None forwards it, an Answer is sent instead.
    "drop" closes the connection before AWS gets the call, "lose" afterwards; "deny" answers as AWS
    does without a permission; "kill" kills `process`, the caller, after the call.
    """

    host: str
    port: int
    operations: list[str] = field(default_factory=list)
    before: Callable[[str], str | Answer | None] | None = None
    url: str = ""
    process: subprocess.Popen[Any] | None = None
    one_by_one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def writes(self) -> list[str]:
        """The operations that change something."""
        return [name for name in self.operations if not READS.match(name)]


@contextmanager
def running(endpoint_url: str) -> Iterator[Proxy]:
    """Run a proxy on a free port."""
    parts = urlsplit(endpoint_url)
    assert parts.hostname
    assert parts.port
    proxy = Proxy(parts.hostname, parts.port)
    server = _Server(("127.0.0.1", 0), lambda *args: _Handler(proxy, *args))
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_args: object) -> None:
        """Report nothing: the client was killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body go together, or the client waits 40 ms for the second

    def __init__(self, proxy: Proxy, *args: Any) -> None:  # noqa: ANN401
        self.proxy = proxy
        super().__init__(*args)

    def log_message(self, *_args: object) -> None:
        """Report nothing."""

    def _handle(self) -> None:
        try:
            self._answer()
        except OSError:  # the client or the emulator is gone
            self.close_connection = True

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self._operation(body)
        self.proxy.operations.append(operation)
        fate = self.proxy.before(operation) if self.proxy.before else None
        if fate == "drop":
            self.close_connection = True
            return
        if fate == "deny":
            fate = denied(self._service())
        if operation == "CreateEventSourceMapping" and fate in (None, "lose", "kill"):
            status, headers, answer = self._create_mapping(body)
        else:
            status, headers, answer = fate if isinstance(fate, tuple) else self._forward(body)
        if fate == "kill" and self.proxy.process:
            self.proxy.process.kill()
        if fate in ("lose", "kill"):
            self.close_connection = True
            return
        self.send_response(status)
        # Every answer of AWS has the id of its request.
        if not any(name.lower() in _REQUEST_IDS for name, _ in headers):
            self.send_header("x-amzn-RequestId", "00000000-0000-4000-8000-000000000000")
        for name, value in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815 - http.server's names

    def _create_mapping(self, body: bytes) -> Answer:
        """Refuse a mapping that exists, as AWS does; the emulator would create a second one.

        Source: Lambda API reference, CreateEventSourceMapping: ResourceConflictException.
        """
        asked = json.loads(body)
        function = asked["FunctionName"].split(":function:")[-1]
        with self.proxy.one_by_one:
            listed = json.loads(self._forward(b"", "GET")[2])["EventSourceMappings"]
            for mapping in listed:
                if (
                    mapping.get("EventSourceArn") == asked.get("EventSourceArn")
                    and mapping["FunctionArn"].split(":function:")[-1] == function
                ):
                    text = f"The mapping {mapping['UUID']} already exists"
                    return error("ResourceConflictException", text, 409)
            return self._forward(body)

    def _forward(self, body: bytes, method: str = "") -> Answer:
        connection = http.client.HTTPConnection(self.proxy.host, self.proxy.port, timeout=30)
        try:
            headers = dict(self.headers)
            headers.pop("Content-Length", None)
            connection.request(method or self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _service(self) -> str:
        signed = re.search(r"/([a-z0-9-]+)/aws4_request", self.headers.get("Authorization", ""))
        return signed[1] if signed else ""

    def _operation(self, body: bytes) -> str:
        target = self.headers.get("X-Amz-Target", "")
        if target:
            return target.split(".")[-1]
        action = parse_qs(body.decode("utf-8", "replace")).get("Action")
        if action:
            return action[0]
        path = re.sub(r"^/\d{4}-\d{2}-\d{2}", "", urlsplit(self.path).path)
        for method, pattern, name in _REST.get(self._service(), ()):
            if method == self.command and re.fullmatch(pattern, path):
                return name
        return f"{self.command} {path}"


def error(code: str, message: str, status: int = 400) -> Answer:
    """An error as Lambda's REST API writes it."""
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)]
    return status, headers, f'{{"Type": "User", "message": "{message}"}}'.encode()


def denied(service: str) -> Answer:
    """AWS's answer to a call without permission, in the service's protocol."""
    if service in ("iam", "sns", "sts"):
        return query_error("AccessDenied", 403)
    if service == "s3":
        return xml_error("AccessDenied", 403)
    if service == "lambda":
        return error("AccessDeniedException", "User is not authorized to perform this", 403)
    body = b'{"__type": "AccessDeniedException", "message": "User is not authorized"}'
    return 400, [("Content-Type", "application/x-amz-json-1.1")], body


def json_error(code: str, status: int = 400) -> Answer:
    """An error as DynamoDB writes it."""
    body = f'{{"__type": "com.amazonaws.dynamodb.v20120810#{code}", "message": "a fault"}}'
    return status, [("Content-Type", "application/x-amz-json-1.0")], body.encode()


def xml_error(code: str, status: int) -> Answer:
    """An error as S3 writes it."""
    body = f"<Error><Code>{code}</Code><Message>a fault</Message></Error>"
    return status, [("Content-Type", "application/xml")], body.encode()


def query_error(code: str, status: int) -> Answer:
    """An error as STS writes it."""
    _, headers, body = xml_error(code, status)
    return status, headers, b"<ErrorResponse>" + body + b"</ErrorResponse>"
