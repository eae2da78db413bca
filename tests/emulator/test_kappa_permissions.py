"""A user with only the permissions in docs/kappa.md can use kappa."""

import json
import re
from pathlib import Path

import pytest

from tests.support.builders import run_kappa
from tests.support.kappa.projects import user_in

ACCOUNT = "461000000006"
DOCS = Path(__file__).parents[2] / "docs" / "kappa.md"
CONFIG = f"""\
region: us-east-1
iam:
  policy: {{name: greeter-policy, document: policy.json}}
  role: {{name: greeter-role}}
lambda:
  name: greeter
  path: greeter.py
  handler: greeter.handler
  runtime: python3.13
  timeout: 3
  environment:
    MOTTO: ${{ssm:/greeter/motto}}
    PASSWORD: ${{secret:greeter-db}}
    NEWS: ${{cf:greeter.Name}}
  alias: current
  publish: true
  keep_versions: 2
  reserved_concurrency: 5
  log_retention_days: 7
  tags: {{team: tea}}
  async: {{maximum_retry_attempts: 0}}
  url: {{auth: AWS_IAM}}
  event_sources:
    - arn: arn:aws:sns:us-east-1:{ACCOUNT}:news
    - arn: arn:aws:s3:::greeter-uploads
      events: ["s3:ObjectCreated:*"]
    - name: nightly
      schedule: rate(1 day)
"""
# Calls whose resource or condition the emulator does not see.
BLIND = [
    "events:ListTargetsByRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "iam:AttachRolePolicy",
    "iam:CreatePolicy",
    "iam:DetachRolePolicy",
    "lambda:CreateFunction",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
]
TEMPLATE = {
    "Resources": {"News": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"Name": {"Value": "news"}},
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}],
}


@pytest.fixture(scope="module")
def person(emulator):
    """The environment of a user with only the documented permissions."""
    (text,) = re.findall(r"```json\n(\{\n  \"Version\".*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    # The emulator includes the default bus in a rule's ARN; AWS does not.
    document = text.replace("123456789012", ACCOUNT).replace("rule/", "rule/default/")
    document = json.loads(document)
    document["Statement"].append({"Effect": "Allow", "Action": BLIND, "Resource": "*"})
    emulator.client("sns", ACCOUNT).create_topic(Name="news")
    emulator.client("s3", ACCOUNT).create_bucket(Bucket="greeter-uploads")
    parameter = {"Name": "/greeter/motto", "Value": "tea", "Type": "SecureString"}
    emulator.client("ssm", ACCOUNT).put_parameter(**parameter)
    secrets = emulator.client("secretsmanager", ACCOUNT)
    secrets.create_secret(Name="greeter-db", SecretString="hunter2-s3cret")
    stacks = emulator.client("cloudformation", ACCOUNT)
    stacks.create_stack(StackName="greeter", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="greeter", WaiterConfig={"Delay": 1})
    return emulator.env(ACCOUNT) | user_in(emulator, ACCOUNT, "ada", document)


def written(folder, old="", new=""):
    (folder / "config.yml").write_text(CONFIG.replace(old, new) if old else CONFIG)
    (folder / "policy.json").write_text(json.dumps(POLICY))
    (folder / "greeter.py").write_text("def handler(event, context):\n    return event\n")
    return str(folder / "config.yml")


def kappa(env, *args):
    done = run_kappa(args, env)
    assert done.returncode == 0, done.stderr
    return done


def test_the_documented_permissions_are_enough_for_a_whole_life(tmp_path, person):
    config = written(tmp_path)
    kappa(person, config, "deploy")
    kappa(person, config, "invoke", "--data", "{}")
    for command in ("diff", "logs", "metrics", "status", "versions", "event_source_status"):
        kappa(person, config, command)
    kappa(person, written(tmp_path, "timeout: 3", "timeout: 4"), "deploy")
    kappa(person, config, "rollback")
    kappa(person, config, "disable_event_sources")
    kappa(person, config, "enable_event_sources")
    assert json.loads(kappa(person, config, "status", "--json").stdout)["problems"] == []
    kappa(person, config, "delete")


def test_they_are_not_enough_for_another_function(tmp_path, person):
    config = written(tmp_path, "name: greeter\n", "name: other\n")
    done = run_kappa([config, "deploy"], person)
    assert (done.returncode, "AccessDenied" in done.stderr) == (1, True)
