"""Test data with sensible defaults; a test names only what it is about."""

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import botocore
import botocore.session
from botocore.validate import ParamValidator

from lambda_chat.config import ChatConfig

TABLE = "Lambda-Chat-messages"
BUCKET = "lambda-chat-page"
ACCOUNT = "123456789012"
IDENTITY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/Lambda-Chat-identity"
NOW_S = 1_767_268_800.0  # 2026-01-01T12:00:00Z
# The least that a kappa config says.
MINIMAL = """\
iam:
  role:
    name: greeter-role
lambda:
  name: greeter
  path: code
  handler: greeter.handler
  runtime: python3.13
"""


def chat_config(**keys):
    """The config of a chat whose stack is there."""
    default = {
        "s3_bucket": "my-chat",
        "google_oauth_client_id": "1-a.apps.googleusercontent.com",
        "region": "eu-west-1",
        "sns_topic_arn": "arn:aws:sns:eu-west-1:111122223333:T",
        "website_iam_role_arn": "arn:aws:iam::111122223333:role/R",
        "dynamodb_table": "Messages",
    }
    return ChatConfig(**(default | keys))


def id_token(**claims):
    """A Google ID token by its form; nobody signed it. A claim of None is left out."""
    now_s = int(time.time())
    default = {
        "iss": "https://accounts.google.com",
        "aud": "1-a.apps.googleusercontent.com",
        "sub": "110169484474386276334",
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "picture": "https://lh3.googleusercontent.com/a/ada",
        "iat": now_s,
        "exp": now_s + 3600,
    }
    payload = {key: value for key, value in (default | claims).items() if value is not None}
    parts = ({"alg": "RS256", "kid": "1"}, payload, "signature")
    return ".".join(base64url(json.dumps(part)) for part in parts)


def base64url(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def sns_record(body=None, token=None, **changes):
    """A record as SNS delivers it. `body` is Sns.Message as it is, or what JSON it holds."""
    body = {"message": "Hello"} if body is None else body
    sns = {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:Lambda-Chat-messages",
        "Subject": None,
        "Message": body if isinstance(body, str) else json.dumps(body),
        "Timestamp": "2026-01-01T12:00:00.123Z",
        "MessageAttributes": {} if token is None else {"id_token": attribute(token)},
    }
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{sns['TopicArn']}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55",
        "Sns": sns | changes,
    }


def attribute(value):
    return {"Type": "String", "Value": value}


def operator_record(body=None):
    """A record as `kappa config.yml invoke` sends it."""
    body = {"message": "Maintenance at noon"} if body is None else body
    return {"EventSource": "lambda-chat:operator", "Sns": {"Message": json.dumps(body)}}


def stream_record(channel="default", sequence="100", kind="INSERT"):
    """A change of one row, as the table's stream delivers it."""
    keys = {"channel": {"S": channel}, "id": {"S": "2026-01-01T12:00:00.000Z#1"}}
    change = {"Keys": keys, "SequenceNumber": sequence, "StreamViewType": "NEW_IMAGE"}
    if kind != "REMOVE":
        change["NewImage"] = keys | {"message": {"S": "Hello"}}
    return {
        "eventID": sequence,
        "eventName": kind,
        "eventSource": "aws:dynamodb",
        "dynamodb": change,
    }


def row(sent_at="2026-01-01T12:00:00.000Z", client_id="1", channel="default", **attributes):
    """A row of the table as store_message writes it, in DynamoDB's notation."""
    default = {
        "channel": channel,
        "id": f"{sent_at}#{client_id}",
        "message": f"text {client_id}",
        "name": "Ada Lovelace",
        "user": "0123456789abcdef",
        "sent_at": sent_at,
        "kind": "user",
        "client_id": client_id,
    }
    expires_at = attributes.pop("expires_at", None)
    written = {key: {"S": value} for key, value in (default | attributes).items() if value}
    return written | ({"expires_at": {"N": str(expires_at)}} if expires_at else {})


