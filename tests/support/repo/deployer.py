"""The permissions that deploying the chat needs, derived from the calls that the commands make.

    .venv/bin/python -m local run --quiet -- .venv/bin/python -m tests.support.repo.deployer

writes docs/permissions/*.json. A call needs the action of its name, except for ACTIONS. cfn-lint's
copy of the service authorization reference has each action's resources. The schemas of the
template's resources have the actions that CloudFormation takes for the caller.
"""

import json
import os
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import cfnlint
from botocore.client import BaseClient

import resources
from kappa.aws import Aws
from lambda_chat.config import read_config
from lambda_chat.site import publish
from tests.conftest import EmulatedAws
from tests.support.builders import run_here, run_kappa

ROOT = Path(__file__).resolve().parents[3]

FOLDER = ROOT / "docs" / "permissions"
CFNLINT = Path(cfnlint.__file__).parent / "data"
STACK, BUCKET = "Lambda-Chat", "BUCKET"

# Calls whose action has another name, or that need several. Source: service authorization
# reference; Amazon S3 guide, "Required permissions for Amazon S3 API operations".
ACTIONS = {
    ("lambda", "Invoke"): ["lambda:InvokeFunction"],
    ("s3", "DeleteObjects"): ["s3:DeleteObject"],
    ("s3", "HeadBucket"): ["s3:ListBucket"],
    ("s3", "ListObjectVersions"): ["s3:ListBucketVersions"],
    ("s3", "ListObjectsV2"): ["s3:ListBucket"],
    ("s3", "PutObject"): ["s3:GetObject", "s3:PutObject"],  # the page's last PUT is conditional
    ("sts", "GetCallerIdentity"): [],  # needs no permission
}
TAGGED = {
    "CreateFunction": "lambda:TagResource",
    "CreatePolicy": "iam:TagPolicy",
    "CreateRole": "iam:TagRole",
}
# Actions for calls that do not happen on the embedded AWS: the reasons of an invalid stack.
MORE = {"stack": ["cloudformation:DescribeEvents"], "functions": ["iam:PassRole"], "page": []}
ARNS = {
    ("cloudformation", "stack"): [f"arn:aws:cloudformation:REGION:ACCOUNT:stack/{STACK}/*"],
    ("cloudwatch", "alarm"): [f"arn:aws:cloudwatch:REGION:ACCOUNT:alarm:{STACK}-*"],
    ("dynamodb", "table"): [f"arn:aws:dynamodb:REGION:ACCOUNT:table/{STACK}-*"],
    ("iam", "policy"): [f"arn:aws:iam::ACCOUNT:policy/kappa/{STACK}-*"],
    ("iam", "role"): [f"arn:aws:iam::ACCOUNT:role/kappa/{STACK}-*"],
    ("lambda", "eventsourcemapping"): ["arn:aws:lambda:REGION:ACCOUNT:event-source-mapping:*"],
    ("lambda", "function"): [f"arn:aws:lambda:REGION:ACCOUNT:function:{STACK}-*"],
    ("logs", "log-group"): [f"arn:aws:logs:REGION:ACCOUNT:log-group:/aws/lambda/{STACK}-*"],
    ("s3", "bucket"): [f"arn:aws:s3:::{BUCKET}"],
    ("s3", "object"): [f"arn:aws:s3:::{BUCKET}/*"],
    ("sns", "topic"): [f"arn:aws:sns:REGION:ACCOUNT:{STACK}-*"],
}
BY_CLOUDFORMATION = {
    "ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}
}
# Actions that the schemas list for properties that the template does not use, or for data.
UNUSED = re.compile(
    r"(?:Put|Create|Update|Delete|Enable|Disable|Associate|Import)\w*(?:Replica|Import|Kinesis|Website|CORS|"
    r"ContributorInsights|Cors|Inventory|Analytics|Lifecycle|MetricsConf|Accelerate|Logging|Acl|"
    r"Versioning|ObjectLock|Tiering|Metadata|Notification|Abac|DataProtection|Boundary)\w*"
    r"|(?:Put|Delete)(?:Resource|User|Group)Policy|(?:Attach|Detach)RolePolicy|\w*Import\w*"
    r"|\w+(?:Item|Object)|Scan|Query|Get(?:User|Group)Policy"
)


@contextmanager
def recording():
    """Collect the actions that this process's calls need, tagging and versions included."""
    actions = set()
    make = BaseClient._make_api_call

    def noted(self, operation, params):
        service = self.meta.service_model.service_name
        actions.update(ACTIONS.get((service, operation), [f"{service}:{operation}"]))
        if params.get("Tags") and operation in TAGGED:
            actions.add(TAGGED[operation])
        if any("VersionId" in each for each in params.get("Delete", {}).get("Objects", ())):
            actions.add("s3:DeleteObjectVersion")
        return make(self, operation, params)

    BaseClient._make_api_call = noted
    try:
        yield actions
    finally:
        BaseClient._make_api_call = make


