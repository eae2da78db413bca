"""An existing function as AWS describes it, for tests of init --from."""

import io
import zipfile

import yaml

from kappa.commands.init_from.files import adopted_files
from kappa.commands.init_from.read import Existing
from kappa.errors import NotFound
from tests.support.kappa.projects import TRUST

ROLE = {
    "RoleName": "greeter-role",
    "Path": "/service-role/",
    "Arn": "arn:aws:iam::123456789012:role/service-role/greeter-role",
    "AssumeRolePolicyDocument": TRUST,
    "Tags": [{"Key": "kappa:region", "Value": "eu-west-1"}],
}

POLICY = {
    "PolicyName": "greeter-policy",
    "Path": "/",
    "Arn": "arn:aws:iam::123456789012:policy/greeter-policy",
    "Document": {"Version": "2012-10-17", "Statement": []},
    "Tags": ROLE["Tags"],
}

SETTINGS = {
    "FunctionName": "greeter",
    "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:greeter",
    "Runtime": "python3.13",
    "Handler": "greeter.handler",
    "Role": ROLE["Arn"],
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Architectures": ["arm64"],
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "PassThrough"},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/greeter"},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
}


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in ({"greeter.py": "def handler(event, context): ...\n"} | files).items():
            archive.writestr(name, text)
    return buffer.getvalue()


def existing(settings=None, function=None, **changes):
    default = {
        "function": {"Configuration": SETTINGS | (settings or {}), **(function or {})},
        "statements": (),
        "sources": [],
        "role": ROLE,
        "policy": POLICY,
        "asynchronous": None,
        "url": None,
        "log_group": None,
        "zipped": zipped(),
    }
    return Existing(**default | changes)


def whole(**changes):
    """The config that init --from writes, and its remarks as text."""
    new = adopted_files(existing(**changes), "config.yml")
    return yaml.safe_load(new.files["config.yml"]), "\n".join(new.remarks)


def raw(**changes):
    default = {
        "Sid": "any",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:InvokeFunction",
        "Resource": SETTINGS["FunctionArn"],
    }
    return default | changes


class Answers:
    """AWS with one function: an answer per operation; an answer that is an error is raised."""

    def __init__(self, **answers):
        self.answers = answers

    def call(self, service, operation, doing, params):
        answer = self.answers.get(operation, NotFound("none"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pages(self, service, operation, doing, key, params=None):
        return self.call(service, operation, doing, params).get(key, [])