def calls_of(*clients):
    """A list that grows by an operation's name at each call of the clients."""
    calls = []
    for client in clients:
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    return calls


def answer_with(client, operation, code, status=400, times=None, when=None):
    """Make a client's operation answer with an AWS error, `times` times or always.

    `when` is asked with the request's parameters as sent (after serialising) and limits it.
    """
    left = [times]

    def answer(params, **_):
        if left[0] == 0 or (when and not when(params)):
            return None
        if left[0]:
            left[0] -= 1
        error = {"Code": code, "Message": "as the test wants"}
        told = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
        return SimpleNamespace(status_code=status), told

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-call.{service}.{operation}", answer)


def moment(offset_s):
    """A time as rows carry it, some seconds after NOW_S."""
    at = datetime.fromtimestamp(NOW_S + offset_s, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def kappa_config(function=None, policy=None, role=None, **changes):
    """A kappa config as read_config gives it; each part takes the keys of its section."""
    from kappa.config import model as settings
    from kappa.config.model import EventSource

    sources = tuple(EventSource(**one) for one in (function or {}).pop("sources", ()))
    grants = tuple(settings.Permission(**one) for one in (function or {}).pop("grants", ()))
    section = {
        "name": "greeter",
        "path": "code",
        "handler": "greeter.handler",
        "runtime": "python3.13",
        "event_sources": sources,
        "permissions": grants,
    }
    return settings.Config(
        file=Path("config.yml"),
        function=settings.Function(**section | (function or {})),
        policy=None if policy is None else settings.Policy(**policy),
        role=settings.Role(**(role or {"name": "greeter-role"})),
        **changes,
    )


class Done(subprocess.CompletedProcess):
    """How a command ended, as subprocess.run says it."""

    @property
    def marks(self):
        """What was done, without to what it was."""
        return [line.split()[0] for line in self.stderr.splitlines() if line]

    @property
    def errors(self):
        return [line for line in self.stderr.splitlines() if "Error:" in line]


def run_kappa(args, env, stdin="", folder=None):
    """Run kappa as main() does, in this process: a process of its own spends most on imports.

    `env` is the whole environment, as of a subprocess.
    """
    from kappa.cli.console import exit_code
    from kappa.cli.main import cli

    words = [str(one) for one in args]
    run = partial(cli.main, words, prog_name="kappa", standalone_mode=False)
    return run_here(lambda: exit_code(run, "--debug" in words), env, stdin, folder)


def run_here(main, env, stdin="", folder=None):
    """Run a program's main() in this process, with all that a process of its own would have."""
    out, err = io.StringIO(), io.StringIO()
    source = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    kept = dict(os.environ), sys.stdin
    try:
        os.environ.clear()
        os.environ.update(env)
        sys.stdin = source
        with (
            contextlib.chdir(folder or Path.cwd()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main()
    finally:
        os.environ.clear()
        os.environ.update(kept[0])
        sys.stdin = kept[1]
    return Done(main, code, out.getvalue(), err.getvalue())


def assert_valid(plan):
    """Check each Step's parameters, and those of its wait, against botocore's service model."""
    for step in plan:
        if hasattr(step, "params"):
            _validate(step)
            if step.wait:
                _validate(step.wait)


@cache
def _service_model(service):
    return botocore.session.get_session().get_service_model(service)


def _validate(call):
    model = _service_model(call.service)
    names = {botocore.xform_name(name): name for name in model.operation_names}
    shape = model.operation_model(names[call.operation]).input_shape
    params = {**call.params, **dict.fromkeys(call.takes, "taken")}
    report = ParamValidator().validate(params, shape)
    assert not report.has_errors(), f"{call.operation}: {report.generate_report()}"


def failed_invocation(*records, **changes):
    """An invocation record as Lambda writes it to FailuresTopic."""
    path = Path(__file__).parents[1] / "data" / "events" / "failed_invocation.json"
    record = json.loads(path.read_text()) | changes
    return record if changes else record | {"requestPayload": {"Records": list(records)}}
