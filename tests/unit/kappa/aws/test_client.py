"""What AWS refuses, what is not AWS, and credentials and regions that cannot be used."""

import hashlib
import json
import socket
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError

from kappa.aws.client import Aws, translated
from kappa.aws.credentials import source
from kappa.aws.regions import meant
from kappa.errors import AwsError, ConfigError, Denied, KappaError, Unavailable
from local.testkit.events import ACCOUNT

KNOWN = frozenset(
    {
        "ap-southeast-2",
        "eu-central-1",
        "eu-west-1",
        "us-east-1",
        "us-east-2",
        "us-gov-east-1",
        "us-west-1",
    }
)
PAGE = b"<!DOCTYPE html><html><style>p{}</style><body><p>Blocked by policy</p></body></html>"


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


@pytest.fixture
def keys(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


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


def test_a_failing_service_may_work_later():
    with pytest.raises(Unavailable), translated("trying"):
        raise refused("ServiceException", "internal", 503)


# Credentials.


def profile(monkeypatch, tmp_path, text):
    file = tmp_path / "config"
    file.write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))


def problem(name="tea"):
    with pytest.raises(KappaError) as caught:
        Aws("us-east-1", name).call("sts", "get_caller_identity", "trying")
    return caught.value


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('Enter your PIN:')", "did not print the credentials as JSON"),
        ("print('[1]')", "did not print the credentials as JSON"),
        ("print('{\\\"Version\\\": 1}')", "Missing required key in response: 'AccessKeyId'"),
        ("import sys; sys.exit('the card is not in the reader')", "the card is not in the reader"),
    ],
)
@pytest.mark.parametrize("chained", [False, True])
def test_a_credential_process_that_fails_is_named(monkeypatch, tmp_path, code, words, chained):
    program = f'credential_process = {sys.executable} -c "{code}" --pin=1234\n'
    text = f"[profile tea]\n{program}"
    if chained:
        role = f"arn:aws:iam::{ACCOUNT}:role/drinker"
        text = f"[profile tea]\nrole_arn = {role}\nsource_profile = pot\n[profile pot]\n{program}"
    profile(monkeypatch, tmp_path, text)
    error = problem()
    assert isinstance(error, Denied)
    assert words in error.message
    assert f"the profile {'pot' if chained else 'tea'}, {sys.executable}," in error.message
    assert "1234" not in str(error)


def test_a_credential_process_that_is_not_there_is_named(monkeypatch, tmp_path):
    profile(monkeypatch, tmp_path, "[profile tea]\ncredential_process = /nowhere/keys\n")
    assert "/nowhere/keys, gave no credentials: No such file" in problem().message


def test_credentials_that_cannot_be_renewed_are_named_too(monkeypatch, tmp_path):
    script = tmp_path / "once.py"
    script.write_text(
        "import json, pathlib, sys\n"
        "ran = pathlib.Path(__file__).with_suffix('.ran')\n"
        "if ran.exists(): sys.exit('the card is gone')\n"
        "ran.touch()\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': 'a', 'SecretAccessKey': 'b',"
        " 'SessionToken': 'c', 'Expiration': '2020-01-01T00:00:00Z'}))\n"
    )
    text = f"[profile tea]\ncredential_process = {sys.executable} {script}\n"
    profile(monkeypatch, tmp_path, text)
    assert "the card is gone" in problem().message


def test_a_profile_of_aws_login_names_what_is_missing(monkeypatch, tmp_path):
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/tea/ada"
    profile(monkeypatch, tmp_path, f"[profile tea]\nlogin_session = {session}\n")
    error = problem()
    assert "profile tea" in error.message
    assert "botocore[crt]" in str(error) or "aws login --profile tea" in error.hint


SSO = f"""\
[profile tea]
sso_session = house
sso_account_id = {ACCOUNT}
sso_role_name = Drinker
[sso-session house]
sso_region = us-east-1
sso_start_url = https://tea.example.com/start
sso_registration_scopes = sso:account:access
"""


@pytest.mark.parametrize("expired", [False, True])
def test_an_sso_profile_that_is_not_signed_in_names_the_command(monkeypatch, tmp_path, expired):
    profile(monkeypatch, tmp_path, SSO)
    if expired:
        token = {"accessToken": "x", "expiresAt": "2020-01-01T00:00:00Z"}
        cache = tmp_path / ".aws/sso/cache"
        cache.mkdir(parents=True)
        (cache / f"{hashlib.sha1(b'house').hexdigest()}.json").write_text(json.dumps(token))
    assert problem().hint == "Run `aws sso login --profile tea`."


