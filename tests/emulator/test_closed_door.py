"""Close the chat as docs/operations.md describes: this also stops users who are signed in.

The tests use a copy of the page's role, since other tests use that role at the same time.
"""

import json
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.testkit.web_identity import ANONYMOUS, assume_role
from tests.support.waiting import wait_for

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
ROLE = "a-page-whose-door-is-closed"


@pytest.fixture(scope="module")
def role(chat):
    """The ARN of a role with the trust and the policies of the page's role."""
    iam = chat.client("iam")
    original = chat.config.website_iam_role_arn.split("/")[-1]
    trust = iam.get_role(RoleName=original)["Role"]["AssumeRolePolicyDocument"]
    made = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    names = iam.list_role_policies(RoleName=original)["PolicyNames"]
    for name in names:
        policy = iam.get_role_policy(RoleName=original, PolicyName=name)["PolicyDocument"]
        iam.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=json.dumps(policy))
    yield made["Arn"]
    for name in names:
        iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
    iam.delete_role(RoleName=ROLE)


@pytest.fixture
def door(chat, role):
    """Close the chat with the document of the docs' n-th command; open it at the end."""
    iam = chat.client("iam")
    commands = re.findall(r"put-role-policy [^']*--policy-document '([^']+)'", DOCS.read_text())

    def close(index):
        iam.put_role_policy(RoleName=ROLE, PolicyName="closed", PolicyDocument=commands[index])

    yield close
    if "closed" in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE, PolicyName="closed")


def sign_in(chat, role):
    keys = assume_role(chat.client("sts", config=ANONYMOUS), role, chat.token("Mallory"))
    return lambda service: chat.client(service, **keys)


def refused(call, **params):
    """Return whether AWS refuses a call for lack of permission."""
    try:
        call(**params)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AuthorizationError", "AccessDenied")
    return False


@pytest.fixture
def transcript(chat):
    """An object that only signed-in users may read."""
    found = {"Bucket": chat.config.s3_bucket, "Key": "data/behind-the-door.json"}
    chat.client("s3").put_object(**found, Body=b"{}")
    yield found
    chat.client("s3").delete_object(**found)


def test_a_closed_door_stops_writing_and_leaves_reading(chat, role, door, transcript):
    topic = {"TopicArn": chat.config.sns_topic_arn, "Message": "{}"}
    page = sign_in(chat, role)
    assert not refused(page("sns").publish, **topic)
    door(0)
    wait_for(lambda: refused(page("sns").publish, **topic))
    assert refused(sign_in(chat, role)("sns").publish, **topic)
    assert not refused(page("s3").get_object, **transcript)
    chat.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="closed")
    wait_for(lambda: not refused(page("sns").publish, **topic))


def test_a_door_that_is_closed_for_all_stops_reading_too(chat, role, door, transcript):
    page = sign_in(chat, role)
    assert not refused(page("s3").get_object, **transcript)
    door(1)
    wait_for(lambda: refused(page("s3").get_object, **transcript))
    assert refused(sign_in(chat, role)("s3").get_object, **transcript)


def test_iam_deletes_no_role_whose_door_is_closed(chat, role, door):
    door(0)
    with pytest.raises(ClientError, match="DeleteConflict"):
        chat.client("iam").delete_role(RoleName=ROLE)
