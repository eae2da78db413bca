"""A function's folder, and kappa on it in this process: what a user types, and what came of it."""

import json
import time
import uuid
from pathlib import Path

from kappa.packing.archive import pack
from tests.support.builders import run_kappa

CODE = """\
import json, os

def handler(event, context):
    print("seen", json.dumps(event, default=str))
    if event.get("boom"):
        raise ValueError("the kettle is cold")
    return {"greeting": os.environ.get("GREETING", ""), "event": event}
"""
FEW_REGIONS = Path(__file__).parents[2] / "data" / "few_regions"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:${partition}:logs:${region}:${account_id}:log-group:/aws/lambda/x:*",
        }
    ],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
# A function whose policy and role kappa makes; and one whose role is there.
OWN_ROLE = """\
region: us-east-1
iam:
  policy:
    name: {name}-policy
    document: policy.json
  role:
    name: {name}-role
lambda:
  name: {name}
  path: code
  handler: greeter.handler
  runtime: python3.13
"""
GIVEN_ROLE = """\
region: us-east-1
iam:
  role:
    arn: {role}
lambda:
  name: {name}
  path: code
  handler: greeter.handler
  runtime: python3.13
"""


class Project:
    """A function greeter.py with a config, in an account. `folder` is made.

    AWS has three regions here: `delete` looks into each. A test that is about them takes
    AWS_DATA_PATH out of `env`.
    """

    def __init__(self, folder, emulator, account, name=None):
        self.folder, self.emulator, self.account = folder, emulator, account
        self.name = name or f"greeter-{uuid.uuid4().hex[:8]}"
        self.env = emulator.env(account) | {"AWS_DATA_PATH": str(FEW_REGIONS)}
        (folder / "code").mkdir(parents=True)
        self.write("code/greeter.py", CODE)
        self.write("policy.json", json.dumps(POLICY))

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def config(self, text):
        self.text = text
        self.write("config.yml", text)

    def kappa(self, *args, files=(), stdin="", env=None):
        """Run a command on this project's config, and on those of `files` after it."""
        words = [self.folder / "config.yml", *files, *args]
        return run_kappa(words, env or self.env, stdin)

    def run(self, *args, **changes):
        """Run a command, which must succeed."""
        done = self.kappa(*args, **changes)
        assert done.returncode == 0, done.stderr
        return done

    def marks(self, *args):
        """What a command did, without what it did to what."""
        return self.run(*args).marks

    def client(self, service):
        return self.emulator.client(service, self.account)

    def settings(self):
        return self.client("lambda").get_function_configuration(FunctionName=self.name)

    def mappings(self):
        found = self.client("lambda").list_event_source_mappings(FunctionName=self.name)
        return found["EventSourceMappings"]

    def there(self):
        """Which of function, role and policy there are."""
        iam = self.client("iam")
        functions = self.client("lambda").list_functions()["Functions"]
        roles, policies = iam.list_roles()["Roles"], iam.list_policies(Scope="Local")["Policies"]
        return [
            *(one["FunctionName"] for one in functions if one["FunctionName"] == self.name),
            *(one["RoleName"] for one in roles if self.name in one["RoleName"]),
            *(one["PolicyName"] for one in policies if self.name in one["PolicyName"]),
        ]

    def log(self):
        """The log's text so far; "" before the first line."""
        logs = self.client("logs")
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return ""
        return "\n".join(event["message"] for event in events)

    def make(self, role, **settings):
        """Make the function without kappa."""
        return self.client("lambda").create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role=role,
            Handler="greeter.handler",
            Code={"ZipFile": pack(self.folder / "code").data},
            **settings,
        )


def role_in(emulator, account, name="greeter-role"):
    """Make a role that Lambda may assume; its ARN."""
    made = emulator.client("iam", account).create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    return made["Role"]["Arn"]


def user_in(emulator, account, name, document):
    """Make a user with these rights only; the environment that makes a command act as them."""
    iam = emulator.client("iam", account)
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def eventually(read, deadline_s=15):
    """Ask until it is true; its value is the answer."""
    deadline = time.monotonic() + deadline_s
    while not (found := read()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
    return found
