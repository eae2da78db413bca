"""Answers that a proxy or a sign-in page has sent in place of AWS."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kappa.aws import Aws
from kappa.errors import AwsError, KappaError


@contextmanager
def answering(status, body, kind="text/html", **headers):
    """Something in AWS's place; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args):
            """Say nothing."""

        def handle_any(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            for name, value in {"Content-Type": kind, **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - http.server's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


PAGE = b"<!DOCTYPE html><html><style>p{}</style><body><p>Blocked by policy</p></body></html>"


CALLS = [
    ("lambda", "get_function", {"FunctionName": "f"}),
    ("logs", "filter_log_events", {"logGroupName": "g"}),
    ("iam", "get_role", {"RoleName": "r"}),
    ("sts", "get_caller_identity", {}),
    ("sns", "list_topics", {}),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, PAGE, "text/html"),
        (403, PAGE, "text/html"),
        (302, b"", "text/html"),
        (200, b"OK", "text/plain"),
        (200, b'{"ok": true}', "application/json"),
        (403, b"Forbidden", "text/plain"),
    ],
)
def test_what_is_not_aws_is_named_with_its_address(monkeypatch, keys, call, status, body, kind):
    service, operation, params = call
    with answering(status, body, kind) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError, match=f"{url} did not answer as AWS does") as caught:
            Aws("us-east-1").call(service, operation, "trying", params)
    assert "proxy" in caught.value.hint
    if body == PAGE:
        assert '"Blocked by policy"' in caught.value.message


@pytest.mark.parametrize("status", [200, 403])
def test_a_page_is_never_the_result_of_an_invocation(monkeypatch, keys, status):
    from kappa.commands.invoke import send

    with answering(status, PAGE) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError, match="did not answer as AWS does"):
            send(Aws("us-east-1"), "f", b"{}", "RequestResponse")


JSON = "application/json"


NOT_AWS = [
    ("lambda", "get_function", {"FunctionName": "f"}, 200, b"", JSON),
    ("lambda", "get_function", {"FunctionName": "f"}, 200, b"{}", JSON),
    ("lambda", "get_function", {"FunctionName": "f"}, 200, b'{"Configuration": "x"}', JSON),
    ("lambda", "get_function", {"FunctionName": "f"}, 200, b'{"Tags": {}}', JSON),
    ("lambda", "get_function", {"FunctionName": "f"}, 200, b"<Function/>", "text/xml"),
    ("lambda", "get_function", {"FunctionName": "f"}, 404, b'{"__type": ["x"]}', JSON),
    ("lambda", "get_function", {"FunctionName": "f"}, 404, b"", JSON),
    ("lambda", "get_function", {"FunctionName": "f"}, 404, b'{"detail": "no route"}', JSON),
    ("lambda", "list_aliases", {"FunctionName": "f"}, 200, b'{"Aliases": [1]}', JSON),
    ("logs", "describe_log_groups", {}, 200, b'{"logGroups": {"a": 1}}', JSON),
    ("logs", "filter_log_events", {"logGroupName": "g"}, 200, b'{"events": "none"}', JSON),
    ("iam", "get_role", {"RoleName": "r"}, 200, b"<ok/>", "text/xml"),
    ("iam", "get_role", {"RoleName": "r"}, 200, b"", "text/xml"),
    ("sts", "get_caller_identity", {}, 404, b"<nothing/>", "text/xml"),
]


@pytest.mark.parametrize("case", NOT_AWS, ids=lambda case: f"{case[1]} {case[4]!r}")
def test_an_answer_that_only_looks_like_awss_is_not_taken_for_one(monkeypatch, keys, case):
    service, operation, params, status, body, kind = case
    with answering(status, body, kind) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError, match="did not answer as AWS does"):
            Aws("us-east-1").call(service, operation, "trying", params)


@pytest.mark.parametrize("body", [b"", b'{"ok": true}', b"null"])
def test_an_invocation_without_a_requests_number_has_no_result(monkeypatch, keys, body):
    from kappa.commands.invoke import send

    with answering(200, body, JSON) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError, match="did not answer as AWS does"):
            send(Aws("us-east-1"), "f", b"{}", "RequestResponse")


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b'{"Configuration": [1]}'), (200, b"[1]"), (404, b'{"__type": ["x"], "message": [1]}')],
)
def test_what_the_sdk_stumbles_over_is_an_error_in_words(monkeypatch, keys, status, body):
    number = {"x-amzn-RequestId": "1"}
    with answering(status, body, JSON, **number) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(KappaError):
            Aws("us-east-1").call("lambda", "get_function", "trying", {"FunctionName": "f"})


def test_a_list_without_its_key_is_not_awss(monkeypatch, keys):
    with answering(200, b'{"other": 1}', JSON, **{"x-amzn-RequestId": "1"}) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError, match="is not AWS"):
            Aws("us-east-1").pages(
                "lambda", "list_aliases", "trying", "Aliases", {"FunctionName": "f"}
            )


def test_a_page_that_a_function_returns_is_its_result(monkeypatch, keys):
    from kappa.commands.invoke import send

    answer = {"x-amzn-RequestId": "1", "X-Amz-Executed-Version": "$LATEST"}
    with answering(200, json.dumps("<html>").encode(), "application/json", **answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert send(Aws("us-east-1"), "f", b"{}", "RequestResponse").payload == "<html>"