def test_an_sso_session_that_is_not_defined_is_a_config_error(monkeypatch, tmp_path):
    profile(monkeypatch, tmp_path, SSO.replace("[sso-session house]", "[sso-session hut]"))
    error = problem()
    assert isinstance(error, ConfigError)
    assert "profile tea" in error.message


def test_profiles_that_name_each_other_end_the_search():
    profiles = {"a": {"source_profile": "b"}, "b": {"source_profile": "a"}}
    assert source({"profiles": profiles}, "a")[0] == "b"


# Regions.


@pytest.mark.parametrize(
    ("typed", "region"),
    [
        ("us-esat-1", "us-east-1"),
        ("us-east1", "us-east-1"),
        ("us-east-11", "us-east-1"),
        ("us-east-1a", "us-east-1"),
        ("eu-wset-1", "eu-west-1"),
        ("eu-cental-1", "eu-central-1"),
        ("ap-soutest-2", "ap-southeast-2"),
        ("us-east-1", ""),
        ("us-east-3", ""),
        ("nz-north-1", ""),
        ("eusc-fr-west-1", ""),
        ("local", ""),
    ],
)
def test_a_typo_is_told_from_a_region_that_is_new(typed, region):
    assert meant(typed, KNOWN) == region


def test_a_mistyped_region_is_named_before_any_call():
    with pytest.raises(ConfigError, match="Did you mean us-east-1"):
        Aws("us-esat-1").client("sts")


@pytest.mark.parametrize("region", ["nowhere-1", "<region>", "US-EAST-1", "us-east-1a"])
def test_what_no_region_can_be_called_is_said_before_any_call(region):
    with pytest.raises(ConfigError, match=f"^{region} is not an AWS region"):
        Aws(region).client("sts")


def test_a_new_region_that_is_not_reached_is_questioned(monkeypatch, keys):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(Unavailable) as caught:
            Aws("us-east-9").call("sts", "get_caller_identity", "trying")
    assert "Did you mean us-east-" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({}, "sa-east-1"),
    ],
)
def test_the_regions_of_the_environment_rank_as_in_the_aws_cli(
    monkeypatch, tmp_path, given, expected
):
    profile(monkeypatch, tmp_path, "[default]\nregion = sa-east-1\n")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Aws().region == expected
    assert Aws("ca-west-1").region == "ca-west-1"


# Long calls.


def test_a_long_call_waits_as_long_as_a_function_may_run_and_keeps_its_connection(keys):
    aws = Aws("us-east-1")
    assert aws.longest_run_s >= 900
    client = aws._client("lambda", aws.longest_run_s + 60)
    config = client.meta.config
    assert (config.read_timeout, config.tcp_keepalive) == (aws.longest_run_s + 60, True)
    options = client._endpoint.http_session._manager.connection_pool_kw["socket_options"]
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
    assert any(one[:2] == (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) for one in options)


ROLE = f"arn:aws:iam::{ACCOUNT}:role/tea"
LOOP = "http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"},
            "No AWS credentials: /nowhere: No such file",
        ),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": LOOP,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere",
            },
            "No AWS credentials: /nowhere: No such file",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/"},
            "No AWS credentials: Unsupported host 'evil.example'",
        ),
        ({"AWS_METADATA_SERVICE_TIMEOUT": "abc"}, "No AWS credentials: invalid literal"),
    ],
)
def test_credentials_that_cannot_be_read_are_one_clear_error(
    monkeypatch, tmp_path, variables, words
):
    profile(monkeypatch, tmp_path, "")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    error = problem(None)
    assert isinstance(error, Denied)
    assert error.message.startswith(words)
    assert "Correct " in error.hint or "Look at " in error.hint


def test_a_profile_whose_token_is_not_there_is_one_clear_error(monkeypatch, tmp_path):
    text = f"[profile tea]\nrole_arn = {ROLE}\nweb_identity_token_file = /nowhere\n"
    profile(monkeypatch, tmp_path, text)
    assert problem().message.startswith("No AWS credentials: /nowhere: No such file")


def test_a_number_of_tries_that_is_none_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "abc")
    error = problem(None)
    assert isinstance(error, ConfigError)
    assert "AWS_MAX_ATTEMPTS" in error.hint


def test_an_address_that_is_none_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://[::1")
    assert "AWS_ENDPOINT_URL" in problem(None).hint
