"""Where in the config AWS's refusal leads: the setting that it quotes, or the whole step's key."""

import pytest

from kappa.commands.refused_place import refused_place
from kappa.config.read import read_config
from kappa.errors import AwsError, Conflict, Denied, Unavailable
from kappa.plan.step import Step

LAYER = "arn:aws:lambda:us-east-1:210987654321:layer:tools:9"

FILE = f"""\
region: us-east-1
iam:
  policy: {{name: p, document: policy.json}}
  role: {{name: r}}
lambda:
  name: greeter
  path: .
  handler: a.b
  runtime: python3.13
  description: reads greeter and {LAYER}
  s3_bucket: the-code-bucket
  layers:
    - arn:aws:lambda:us-east-1:123456789012:layer:first:1
    - {LAYER}
"""
CREATE = {"FunctionName": "greeter", "Layers": [LAYER], "Description": f"reads greeter and {LAYER}"}


@pytest.fixture
def config(tmp_path):
    (tmp_path / "config.yml").write_text(FILE)
    return read_config(tmp_path / "config.yml")


@pytest.mark.parametrize(
    ("params", "key", "error", "place"),
    [
        (CREATE, (), AwsError(f"Layer version {LAYER} does not exist."), "14: lambda.layers[1]"),
        (CREATE, (), Denied(f"no lambda:GetLayerVersion on {LAYER}"), "14: lambda.layers[1]"),
        (CREATE, (), AwsError("greeter is wrong"), ""),
        ({}, (), AwsError(f"Layer version {LAYER} does not exist."), ""),
        ({}, ("lambda", "s3_bucket"), AwsError("no such bucket"), "11: lambda.s3_bucket"),
        ({}, ("lambda", "s3_bucket"), Denied("no s3:PutObject"), ""),
        (CREATE, ("lambda",), Conflict(LAYER), ""),
        (CREATE, ("lambda",), Unavailable(LAYER), ""),
        ({}, ("iam", "policy", "document"), AwsError("Syntax errors"), "3: iam.policy.document"),
    ],
)
def test_a_refusal_leads_to_the_config(config, params, key, error, place):
    step = Step("lambda", "create_function", params, "created", "function greeter", key=key)
    error.code = "Refused"
    named = refused_place(config, step, error)
    assert named == (f"{config.file}:{place}" if place else "")


def test_an_answer_of_a_proxy_is_no_mistake_of_the_config(config):
    step = Step("s3", "put_object", {}, "created", "zip", key=("lambda", "s3_bucket"))
    assert refused_place(config, step, AwsError("http://x did not answer as AWS does")) == ""
