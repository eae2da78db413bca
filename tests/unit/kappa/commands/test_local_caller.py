"""As whom a function runs here: the caller, or its own role."""

import json

import pytest

from kappa.aws import Aws
from kappa.commands.local_caller import read_caller
from kappa.commands.session import Session
from kappa.errors import AwsError, Denied, NotFound
from tests.support.builders import kappa_config

ROLE = "arn:aws:iam::111122223333:role/kappa/greeter-role"
ME = "arn:aws:iam::111122223333:user/ada"
KEYS = {"AccessKeyId": "R", "SecretAccessKey": "S", "SessionToken": "T"}


class FakeAws:
    """Answers each operation with what a test gives, or raises it."""

    requested_region, profile = "eu-west-1", None

    def read_region(self):
        return self.requested_region

    def __init__(self, **answers):
        self.answers, self.calls = answers, {}

    def call(self, service, operation, doing, params=None):
        self.calls[operation] = params
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer


def session(aws, **config):
    return Session(kappa_config({}, **config), aws)


def arn_of(**given):
    return read_caller(session(Aws("eu-west-1"), **given)).caller.function_arn


def test_ones_own_credentials_are_named(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    local = read_caller(session(Aws("eu-west-1")))
    assert local.caller.credentials == {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    assert local.caller.region == "eu-west-1"
    assert local.notice == "The function has your credentials (the environment), not its role's."


def test_a_function_without_credentials_runs():
    local = read_caller(session(Aws("eu-west-1")))
    assert local.caller.credentials == {}
    assert local.notice.startswith("You have no AWS credentials")


def test_only_whoever_has_credentials_needs_a_region(monkeypatch):
    assert read_caller(session(Aws())).caller.region == "us-east-1"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with pytest.raises(AwsError, match="No AWS region"):
        read_caller(session(Aws()))


def test_the_account_is_what_the_config_names():
    assert arn_of() == "arn:aws:lambda:eu-west-1:123456789012:function:greeter"
    assert ":111122223333:" in arn_of(role={"arn": ROLE})


def test_the_partition_is_the_regions():
    local = read_caller(session(Aws("cn-north-1")))
    assert local.caller.function_arn.startswith("arn:aws-cn:lambda:cn-north-1:")


def test_the_role_is_the_one_that_the_function_has_in_aws():
    aws = FakeAws(get_function_configuration={"Role": ROLE}, assume_role={"Credentials": KEYS})
    local = read_caller(session(aws), as_role=True)
    assert aws.calls["assume_role"] == {"RoleArn": ROLE, "RoleSessionName": "kappa-greeter"}
    assert local.caller.credentials == {
        "AWS_ACCESS_KEY_ID": "R",
        "AWS_SECRET_ACCESS_KEY": "S",
        "AWS_SESSION_TOKEN": "T",
    }
    assert local.caller.function_arn == "arn:aws:lambda:eu-west-1:111122223333:function:greeter"
    assert local.notice == f"The function has the credentials of the role {ROLE}."


def test_a_role_that_the_config_gives_is_taken():
    aws = FakeAws(assume_role={"Credentials": KEYS})
    read_caller(session(aws, role={"arn": ROLE}), as_role=True)
    assert aws.calls["assume_role"]["RoleArn"] == ROLE


def test_a_function_that_is_not_deployed_has_no_role():
    with pytest.raises(NotFound) as caught:
        read_caller(session(FakeAws(get_function_configuration=NotFound("gone"))), as_role=True)
    assert caught.value.hint == "Create the function with its role: kappa config.yml deploy"


@pytest.mark.parametrize(("identity", "own"), [({"Arn": ME}, ME), (Denied("no"), "YOUR-ARN")])
def test_how_to_allow_it_is_one_statement(identity, own):
    aws = FakeAws(
        assume_role=Denied("AWS refused assuming the role", code="AccessDenied"),
        get_caller_identity=identity,
    )
    with pytest.raises(Denied) as caught:
        read_caller(session(aws, role={"arn": ROLE}), as_role=True)
    first, statement, _ = caught.value.hint.splitlines()
    assert first.startswith(f"Allow sts:AssumeRole for {ROLE} in your own policy")
    assert json.loads(statement)["Principal"] == {"AWS": own}
