"""A function's folder, kappa's commands on it in this process, and reads of the result."""

import json
import uuid

from kappa.package.zip import pack
from tests.support.builders import run_kappa

CODE = """\
import json, os

def handler(event, context):
    print("seen", json.dumps(event, default=str))
    if event.get("boom"):
        raise ValueError("the kettle is cold")
    return {"greeting": os.environ.get("GREETING", ""), "event": event}
"""
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
# A function whose policy and role kappa creates; and one with an existing role.
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
    """A function greeter.py with a config in an account; creates `folder`."""

    def __init__(self, folder, emulator, account, name=None):
        self.folder, self.emulator, self.account = folder, emulator, account
        self.name = name or f"greeter-{uuid.uuid4().hex[:8]}"
        self.env = emulator.env(account)
        (folder / "code").mkdir(parents=True)
        self.write("code/greeter.py", CODE)
        self.write("policy.json", json.dumps(POLICY))

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def config(self, text):
        self.text = text
        self.write("config.yml", text)

    def kappa(self, *args, files=(), stdin="", env=None):
        """Run a command on this project's config, followed by `files`."""
        words = [self.folder / "config.yml", *files, *args]
        return run_kappa(words, env or self.env, stdin)

    def run(self, *args, **changes):
        """Run a command that must succeed."""
        done = self.kappa(*args, **changes)
        assert done.returncode == 0, done.stderr
        return done

    def marks(self, *args):
        """The marks of a command's steps; it must succeed."""
        return self.run(*args).marks

    def client(self, service):
        return self.emulator.client(service, self.account)

    def settings(self):
        return self.client("lambda").get_function_configuration(FunctionName=self.name)

    def mappings(self):
        answer = self.client("lambda").list_event_source_mappings(FunctionName=self.name)
        return answer["EventSourceMappings"]

    def existing(self):
        """The names of those of the function, role and policy that exist."""
        iam = self.client("iam")
        functions = self.client("lambda").list_functions()["Functions"]
        roles, policies = iam.list_roles()["Roles"], iam.list_policies(Scope="Local")["Policies"]
        return [
            *(
                function["FunctionName"]
                for function in functions
                if function["FunctionName"] == self.name
            ),
            *(role["RoleName"] for role in roles if self.name in role["RoleName"]),
            *(policy["PolicyName"] for policy in policies if self.name in policy["PolicyName"]),
        ]

    def log(self):
        """The log's text so far; "" without a log group."""
        logs = self.client("logs")
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return ""
        return "\n".join(event["message"] for event in events)

    def make(self, role, **settings):
        """Create the function without kappa."""
        return self.client("lambda").create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role=role,
            Handler="greeter.handler",
            Code={"ZipFile": pack(self.folder / "code").data},
            **settings,
        )


def role_in(emulator, account, name="greeter-role"):
    """Create a role that Lambda may assume; return its ARN."""
    created = emulator.client("iam", account).create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    return created["Role"]["Arn"]


def user_in(emulator, account, name, document):
    """Create a user with only these rights; return the environment with its keys."""
    iam = emulator.client("iam", account)
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
