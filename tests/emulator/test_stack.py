"""The stack on the embedded AWS: resources.py's commands, and the principals its roles trust."""

import io
import json
import os
import pty
import subprocess
import zipfile
from functools import partial
from pathlib import Path

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

import resources
from local.testkit.events import id_token
from local.testkit.web_identity import ANONYMOUS, assume_role
from tests.support.builders import run_here
from tests.support.kappa.projects import TRUST

ROOT = Path(__file__).resolve().parents[2]
RIGHTS_ACCOUNT = "620000000001"
LIFE_ACCOUNT = "620000000002"
TAKEN_ACCOUNT = "620000000003"
CLIENT_ID = "1234-abcd.apps.googleusercontent.com"
ONLY_CLOUDFORMATION = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}],
}
RESOURCES = {
    "FailuresTopic",
    "FailuresTopicPolicy",
    "IdentityRole",
    "MessagesTable",
    "RateTable",
    "WebsitePolicy",
    "WebsiteRole",
    "WebsiteS3Bucket",
    "WebsiteS3BucketPolicy",
    "WebsiteSnsTopic",
    "WebsiteSnsTopicPolicy",
}


class Checkout:
    """A config file, and resources.py run with it."""

    def __init__(self, emulator, account, folder, bucket, **values):
        self.path = folder / "config.yml"
        self.path.write_text(
            yaml.safe_dump({"s3_bucket": bucket, "google_oauth_client_id": CLIENT_ID} | values)
        )
        self.env = emulator.env(account) | {"LAMBDA_CHAT_CONFIG": str(self.path)}

    def run(self, *argv):
        """Run resources.py in this process, which saves a second of imports."""
        return run_here(lambda: resources.main(list(argv)), self.env)

    def must(self, *argv):
        done = self.run(*argv)
        assert done.returncode == 0, done.stderr
        return done

    @property
    def values(self):
        return yaml.safe_load(self.path.read_text())


@pytest.fixture(scope="module")
def rights(emulator, tmp_path_factory):
    """A launched stack's saved values."""
    checkout = Checkout(
        emulator, RIGHTS_ACCOUNT, tmp_path_factory.mktemp("rights"), "rights-of-the-stack"
    )
    checkout.must("launch", "--wait")
    checkout.must("output", "--save")
    yield checkout.values
    checkout.must("delete", "--yes", "--wait")


def assume(emulator, role, token):
    return assume_role(emulator.client("sts", config=ANONYMOUS), role, token)


@pytest.mark.parametrize("role", ["website_iam_role_arn", "identity_iam_role_arn"])
def test_a_token_for_our_client_assumes_the_role(emulator, rights, role):
    token = id_token(aud=CLIENT_ID, azp=CLIENT_ID)
    assert assume(emulator, rights[role], token)["aws_session_token"]


