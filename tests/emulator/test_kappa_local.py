"""`invoke --local` against the emulated AWS: with the caller's rights, or with the role's."""

import json
import uuid

import pytest

from tests.support.builders import run_kappa
from tests.support.kappa import projects
from tests.support.kappa.projects import user_in

ACCOUNT = "461000000017"
CODE = """\
import boto3

def handler(event, context):
    caller = boto3.client("sts").get_caller_identity()["Arn"]
    try:
        boto3.client("iam").list_users()
    except Exception as error:
        return [caller, type(error).__name__]
    return [caller, "allowed"]
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def local(chat, name, event):
    words = [
        f"lambda/{name}/config.yml",
        "invoke",
        "--local",
        "--as-role",
        "--data",
        json.dumps(event),
    ]
    done = run_kappa(words, chat.env)
    assert done.returncode == 0, done.stderr
    assert (
        "The function has the credentials of the role arn:aws:iam::000000000000:role/"
        in done.stderr
    )
    assert "Max Memory Used: 0 MB" not in done.stderr
    return json.loads(done.stdout)


def test_both_functions_of_the_chat_run_here_with_the_rights_of_their_roles(chat):
    room = f"test-{uuid.uuid4().hex[:12]}"
    message = json.dumps({"name": "Operator", "channel": room, "message": "tea is ready"})
    record = {"EventSource": "lambda-chat:operator", "Sns": {"Message": message}}
    stored = local(chat, "sns", {"Records": [record]})
    assert (stored["stored"], stored["refused"]) == (1, 0)
    name = {"TableName": chat.config.dynamodb_table}
    (row,) = chat.client("dynamodb").query(
        **name,
        KeyConditionExpression="channel = :c",
        ExpressionAttributeValues={":c": {"S": room}},
    )["Items"]
    assert row["message"] == {"S": "tea is ready"}
    change = {
        "eventID": "1",
        "eventName": "INSERT",
        "dynamodb": {"NewImage": row, "SequenceNumber": "1"},
    }
    assert local(chat, "dynamodb", {"Records": [change]}) == {"batchItemFailures": []}
    key = f"{chat.config.data_prefix}{room}.json"
    body = chat.client("s3").get_object(Bucket=chat.config.s3_bucket, Key=key)["Body"].read()
    assert [one["message"] for one in json.loads(body)["messages"]] == ["tea is ready"]


def test_a_role_is_assumed_once_its_trust_names_the_caller(tmp_path, emulator):
    project = projects.Project(tmp_path / "greeter", emulator, ACCOUNT)
    project.write("code/greeter.py", CODE)
    project.config(projects.OWN_ROLE.format(name=project.name))
    project.run("create")
    may = ["lambda:GetFunctionConfiguration", "iam:ListUsers", "sts:AssumeRole"]
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": may, "Resource": "*"}],
    }
    own = project.env | user_in(emulator, ACCOUNT, "ada", document)
    words = ["invoke", "--local", "--data", "{}"]
    caller, answer = json.loads(project.run(*words, env=own).stdout)
    assert (caller.split(":")[-1], answer) == ("user/ada", "allowed")

    refused = project.kappa(*words, "--as-role", env=own)
    assert (refused.returncode, refused.stdout) == (1, "")
    (statement,) = (line for line in refused.stderr.splitlines() if "sts:AssumeRole" in line[-20:])
    iam, name = project.client("iam"), f"{project.name}-role"
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"].append(json.loads(statement))
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    caller, answer = json.loads(project.run(*words, "--as-role", env=own).stdout)
    role = f"assumed-role/{project.name}-role/kappa-{project.name}"
    assert (caller.split(":")[-1], answer) == (role, "ClientError")
