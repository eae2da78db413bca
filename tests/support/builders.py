"""Test data with defaults, so that a test names only the values that matter to it."""

import contextlib
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import botocore
import botocore.session
import msgspec
from botocore.validate import ParamValidator

from kappa.iam.owner import Owner
from lambda_chat.config import ChatConfig
from local.testkit.environment import settings
from local.testkit.events import ACCOUNT

TABLE = "Lambda-Chat-messages"
BUCKET = "lambda-chat-page"
IDENTITY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/Lambda-Chat-identity"
OWNER = Owner("us-east-1")
NOW_S = 1_767_268_800.0  # 2026-01-01T12:00:00Z
# The smallest valid kappa config.
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
    """The config of a chat whose stack exists."""
    default = {
        "s3_bucket": "my-chat",
        "google_oauth_client_id": "1-a.apps.googleusercontent.com",
        "region": "eu-west-1",
        "sns_topic_arn": "arn:aws:sns:eu-west-1:111122223333:T",
        "website_iam_role_arn": "arn:aws:iam::111122223333:role/R",
        "dynamodb_table": "Messages",
    }
    return ChatConfig(**(default | keys))


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
    """A list to which each call of the clients adds its operation's name."""
    calls = []
    for client in clients:
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    return calls


def answer_with(client, operation, code, status=400, times=None, when=None):
    """Make a client's operation fail with an AWS error, `times` times or always.

    `when` gets the request's parameters, as serialised; only if it returns true is there an error.
    """
    left = [times]

    def answer(params, **_):
        if left[0] == 0 or (when and not when(params)):
            return None
        if left[0]:
            left[0] -= 1
        error = {"Code": code, "Message": "as the test wants"}
        body = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
        return SimpleNamespace(status_code=status), body

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-call.{service}.{operation}", answer)


def before_each_put(s3, action, times=1):
    """Do something before a client's next `times` PutObjects: after the reads that they rest on."""
    left = [times]

    def act(**_):
        if left[0]:
            left[0] -= 1
            action()

    s3.meta.events.register("before-parameter-build.s3.PutObject", act)


def moment(offset_s):
    """The time `offset_s` after NOW_S, as rows contain it."""
    at = datetime.fromtimestamp(NOW_S + offset_s, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def owned(settings=None, *parts, tags=None, **more):
    """The state of a function of OWNER's, with more tags if they are given."""
    from kappa.function.state import FunctionState

    return FunctionState(settings, *parts, tags={**(tags or {}), **OWNER.tags}, **more)


def kappa_config(function=None, policy=None, role=None, **changes):
    """A kappa config as read_config returns it; each argument takes the keys of its section."""
    from kappa.config import model
    from kappa.config.setting_types import comparable, file_type
    from kappa.config.show import plain
    from kappa.config.tree import without_nulls

    section = {
        "name": "greeter",
        "path": "code",
        "handler": "greeter.handler",
        "runtime": "python3.13",
        **(function or {}),
    }
    removable = ("description", "kms_key", "dead_letter")
    words = {"sources": "event_sources", "grants": "permissions", "async_": "async"}
    data = {
        "lambda": {
            words.get(key, key): value
            for key, value in plain(section).items()
            if value != "" or key in removable
        }
    }
    return model.Config(
        file=Path("config.yml"),
        function=comparable(msgspec.convert(without_nulls(data), file_type(data))).lambda_,
        policy=None if policy is None else model.Policy(**policy),
        role=model.Role(**(role or {"name": "greeter-role"})),
        **changes,
    )


class Done(subprocess.CompletedProcess):
    """A finished command, as subprocess.run returns it."""

    @property
    def marks(self):
        """The mark at the start of each line of stderr, except the one with the account."""
        words = [line.split()[0] for line in self.stderr.splitlines() if line]
        return [word for word in words if word != "account"]

    @property
    def errors(self):
        return [line for line in self.stderr.splitlines() if "Error:" in line]


def run_kappa(args, env, stdin="", folder=None):
    """Run kappa as main() does, but in this process, which saves the imports of a new one.

    `env` is the whole environment.
    """
    from kappa.commands.console import exit_code
    from kappa.commands.main import cli

    words = [str(arg) for arg in args]
    run = partial(cli.main, words, prog_name="kappa", standalone_mode=False)
    return run_here(lambda: exit_code(run, "--debug" in words), env, stdin, folder)


def run_here(main, env, stdin="", folder=None):
    """Run a program's main() in this process with its own environment, folder, input and output."""
    out, err = io.StringIO(), io.StringIO()
    source = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    kept = sys.stdin
    try:
        sys.stdin = source
        with (
            settings(env),
            contextlib.chdir(folder or Path.cwd()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main()
    finally:
        sys.stdin = kept
    return Done(main, code, out.getvalue(), err.getvalue())


def assert_valid(plan):
    """Validate the parameters of each Step and of its wait against botocore's service model."""
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
    """An invocation record as Lambda publishes it to FailuresTopic."""
    path = Path(__file__).parents[1] / "data" / "events" / "failed_invocation.json"
    record = json.loads(path.read_text()) | changes
    return record if changes else record | {"requestPayload": {"Records": list(records)}}