class Deployer:
    """Runs the commands of the README and of daily work, in this process."""

    def __init__(self, env, folder):
        self.config = folder / "config.yml"
        self.config.write_text(
            f"s3_bucket: deployed-by-{env['AWS_ACCESS_KEY_ID'].lower()}\nregion: us-east-1\n"
            "google_oauth_client_id: 1-a.apps.googleusercontent.com\npush: true\n"
        )
        self.env = env | {"LAMBDA_CHAT_CONFIG": str(self.config)}
        self.functions = folder / "lambda"
        shutil.copytree(ROOT / "lambda", self.functions)

    def must(self, done):
        assert done.returncode == 0, f"{done.args}: {done.stdout}{done.stderr}"
        return done

    def resources(self, *words):
        return self.must(run_here(partial(resources.main, list(words)), self.env))

    def kappa(self, *words):
        for name in ("sns", "dynamodb"):
            path = self.functions / name / "config.yml"
            self.must(run_kappa([path, *words], self.env))

    def change(self):
        """Change a value, settings, a policy, a source and the code of both functions."""
        self.config.write_text(self.config.read_text() + "history: 30\nrate_limit: 5/5s\n")
        for name in ("sns", "dynamodb"):
            folder = self.functions / name
            edit(folder / "config.yml", "memory_size: 256", "memory_size: 512")
            edit(folder / "policy.json", '"Sid": "', '"Sid": "Own')
            (folder / "code" / "more.py").write_text("MORE = 1\n")
        edit(self.functions / "dynamodb" / "config.yml", "batch_size: 100", "batch_size: 50")
        sender = "principal: sns.amazonaws.com\n"
        more = "      source_account: '111122223333'\n"
        edit(self.functions / "sns" / "config.yml", sender, sender + more)

    def leave_old_file(self):
        """Put a file into the bucket that the page has not used for long."""
        s3 = Aws("us-east-1").client("s3")
        bucket = read_config().s3_bucket
        s3.put_object(Bucket=bucket, Key="js/old.js", Body=b"")
        run = {"run": "before", "superseded": {"js/old.js": "2026-01-01T00:00:00Z"}}
        s3.put_object(Bucket=bucket, Key=publish.RUN_KEY, Body=json.dumps(run).encode())
        return 0

    def all(self):
        """Run all commands; return the actions of each part."""
        with recording() as stack:
            for words in (["launch", "--wait"], ["output", "--save"], ["status"]):
                self.resources(*words)
            self.config.write_text(self.config.read_text() + "data_prefix: talk/\n")
            self.resources("update", "--wait")
        with recording() as functions:
            self.kappa("create")
            for words in (["invoke"], ["invoke_async"], ["dryrun"], ["add_event_sources"]):
                self.kappa(*words)
            self.change()
            for words in (
                ["deploy"],
                ["diff"],
                ["deploy", "--publish"],
                ["update_code"],
                ["update_event_sources"],
                ["status"],
                ["event_source_status"],
                ["disable_event_sources"],
                ["enable_event_sources"],
                ["versions"],
                ["logs"],
                ["metrics"],
                ["remove_event_sources"],
            ):
                self.kappa(*words)
        run_here(self.leave_old_file, self.env)
        with recording() as page:
            self.must(run_here(partial(publish.main, []), self.env))
        with recording() as last:
            self.kappa("delete")
        functions |= last
        with recording() as last:
            self.resources("delete", "--yes", "--wait")
        stack |= last
        return {"stack": stack, "functions": functions, "page": page}


def edit(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} has no {old}"
    path.write_text(text.replace(old, new))


def documents(actions):
    """Turn the actions of each part into a policy document."""
    parts = {part: statements({*needed, *MORE[part]}) for part, needed in actions.items()}
    # kappa's roles have a path, CloudFormation's have none
    by_stack = json.dumps(statements(of_cloudformation(), BY_CLOUDFORMATION))
    parts["stack"] += json.loads(by_stack.replace("role/kappa/", "role/"))
    return {part: {"Version": "2012-10-17", "Statement": parts[part]} for part in parts}


def statements(actions, condition=None):
    """Group actions by the resources that they can be limited to; iam:PassRole stands alone."""
    groups = {}
    for action in sorted(actions):
        key = action.split(":")[0], resources_of(action), action == "iam:PassRole"
        groups.setdefault(key, []).append(action)
    result = []
    for (_, arns, passes_role), names in sorted(groups.items()):
        statement = {"Effect": "Allow", "Action": names, "Resource": list(arns)}
        if passes_role:
            statement["Condition"] = {
                "StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}
            }
        elif condition:
            statement["Condition"] = condition
        result.append(statement)
    return result


@cache
def reference():
    return json.loads((CFNLINT / "AdditionalSpecs" / "Policies.json").read_text())


def resources_of(action):
    service, name = action.split(":")
    types = reference()[service]["Actions"][name.lower()].get("Resources", [])
    arns = {arn for kind in types for arn in ARNS.get((service, kind.lower()), [])}
    return tuple(sorted(arns)) or ("*",)


def of_cloudformation():
    """The actions that CloudFormation takes with the caller's rights."""
    template = json.loads(resources.template())
    types = {resource["Type"] for resource in template["Resources"].values()}
    actions = set()
    for path in (CFNLINT / "schemas" / "resources").glob("*.json"):
        text = path.read_text()
        if not any(f'"{name}"' in text for name in types):
            continue
        schema = json.loads(text)
        if schema.get("typeName") not in types:
            continue
        service = schema["typeName"].split("::")[1].lower()
        for handler in ("create", "read", "update", "delete"):
            named = schema["handlers"].get(handler, {}).get("permissions", [])
            actions.update(action for action in named if action.startswith(f"{service}:"))
    return {
        action
        for action in actions
        if not UNUSED.fullmatch(action.split(":")[1])
        and action.split(":")[1].lower() in known(action)
    }


def known(action):
    return reference()[action.split(":")[0]]["Actions"]


def written(document):
    return json.dumps(document, indent=2) + "\n"


def main():
    """Write the documents; run the commands as the account's root, which may do everything."""
    emulator = EmulatedAws(os.environ["AWS_ENDPOINT_URL"])
    with tempfile.TemporaryDirectory() as folder:
        actions = Deployer(emulator.env("640000000001"), Path(folder)).all()
    FOLDER.mkdir(exist_ok=True)
    for part, document in documents(actions).items():
        (FOLDER / f"{part}.json").write_text(written(document))


if __name__ == "__main__":
    sys.exit(main())
