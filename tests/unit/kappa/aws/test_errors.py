"""AWS's errors in words, and answers that a proxy or a sign-in page has sent in its place."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError

from kappa.aws import Aws, translated
from kappa.commands.invocation import send
from kappa.errors import AwsError, Denied, KappaError, NotFound, Unavailable


def refused(code, message, status=400):
    answer = {"Error": {"Code": code, "Message": message}}
    return ClientError({**answer, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        ("RequestTimeTooSkewed", "The difference between ... is too large.", "clock"),
        ("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier", "clock"),
        ("InvalidSignatureException", "Signature not yet current: 2026", "clock"),
        ("SignatureDoesNotMatch", "The request signature we calculated does not", "keys"),
        ("InvalidSignatureException", "The request signature we calculated does not", "keys"),
        ("ExpiredTokenException", "The security token is expired", "sign in again"),
    ],
)
def test_a_wrong_clock_is_not_reported_as_wrong_keys(code, message, words):
    with pytest.raises(Denied) as caught, translated("trying"):
        raise refused(code, message, 403)
    assert words in caught.value.hint


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("NoSuchBucket", NotFound, "Make the bucket"),
        ("MalformedPolicyDocument", AwsError, "accessanalyzer validate-policy"),
    ],
)
def test_an_error_without_a_place_in_awss_words_has_a_remedy(code, kind, words):
    with pytest.raises(kind) as caught, translated("trying"):
        raise refused(code, "no")
    assert words in caught.value.hint


def test_a_failing_service_may_work_later():
    with pytest.raises(Unavailable), translated("trying"):
        raise refused("ServiceException", "internal", 503)


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
JSON = "application/json"
NUMBER = {"x-amzn-RequestId": "1"}
GET = ("lambda", "get_function", {"FunctionName": "f"})


@pytest.mark.parametrize(
    ("call", "status", "body", "kind"),
    [
        (GET, 200, PAGE, "text/html"),
        (GET, 403, PAGE, "text/html"),
        (GET, 302, b"", "text/html"),
        (GET, 200, b"", JSON),
        (GET, 200, b'{"Configuration": {"FunctionName": "f"}}', JSON),
        (GET, 404, b'{"detail": "no route"}', JSON),
        (("logs", "filter_log_events", {"logGroupName": "g"}), 200, b'{"ok": true}', JSON),
        (("iam", "get_role", {"RoleName": "r"}), 200, b"<ok/>", "text/xml"),
        (("sts", "get_caller_identity", {}), 403, b"Forbidden", "text/plain"),
        (("s3", "get_object", {"Bucket": "b", "Key": "k"}), 200, PAGE, "text/html"),
    ],
)
def test_what_has_no_request_id_is_not_aws(monkeypatch, keys, call, status, body, kind):
    service, operation, params = call
    with answering(status, body, kind) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError, match=f"{url} did not answer as AWS does") as caught:
            Aws("us-east-1").call(service, operation, "trying", params)
    assert "proxy" in caught.value.hint
    assert ('"Blocked by policy"' in caught.value.message) == (body == PAGE)


def test_an_error_with_a_code_needs_no_request_id(monkeypatch, keys):
    with answering(404, b'{"__type": "ResourceNotFoundException"}', JSON) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(NotFound):
            Aws("us-east-1").call("dynamodb", "describe_table", "trying", {"TableName": "t"})


@pytest.mark.parametrize(("status", "body"), [(200, PAGE), (403, PAGE), (200, b'{"ok": true}')])
def test_a_page_is_never_the_result_of_an_invocation(monkeypatch, keys, status, body):
    with answering(status, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError, match="did not answer as AWS does"):
            send(Aws("us-east-1"), "f", b"{}", "RequestResponse")


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b'{"Configuration": [1]}'), (200, b"[1]"), (404, b'{"__type": ["x"], "message": [1]}')],
)
def test_what_the_sdk_stumbles_over_is_an_error_in_words(monkeypatch, keys, status, body):
    with answering(status, body, JSON, **NUMBER) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(KappaError):
            Aws("us-east-1").call("lambda", "get_function", "trying", {"FunctionName": "f"})


def test_a_list_without_its_key_is_not_awss(monkeypatch, keys):
    with answering(200, b'{"other": 1}', JSON, **NUMBER) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError, match="is not AWS"):
            Aws("us-east-1").pages(
                "lambda", "list_aliases", "trying", "Aliases", {"FunctionName": "f"}
            )


def test_a_page_that_a_function_returns_is_its_result(monkeypatch, keys):
    answer = {**NUMBER, "X-Amz-Executed-Version": "$LATEST"}
    with answering(200, json.dumps("<html>").encode(), JSON, **answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert send(Aws("us-east-1"), "f", b"{}", "RequestResponse").payload == "<html>"