@pytest.mark.parametrize("role", ["website_iam_role_arn", "identity_iam_role_arn"])
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "9-other.apps.googleusercontent.com"},
        {"aud": None},
        {"aud": CLIENT_ID.upper()},
        {"aud": CLIENT_ID, "iss": "https://accounts.google.com.evil.example"},
        {"aud": CLIENT_ID, "iss": "https://evil.example"},
        {"aud": CLIENT_ID, "iss": None},
    ],
)
def test_any_other_token_is_refused(emulator, rights, role, claims):
    with pytest.raises(ClientError) as caught:
        assume(emulator, rights[role], id_token(**claims))
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_the_command_is_a_program_of_its_own(emulator, tmp_path):
    chat = Checkout(emulator, "620000000007", tmp_path, "a-program")
    done = subprocess.run(
        [ROOT / "resources.py", "status"],
        env=chat.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "./resources.py launch" in done.stderr


def test_the_stack_lives_by_its_commands(emulator, tmp_path):
    chat = Checkout(emulator, LIFE_ACCOUNT, tmp_path, "life-of-the-stack", region="us-east-1")
    missing = chat.run("output")
    assert missing.returncode == 1
    assert "There is no stack Lambda-Chat in us-east-1." in missing.stderr
    assert "./resources.py launch" in missing.stderr
    assert chat.run("status").returncode == 1
    assert chat.run("update").returncode == 1

    launched = chat.must("launch", "--wait")
    assert "CREATE_COMPLETE              WebsiteRole" in launched.stderr
    assert "./resources.py output --save" in launched.stdout
    again = chat.must("launch", "--wait")
    assert "The stack Lambda-Chat exists in us-east-1" in again.stdout
    other = chat.path.read_text()
    chat.path.write_text(other.replace("life-of-the-stack", "another-life"))
    refused = chat.run("launch")
    chat.path.write_text(other)
    assert refused.returncode == 1
    assert "already exists with another s3_bucket" in refused.stderr
    assert "./resources.py update" in refused.stderr
    assert "nothing to change" in chat.must("update", "--wait").stdout

    status = chat.must("status").stdout
    assert status.startswith("Lambda-Chat: CREATE_COMPLETE in us-east-1\n")
    assert {line.split()[0] for line in status.splitlines()[1:]} == RESOURCES

    printed = yaml.safe_load(chat.must("output").stdout)
    assert "Saved 9 values" in chat.must("output", "--save").stdout
    assert "Nothing to change" in chat.must("output", "--save").stdout
    assert chat.values == printed | {
        "s3_bucket": "life-of-the-stack",
        "google_oauth_client_id": CLIENT_ID,
        "region": "us-east-1",
    }
    stream = emulator.client("dynamodbstreams", LIFE_ACCOUNT).describe_stream(
        StreamArn=printed["dynamodb_stream_arn"]
    )["StreamDescription"]
    assert stream["StreamViewType"] == "NEW_IMAGE"
    assert stream["TableName"] == printed["dynamodb_table"]

    fill_with_versions(emulator.client("s3", LIFE_ACCOUNT), "life-of-the-stack")
    refused = chat.run("delete")
    assert refused.returncode == 2
    assert "needs --yes" in refused.stderr
    deleted = chat.must("delete", "--yes", "--wait")
    assert "Emptied the bucket life-of-the-stack: 5 objects." in deleted.stdout
    assert "DELETE_COMPLETE              WebsiteS3Bucket" in deleted.stderr
    assert "nothing to delete" in chat.must("delete", "--yes").stdout
    assert emulator.client("s3", LIFE_ACCOUNT).list_buckets()["Buckets"] == []
    assert emulator.client("dynamodb", LIFE_ACCOUNT).list_tables()["TableNames"] == []


def fill_with_versions(s3, bucket):
    """Put an object, one with two versions, and a deleted one: five versions to delete."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("index.html", "data/0.json", "data/0.json", "data/1.json"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket=bucket, Key="data/1.json")


def answer(chat, answer, command="delete"):
    """Run a command of resources.py on a terminal, and type the answer."""
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    try:
        return subprocess.run(
            [ROOT / "resources.py", command],
            env=chat.env,
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_delete_asks_on_a_terminal_and_takes_no_for_an_answer(emulator, tmp_path):
    chat = Checkout(emulator, "620000000008", tmp_path, "asked-before-deleting")
    chat.must("launch", "--wait")
    for word in (b"n\n", b"\n", b"\x04"):
        kept = answer(chat, word)
        assert (kept.returncode, kept.stderr) == (1, "Error: Nothing was changed.\n")
        assert kept.stdout.endswith(
            "Delete the stack Lambda-Chat of the account 620000000008 in us-east-1, with the "
            "bucket asked-before-deleting, its page and every message? [y/N] "
        )
    assert "CREATE_COMPLETE" in chat.must("status").stdout
    assert answer(chat, b"y\n").returncode == 0
    assert chat.run("status").returncode == 1


def test_a_bucket_that_is_not_the_stacks_is_neither_replaced_unasked_nor_deleted(
    emulator, tmp_path
):
    account = "620000000016"
    chat = Checkout(emulator, account, tmp_path, "first-home", region="us-east-1")
    chat.must("launch", "--wait")
    emulator.client("s3", account).put_object(Bucket="first-home", Key="data/x.json", Body=b"x")
    chat.path.write_text(chat.path.read_text().replace("first-home", "second-home"))

    launched = chat.run("launch")
    assert launched.returncode == 1
    assert "Is it your chat's? If not, choose another stack_name" in launched.stderr

    deleted = chat.run("delete", "--yes")
    assert deleted.returncode == 2
    assert "s3_bucket: second-home is not the bucket of the stack Lambda-Chat" in deleted.stderr
    assert "that is first-home. Nothing was deleted." in deleted.stderr
    assert "write `s3_bucket: first-home`" in deleted.stderr

    unasked = chat.run("update", "--wait")
    assert unasked.returncode == 2
    assert "update to replace the bucket first-home by second-home needs --yes" in unasked.stderr
    kept = answer(chat, b"n\n", "update")
    assert (kept.returncode, kept.stderr) == (1, "Error: Nothing was changed.\n")
    assert "Replace the bucket first-home of the stack Lambda-Chat" in kept.stdout
    s3 = emulator.client("s3", account)
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["first-home"]
    assert s3.list_objects_v2(Bucket="first-home")["KeyCount"] == 1

    assert "Updated." in chat.must("update", "--wait", "--yes").stdout
    chat.must("delete", "--yes", "--wait")
    assert s3.list_objects_v2(Bucket="first-home")["KeyCount"] == 1


def test_the_hints_of_a_command_in_another_region_lead_to_that_region(emulator, tmp_path):
    account = "620000000017"
    taken = emulator.client("s3", account)
    taken.create_bucket(Bucket="taken-already")
    chat = Checkout(emulator, account, tmp_path, "taken-already", region="us-east-1")
    failed = chat.run("launch", "--wait", "--region=eu-west-1")
    assert failed.returncode == 1
    assert "`./resources.py delete --region=eu-west-1 --wait`" in failed.stderr
    unusable = chat.run("output", "--region=eu-west-1")
    assert "`./resources.py delete --region=eu-west-1 --wait`" in unusable.stderr
    chat.must("delete", "--region=eu-west-1", "--yes", "--wait")
    assert (
        "`./resources.py launch --region=eu-west-1 --wait`"
        in chat.run("status", "--region=eu-west-1").stderr
    )


def test_a_taken_bucket_fails_the_launch_by_name_and_is_never_emptied(emulator, tmp_path):
    s3 = emulator.client("s3", TAKEN_ACCOUNT)
    s3.create_bucket(Bucket="somebody-elses-files")
    s3.put_object(Bucket="somebody-elses-files", Key="index.html", Body=b"precious")
    chat = Checkout(emulator, TAKEN_ACCOUNT, tmp_path, "somebody-elses-files")

    failed = chat.run("launch", "--wait")
    assert failed.returncode == 1
    assert "ROLLBACK_COMPLETE: WebsiteS3Bucket: " in failed.stderr
    assert "already exists" in failed.stderr
    assert "./resources.py delete" in failed.stderr
    unusable = chat.run("output", "--save")
    assert unusable.returncode == 1
    assert "is not usable: ROLLBACK_COMPLETE" in unusable.stderr
    assert "WebsiteS3Bucket: " in chat.must("status").stdout

    deleted = chat.must("delete", "--yes", "--wait")
    assert "Emptied" not in deleted.stdout
    body = s3.get_object(Bucket="somebody-elses-files", Key="index.html")["Body"]
    assert body.read() == b"precious"


def without_math(template):
    """The template without the alarm on metric math, which the embedded AWS does not support."""
    found = json.loads(template())
    assert found["Resources"].pop("MessagesUnpublishedAlarm")["Condition"] == "AlarmsWanted"
    return json.dumps(found)


def test_alarms_come_with_an_address_and_go_with_it(emulator, tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "template", partial(without_math, resources.template))
    account = "620000000009"
    chat = Checkout(emulator, account, tmp_path, "watched-by-alarms", alarm_email="o@example.com")
    alarms = emulator.client("cloudwatch", account)
    sns = emulator.client("sns", account)

    assert "o@example.com once the link" in chat.must("launch", "--wait").stderr
    found = alarms.describe_alarms()["MetricAlarms"]
    assert {one["MetricName"] for one in found} == {
        "Errors",
        "IteratorAge",
        "NumberOfMessagesPublished",
        "NumberOfNotificationsFailed",
        "Throttles",
    }
    [topic] = {action for one in found for action in one["AlarmActions"]}
    [told] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (told["Protocol"], told["Endpoint"]) == ("email", "o@example.com")

    chat.path.write_text(chat.path.read_text().replace("o@example.com", ""))
    chat.must("update", "--wait")
    assert alarms.describe_alarms()["MetricAlarms"] == []
    assert len(sns.list_topics()["Topics"]) == 2
    chat.must("delete", "--yes", "--wait")


def test_push_comes_and_goes_with_its_key(emulator, tmp_path):
    account = "620000000018"
    chat = Checkout(emulator, account, tmp_path, "pushed-and-not", region="us-east-1")
    iam = emulator.client("iam", account)
    chat.must("launch", "--wait")
    chat.must("output", "--save")
    before = chat.path.read_text()
    [role] = [one["RoleName"] for one in iam.list_roles()["Roles"] if "WebsiteRole" in one["Arn"]]
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["WebsitePolicy"]

    chat.path.write_text(before.replace("region:", "push: true\nregion:"))
    assert "the stack has another push than" in chat.must("status").stderr
    refused = chat.run("output", "--save")
    assert refused.returncode == 1
    assert "without push" in refused.stderr
    chat.must("update", "--wait")
    assert "does not have the stack's push_endpoint, push_topics" in chat.must("status").stderr
    assert "Saved 11 values" in chat.must("output", "--save").stdout
    assert chat.must("status").stderr == ""
    endpoint = emulator.client("iot", account).describe_endpoint(endpointType="iot:Data-ATS")
    assert chat.values["push_endpoint"] == endpoint["endpointAddress"]
    assert chat.values["push_topics"] == "Lambda-Chat/channel/*"
    policies = iam.list_role_policies(RoleName=role)["PolicyNames"]
    assert sorted(policies) == ["PushPolicy", "WebsitePolicy"]

    chat.path.write_text(chat.path.read_text().replace("push: true\n", ""))
    assert "another push" in chat.must("status").stderr
    chat.must("update", "--wait")
    assert "has push_endpoint, push_topics, but push is off" in chat.must("status").stderr
    chat.must("output", "--save")
    assert chat.path.read_text() == before
    assert chat.must("status").stderr == ""
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["WebsitePolicy"]
    chat.must("delete", "--yes", "--wait")


def test_a_caller_who_may_not_ask_for_the_endpoint_saves_nothing(emulator, tmp_path):
    account = "620000000019"
    chat = Checkout(emulator, account, tmp_path, "deaf-to-guests", push=True)
    chat.must("launch", "--wait")
    before = chat.path.read_text()
    iam = emulator.client("iam", account)
    iam.create_user(UserName="guest")
    key = iam.create_access_key(UserName="guest")["AccessKey"]
    iam.put_user_policy(
        UserName="guest", PolicyName="p", PolicyDocument=json.dumps(ONLY_CLOUDFORMATION)
    )
    guest = chat.env | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    chat.env, root = guest, chat.env
    refused = chat.run("output", "--save")
    assert refused.returncode == 1
    assert "iot:DescribeEndpoint" in refused.stderr
    assert f"`push: false` in {chat.path}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 2
    assert chat.path.read_text() == before
    assert "Note: push_endpoint was not compared: " in chat.must("status").stderr
    chat.env = root
    chat.must("delete", "--yes", "--wait")


def test_two_stacks_fit_in_one_account(emulator, tmp_path):
    chats = []
    for name in ("First", "Second"):
        folder = tmp_path / name
        folder.mkdir()
        bucket = f"two-stacks-{name.lower()}"
        chats.append(Checkout(emulator, "620000000004", folder, bucket, stack_name=name))
    for chat in chats:
        chat.must("launch", "--wait")
        chat.must("output", "--save")
    first, second = (chat.values for chat in chats)
    shared = {key for key in first if first[key] == second[key]}
    assert shared == {"google_oauth_client_id"}
    chats[0].must("delete", "--yes", "--wait")
    assert "CREATE_COMPLETE" in chats[1].must("status").stdout
    chats[1].must("delete", "--yes", "--wait")


def test_an_update_moves_the_rights_to_the_new_data_folder(emulator, tmp_path):
    account = "620000000005"
    chat = Checkout(emulator, account, tmp_path, "moving-the-data")
    chat.must("launch", "--wait")
    chat.must("output", "--save")
    with chat.path.open("a") as file:
        file.write("data_prefix: talk/\n")
    assert "Updated." in chat.must("update", "--wait").stdout
    s3 = emulator.client("s3", account)
    for key in ("talk/default.json", "data/default.json"):
        s3.put_object(Bucket="moving-the-data", Key=key, Body=b"x")
    role = chat.values["website_iam_role_arn"]
    page = boto3.client(
        "s3",
        endpoint_url=emulator.endpoint_url,
        region_name="us-east-1",
        **assume(emulator, role, id_token(aud=CLIENT_ID)),
    )
    assert page.get_object(Bucket="moving-the-data", Key="talk/default.json")
    with pytest.raises(ClientError, match="AccessDenied"):
        page.get_object(Bucket="moving-the-data", Key="data/default.json")
    chat.must("delete", "--yes", "--wait")


def test_a_caller_without_rights_gets_one_clear_line(emulator, tmp_path):
    account = "620000000006"
    iam = emulator.client("iam", account)
    iam.create_user(UserName="guest")
    key = iam.create_access_key(UserName="guest")["AccessKey"]
    chat = Checkout(emulator, account, tmp_path, "denied-to-guests")
    chat.env |= {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    for command in ("launch", "update", "output", "status", "delete"):
        done = chat.run(command, *(["--yes"] if command == "delete" else []))
        assert done.returncode == 1
        assert "not authorized" in done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 2


def test_a_bucket_that_was_replaced_stays_and_is_named(emulator, tmp_path):
    account = "620000000010"
    chat = Checkout(emulator, account, tmp_path, "before-the-move")
    chat.must("launch", "--wait")
    s3 = emulator.client("s3", account)
    s3.put_object(Bucket="before-the-move", Key="index.html", Body=b"old")
    chat.path.write_text(chat.path.read_text().replace("before-the-move", "after-the-move"))
    assert "another s3_bucket than" in chat.must("status").stderr
    updated = chat.must("update", "--wait", "--yes")
    assert "former bucket before-the-move" in updated.stderr
    for command in (["status"], ["delete", "--yes", "--wait"]):
        said = chat.must(*command).stderr
        assert "the stack's former bucket before-the-move still exists" in said
        assert "aws s3 rb s3://before-the-move --force" in said
    assert s3.head_bucket(Bucket="before-the-move")


def test_status_names_a_function_that_was_deployed_with_other_values(emulator, tmp_path):
    account = "620000000011"
    chat = Checkout(emulator, account, tmp_path, "values-of-functions", region="us-east-1")
    chat.must("launch", "--wait")
    chat.must("output", "--save")
    assert chat.must("status").stderr == ""
    aws = emulator.client("lambda", account)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("a.py", "def handler(event, context): pass")
    role = emulator.client("iam", account).create_role(
        RoleName="any", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    aws.create_function(
        FunctionName="Lambda-Chat-publish-transcript",
        Role=role["Role"]["Arn"],
        Runtime="python3.13",
        Handler="a.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={
            "Variables": {
                "TABLE_NAME": chat.values["dynamodb_table"],
                "BUCKET": "values-of-functions",
                "DATA_PREFIX": "data/",
                "HISTORY": "20",
            }
        },
    )
    assert chat.must("status").stderr == ""
    with chat.path.open("a") as file:
        file.write("history: 50\n")
    assert chat.must("status").stderr == (
        "Note: the function Lambda-Chat-publish-transcript has another HISTORY than "
        f"{chat.path}: run `kappa lambda/dynamodb/config.yml deploy`.\n"
    )
