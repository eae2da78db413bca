"""Values that AWS has: parameters, secrets and outputs of stacks, and what is wrong with them."""

import json

import botocore.session
import pytest
from moto import mock_aws

from kappa.aws import Aws
from kappa.commands.values import read_values
from kappa.config.values import NoValue, Value
from kappa.errors import AwsError, Denied

TEMPLATE = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"TopicName": {"Value": "news"}, "Empty": {"Value": "x"}},
}


@pytest.fixture(scope="module")
def aws():
    """An account with a value of each kind."""
    with mock_aws():
        session = botocore.session.get_session()
        session.set_credentials("a", "b")
        made = {
            name: session.create_client(name, region_name="us-east-1")
            for name in ("ssm", "secretsmanager", "cloudformation")
        }
        made["ssm"].put_parameter(Name="/chat/plain", Value="tea ", Type="String")
        made["ssm"].put_parameter(Name="/chat/db", Value="pw-1\n${x}", Type="SecureString")
        secrets = {
            "db": json.dumps({"password": "p#1", "port": 5432, "more": {"a": [1]}, "none": None}),
            "text": "no json",
            "list": "[1]",
        }
        for name, text in secrets.items():
            made["secretsmanager"].create_secret(Name=name, SecretString=text)
        made["secretsmanager"].create_secret(Name="binary", SecretBinary=b"\xff")
        made["cloudformation"].create_stack(StackName="Chat", TemplateBody=json.dumps(TEMPLATE))
        yield _Counting(session)


class _Counting(Aws):
    """Counts the calls; takes the session with the test's keys."""

    def __init__(self, session):
        super().__init__("us-east-1")
        self._session, self.calls = session, []

    def call(self, service, operation, doing, params=None):
        self.calls.append(operation)
        return super().call(service, operation, doing, params)


def read(aws, *names, hidden=None):
    hidden = {} if hidden is None else hidden
    return read_values(aws, names, hidden.__setitem__)


def test_each_kind_is_read_and_what_is_secret_is_handed_on(aws):
    hidden = {}
    names = (
        *("ssm:/chat/plain", "ssm:/chat/db", "secret:db#password", "secret:db#port"),
        *("secret:db#more", "secret:text", "cf:Chat.TopicName"),
    )
    answers = read(aws, *names, hidden=hidden)
    assert [answers[name] for name in names] == [
        Value("tea "),
        Value("pw-1\n${x}", is_secret=True),
        Value("p#1", is_secret=True),
        Value("5432", is_secret=True),
        Value('{"a": [1]}', is_secret=True),
        Value("no json", is_secret=True),
        Value("news"),
    ]
    assert hidden["pw-1\n${x}"] == "${ssm:/chat/db}"
    assert "tea " not in hidden


def test_a_secret_and_a_stack_are_read_once(aws):
    aws.calls.clear()
    read(aws, "secret:db#password", "secret:db#port", "cf:Chat.TopicName", "cf:Chat.Empty")
    assert sorted(aws.calls) == ["describe_stacks", "get_secret_value"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ssm:/nowhere", "there is no parameter /nowhere in us-east-1."),
        ("secret:nowhere", "there is no secret nowhere in us-east-1, or it has no value."),
        ("secret:db#pasword", "the secret db has no key pasword."),
        ("secret:db#none", "the secret db has no key none."),
        ("cf:Nowhere.A", "there is no stack Nowhere in us-east-1."),
        ("cf:Chat.TopicNam", "the stack Chat has no output TopicNam."),
    ],
)
def test_what_does_not_exist_leaves_its_place_to_a_default(aws, name, words):
    answer = read(aws, name)[name]
    assert isinstance(answer, NoValue)
    assert answer.message == words
    assert "Did you mean" in answer.hint or "correct" in answer.hint or "Allowed" in answer.hint


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("secret:text#a", "is not a JSON object, so it has no key a."),
        ("secret:list#a", "is not a JSON object, so it has no key a."),
        ("secret:binary", "is binary."),
    ],
)
def test_a_secret_of_another_form_is_an_error_whatever_the_default(aws, name, words):
    answer = read(aws, name)[name]
    assert not isinstance(answer, NoValue)
    assert words in answer.message
    assert "no json" not in str(answer)


class Refusing:
    """Refuses each call as AWS does."""

    region = "us-east-1"

    def __init__(self, text, code="AccessDeniedException"):
        self.error = Denied(f"AWS refused: {text} ({code})", "", code, text)

    def call(self, *_):
        raise self.error


@pytest.mark.parametrize(
    ("name", "text", "permission"),
    [
        ("ssm:/a", "not authorized to perform: ssm:GetParameter", "ssm:GetParameter"),
        ("secret:a", "not authorized", "secretsmanager:GetSecretValue"),
        ("secret:a", "Access to KMS is not allowed: kms:Decrypt", "kms:Decrypt"),
        ("ssm:/a", "The ciphertext refers to a customer master key ...", "kms:Decrypt"),
        ("cf:A.B", "not authorized", "cloudformation:DescribeStacks"),
    ],
)
def test_a_refusal_names_the_permission(name, text, permission):
    answer = read(Refusing(text), name)[name]
    assert isinstance(answer, Denied)
    assert f"permission {permission}," in answer.hint


def test_another_refusal_keeps_its_hint():
    refusing = Refusing("expired", "ExpiredTokenException")
    refusing.error.hint = "Sign in again."
    assert read(refusing, "ssm:/a")["ssm:/a"].hint == "Sign in again."


def test_a_stack_that_is_not_complete_says_so():
    class Launching(Refusing):
        def call(self, *_):
            return {"Stacks": [{"StackStatus": "CREATE_IN_PROGRESS"}]}

    hint = read(Launching(""), "cf:A.B")["cf:A.B"].hint
    assert hint == "It has none. Its status is CREATE_IN_PROGRESS."


def test_an_error_that_is_no_refusal_is_handed_on(aws):
    name = "ssm:/chat/plain:99"
    assert isinstance(read(aws, name)[name], AwsError | NoValue)
