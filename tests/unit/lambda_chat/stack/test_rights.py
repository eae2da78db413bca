"""Who may do what, asked of the policies: the template's and the two functions'."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.aws.policies import (
    allows,
    listed,
    read_permissions,
    read_policy,
    read_template,
)
from tests.support.chat.privileges import ALLOWED, ATTEMPTS

ROOT = Path(__file__).resolve().parents[4]
GOLDEN = ROOT / "tests" / "data" / "stack" / "template.json"
ACCOUNT, REGION, STACK = "111122223333", "us-east-1", "Lambda-Chat"
CLIENT_ID = "1-a.apps.googleusercontent.com"
STRANGER = "444455556666"
FOLDERS = {"store-message": "sns", "publish-transcript": "dynamodb"}


def arn(service, name):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


VALUES = {
    "account": ACCOUNT,
    "account_id": ACCOUNT,
    "alarms_topic_arn": arn("sns", "Alarms"),
    "data_prefix": "data/",
    "dynamodb_stream_arn": arn("dynamodb", "table/Messages/stream/2026"),
    "dynamodb_table": "Messages",
    "dynamodb_table_arn": arn("dynamodb", "table/Messages"),
    "failures_topic_arn": arn("sns", "Failures"),
    "identity_iam_role_arn": f"arn:aws:iam::{ACCOUNT}:role/Identity",
    "other_topic_arn": arn("sns", "another"),
    "partition": "aws",
    "push_topic": "Lambda-Chat/channel/default",
    "push_topics": "Lambda-Chat/channel/*",
    "rate_table": "Rates",
    "rate_table_arn": arn("dynamodb", "table/Rates"),
    "region": REGION,
    "s3_bucket": "my-chat",
    "sns_topic_arn": arn("sns", "Messages"),
    "stack_name": STACK,
    "website_iam_role_arn": f"arn:aws:iam::{ACCOUNT}:role/Website",
}
REFERENCES = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AlarmEmail": "ops@example.com",
    "AlarmsTopic": VALUES["alarms_topic_arn"],
    "DataPrefix": "data/",
    "FailuresTopic": VALUES["failures_topic_arn"],
    "FailuresTopic.TopicName": "Failures",
    "GoogleOAuthClientID": CLIENT_ID,
    "MessagesTable.Arn": VALUES["dynamodb_table_arn"],
    "WebsiteRole": "Website",
    "WebsiteS3Bucket": "my-chat",
    "WebsiteS3BucketName": "my-chat",
    "WebsiteSnsTopic": VALUES["sns_topic_arn"],
    "WebsiteSnsTopic.TopicName": "Messages",
}
SAFE = {"aws:SecureTransport": "true", "aws:SourceIp": "203.0.113.7"}


@pytest.fixture(scope="module")
def resources():
    return read_template(REFERENCES)


def documents(resource):
    properties = resource["Properties"]
    inline = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    return [properties["PolicyDocument"]] if "PolicyDocument" in properties else inline


def statements(resources, *titles):
    return [
        statement
        for title in titles
        for document in documents(resources[title])
        for statement in document["Statement"]
    ]


def identity_statements(resources, principal):
    if principal in FOLDERS:
        return read_policy(FOLDERS[principal], VALUES)
    return {
        "anonymous": [],
        "page": statements(resources, "WebsitePolicy"),
        "pushed page": statements(resources, "WebsitePolicy", "PushPolicy"),
        "identity": statements(resources, "IdentityRole"),
    }[principal]


def resource_statements(resources):
    titles = [name for name in resources if name.endswith(("TopicPolicy", "BucketPolicy"))]
    return statements(resources, *titles)


TITLES = {"anonymous": "anonymous", "page": "signed-in page", "identity": "`IdentityRole`"}


@pytest.mark.parametrize("principal", sorted(ALLOWED))
def test_docs_security_says_how_many_calls_a_principal_may_make(principal):
    text = (ROOT / "docs" / "security.md").read_text()
    assert f"one table of {len(ATTEMPTS)} calls" in text
    title = TITLES.get(principal, f"`{principal.replace('-', '_')}`")
    [row] = [line for line in text.splitlines() if line.startswith(f"| {title} ")]
    assert row.split("|")[3].strip() == f"{len(ALLOWED[principal])} of {len(ATTEMPTS)}"


def may(resources, principal, attempt, **keys):
    _, resource = attempt.filled(VALUES)
    request = {"principal": principal, "action": attempt.action, "resource": resource}
    return allows(
        identity_statements(resources, principal),
        resource_statements(resources),
        request | SAFE | keys,
    )


@pytest.mark.parametrize("principal", sorted(ALLOWED))
def test_the_policies_allow_what_the_table_says_and_nothing_else(resources, principal):
    allowed = {attempt.name for attempt in ATTEMPTS if may(resources, principal, attempt)}
    assert allowed == ALLOWED[principal]


def iot(resource, account=ACCOUNT):
    return f"arn:aws:iot:{REGION}:{account}:{resource}"


LISTENING = [
    ("Connect", f"client/{STACK}-0b1c", True),
    ("Connect", "client/Other-0b1c", False),
    ("Connect", f"client/{STACK}", False),
    ("Connect", "client/*", False),
    ("Subscribe", f"topicfilter/{STACK}/channel/tea", True),
    ("Subscribe", f"topicfilter/{STACK}/channel/+", False),
    ("Subscribe", f"topicfilter/{STACK}/channel/+/#", False),
    ("Subscribe", f"topicfilter/{STACK}/channel/#", False),
    ("Subscribe", f"topicfilter/{STACK}/#", False),
    ("Subscribe", "topicfilter/#", False),
    ("Subscribe", "topicfilter/+/channel/+", False),
    ("Subscribe", "topicfilter/Other/channel/+", False),
    ("Receive", f"topic/{STACK}/channel/tea", True),
    ("Receive", f"topic/{STACK}/else", False),
    ("Receive", "topic/Other/channel/tea", False),
    ("Publish", f"topic/{STACK}/channel/tea", False),
    ("RetainPublish", f"topic/{STACK}/channel/tea", False),
    ("GetRetainedMessage", f"topic/{STACK}/channel/tea", False),
    ("UpdateThingShadow", "thing/any", False),
    ("GetThingShadow", "thing/any", False),
]


@pytest.mark.parametrize(("action", "resource", "expected"), LISTENING)
def test_a_page_may_listen_to_its_own_chat_with_push_only(resources, action, resource, expected):
    asked = {"principal": "page", "action": f"iot:{action}", "resource": iot(resource)} | SAFE
    elsewhere = asked | {"resource": iot(resource, STRANGER)}
    assert allows(identity_statements(resources, "pushed page"), [], asked) is expected
    assert not allows(identity_statements(resources, "pushed page"), [], elsewhere)
    for principal in ("page", "identity", "anonymous"):
        assert not allows(identity_statements(resources, principal), [], asked)


def test_without_push_publish_transcript_pushes_to_no_channel():
    off = {key: value for key, value in VALUES.items() if key != "push_topics"}
    [attempt] = [attempt for attempt in ATTEMPTS if attempt.name == "push to a channel"]
    request = {"principal": "x", "action": attempt.action, "resource": attempt.filled(VALUES)[1]}
    assert allows(read_policy("dynamodb", VALUES), [], request)
    assert not allows(read_policy("dynamodb", off), [], request)


@pytest.mark.parametrize("principal", sorted(ALLOWED))
def test_plain_http_opens_neither_bucket_nor_topic(resources, principal):
    plain = {"aws:SecureTransport": "false"}
    ours = [one for one in ATTEMPTS if one.service in ("s3", "sns")]
    allowed = {one.name for one in ours if may(resources, principal, one, **plain)}
    assert allowed == set()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, True),
        ({"aws:SourceAccount": STRANGER}, False),
        ({"aws:SourceArn": arn("cloudwatch", "alarm:Other-StoreMessageErrorsAlarm-1")}, False),
        ({"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{STRANGER}:alarm:{STACK}-1"}, False),
        ({"aws:SourceAccount": None}, False),
        ({"aws:SourceArn": None}, False),
        ({"action": "sns:Subscribe"}, False),
        ({"resource": VALUES["failures_topic_arn"]}, False),
        ({"principal": "events.amazonaws.com"}, False),
    ],
)
def test_only_alarms_of_this_stack_reach_the_alarms_topic(resources, keys, expected):
    request = {
        "principal": "cloudwatch.amazonaws.com",
        "action": "sns:Publish",
        "resource": REFERENCES["AlarmsTopic"],
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": arn("cloudwatch", f"alarm:{STACK}-StoreMessageErrorsAlarm-1"),
        "aws:SecureTransport": "true",
    }
    assert allows([], resource_statements(resources), request | keys) is expected


@pytest.mark.parametrize("role", ["WebsiteRole", "IdentityRole"])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, True),
        ({"accounts.google.com:oaud": None}, True),
        ({"accounts.google.com:aud": "9-other.apps.googleusercontent.com"}, False),
        ({"accounts.google.com:aud": None}, False),
        ({"accounts.google.com:oaud": "9-other.apps.googleusercontent.com"}, False),
        ({"principal": "graph.facebook.com"}, False),
        ({"principal": "lambda.amazonaws.com"}, False),
        ({"action": "sts:AssumeRole"}, False),
        ({"action": "sts:TagSession"}, False),
    ],
)
def test_the_roles_trust_google_for_our_client_only(resources, role, keys, expected):
    trust = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    request = {
        "principal": "accounts.google.com",
        "action": "sts:AssumeRoleWithWebIdentity",
        "resource": role,
        "accounts.google.com:aud": CLIENT_ID,
        "accounts.google.com:oaud": CLIENT_ID,
    }
    assert allows([], trust, request | keys) is expected


def all_statements(resources):
    for title, resource in resources.items():
        for statement in statements(resources, title):
            yield title, statement
        trust = resource["Properties"].get("AssumeRolePolicyDocument", {})
        for statement in trust.get("Statement", []):
            yield title, statement
    for function, folder in FOLDERS.items():
        for statement in read_policy(folder, VALUES):
            yield function, statement


def test_nothing_is_allowed_by_a_wildcard_action_or_on_everything(resources):
    for title, statement in all_statements(resources):
        if statement["Effect"] == "Allow":
            assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement), title
            assert not [one for one in listed(statement["Action"]) if "*" in one], title
            assert "*" not in listed(statement.get("Resource", [])), title


def test_a_wildcard_in_a_resource_ends_it_and_stays_in_a_folder_or_log(resources):
    wild = {
        one
        for _, statement in all_statements(resources)
        if statement["Effect"] == "Allow"
        for one in listed(statement.get("Resource", []))
        if "*" in one
    }
    folders = ("css", "js", "vendor", "data")
    logs = (f"log-group:/aws/lambda/{STACK}-{name}:*" for name in FOLDERS)
    assert wild == {f"arn:aws:s3:::my-chat/{folder}/*" for folder in folders} | {
        arn("logs", name) for name in logs
    } | {iot(f"client/{STACK}-*")} | {
        iot(f"{kind}/{STACK}/channel/*") for kind in ("topic", "topicfilter")
    }


def test_a_service_gets_in_only_for_this_account_or_one_resource(resources):
    for title, statement in all_statements(resources):
        principal = statement.get("Principal", {})
        if "Service" in principal and statement["Effect"] == "Allow":
            keys = {key for one in statement["Condition"].values() for key in one}
            assert {"aws:SourceAccount", "aws:SourceArn"} <= keys, title
    for folder in FOLDERS.values():
        for permission in read_permissions(folder):
            assert permission["source_arn"] == "${sns_topic_arn}"


def test_everybody_is_named_by_the_public_page_alone(resources):
    public = [
        (title, statement["Sid"])
        for title, statement in all_statements(resources)
        if statement["Effect"] == "Allow" and statement.get("Principal") == "*"
    ]
    assert public == [("WebsiteS3BucketPolicy", "PublicPage")]


def test_cfn_lint_finds_nothing_in_the_template_and_the_functions_policies(tmp_path):
    """It knows AWS's actions and which resources each of them takes."""
    wrapped = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            function.title().replace("-", ""): {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": read_policy(folder, VALUES),
                    }
                },
            }
            for function, folder in FOLDERS.items()
        },
    }
    path = tmp_path / "policies.json"
    path.write_text(json.dumps(wrapped))
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--", GOLDEN, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
