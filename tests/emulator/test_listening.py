"""Who may listen to a chat with push: each try on the embedded AWS's MQTT broker.

Unlike AWS, the broker also accepts connections that nobody has signed.
"""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import yaml

import resources
from local.gate import origins_at
from local.testkit.events import id_token
from local.testkit.listener import Listener, listening, presigned
from local.testkit.web_identity import ANONYMOUS, assume_role
from local.testkit.websocket import Refused
from tests.support.builders import run_here

ACCOUNT = "620000000021"
CLIENT_ID = "1234-abcd.apps.googleusercontent.com"
TEA = "Heard/channel/tea"
CLOSED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
)


class Stack:
    """A stack made by resources.py, and what its roles may do at the broker."""

    def __init__(self, emulator, folder, name, push):
        self.emulator = emulator
        path = folder / f"{name}.yml"
        path.write_text(
            f"s3_bucket: listening-{name.lower()}\ngoogle_oauth_client_id: {CLIENT_ID}\n"
            f"stack_name: {name}\nregion: us-east-1\npush: {push}\n"
        )
        self.env = emulator.env(ACCOUNT) | {"LAMBDA_CHAT_CONFIG": str(path)}
        self.run("launch", "--wait")
        self.run("output", "--save")
        self.values = yaml.safe_load(path.read_text())

    def run(self, *words):
        done = run_here(partial(resources.main, list(words)), self.env)
        assert done.returncode == 0, done.stderr

    def keys(self, role="website_iam_role_arn"):
        """The credentials that a signed-in person gets for a role."""
        sts = self.emulator.client("sts", ACCOUNT, config=ANONYMOUS)
        return assume_role(sts, self.values[role], id_token(aud=CLIENT_ID))


@pytest.fixture(scope="module")
def heard(emulator, tmp_path_factory):
    stack = Stack(emulator, tmp_path_factory.mktemp("heard"), "Heard", "true")
    yield stack
    stack.run("delete", "--yes", "--wait")


@pytest.fixture(scope="module")
def host(heard):
    return heard.values["push_endpoint"]


@pytest.fixture
def listen(emulator, heard, host):
    """Listen as a page of the stack that pushes, except for what the test says."""

    def start(keys=None, client_id="Heard-1", topics=TEA, **options):
        page = keys or heard.keys()
        return listening(emulator.endpoint_url, host, page, client_id, topics, **options)

    return start


@pytest.fixture
def push(emulator):
    return partial(emulator.client("iot-data", ACCOUNT).publish, qos=0)


def test_a_page_hears_a_channel_of_its_own_chat(emulator, listen, push):
    port = int(emulator.endpoint_url.rpartition(":")[2])
    for origin in ("", *origins_at(port)):
        with listen(origin=origin) as listener:
            push(topic="Heard/channel/tea", payload=b'{"channel":"tea"}')
            assert listener.heard() == ("Heard/channel/tea", b'{"channel":"tea"}')
            push(topic="Heard/channel/coffee", payload=b"x")
            push(topic="Other/channel/tea", payload=b"x")
            push(topic="Heard/elsewhere", payload=b"x")
            assert listener.heard(0.3) is None


@pytest.mark.parametrize(
    "topics",
    [
        *("#", "Heard/#", "Heard/channel/#", "Heard/channel/+", "+/channel/tea"),
        *("Other/channel/tea", "Other/channel/+", "$aws/#"),
    ],
)
def test_a_page_may_not_subscribe_to_anything_else(listen, topics):
    with pytest.raises(Refused):
        listen(topics=topics)


@pytest.mark.parametrize("client_id", ["Other-1", "Heard", "heard-1", "-1"])
def test_a_page_may_not_take_another_clients_name(listen, client_id):
    with pytest.raises(Refused):
        listen(client_id=client_id)


def test_a_page_may_not_push(listen):
    with listen() as listener, listen(client_id="Heard-2") as forger:
        forger.publish("Heard/channel/tea", b"forged")
        assert listener.heard(0.5) is None
        with pytest.raises(Refused):
            forger.heard()


def test_a_forged_or_old_signature_is_refused(emulator, heard, host, monkeypatch):
    keys = heard.keys()
    forged = presigned(host, keys | {"aws_secret_access_key": "x"})
    of_another = presigned(host, keys | {"aws_session_token": "x"})
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: an_hour_ago)
    for target in (forged, of_another, presigned(host, keys)):
        with pytest.raises(Refused, match="HTTP 403"):
            Listener(emulator.endpoint_url, host, target)


def test_closing_the_door_ends_deliveries_to_those_already_connected(emulator, heard, listen, push):
    iam = emulator.client("iam", ACCOUNT)
    role = heard.values["website_iam_role_arn"].rpartition("/")[2]
    with listen() as listener:
        push(topic="Heard/channel/tea", payload=b"before")
        assert listener.heard() == ("Heard/channel/tea", b"before")
        iam.put_role_policy(RoleName=role, PolicyName="closed", PolicyDocument=CLOSED)
        push(topic="Heard/channel/tea", payload=b"after")
        assert listener.heard(0.5) is None
    iam.delete_role_policy(RoleName=role, PolicyName="closed")


def test_the_role_that_verifies_tokens_may_not_listen(heard, listen):
    with pytest.raises(Refused):
        listen(heard.keys("identity_iam_role_arn"))


def test_without_push_a_page_may_not_listen(emulator, listen, tmp_path):
    quiet = Stack(emulator, tmp_path, "Quiet", "false")
    with pytest.raises(Refused):
        listen(quiet.keys(), client_id="Quiet-1", topics="Quiet/channel/tea")
    quiet.run("delete", "--yes", "--wait")


def test_another_page_in_the_browser_does_not_reach_the_broker(listen):
    with pytest.raises(Refused, match="HTTP 403"):
        listen(origin="http://evil.test")
