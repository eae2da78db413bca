"""The permissions in docs/kappa.md are those that kappa's calls need: none is missing."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import botocore
import botocore.session

import kappa

FOLDER = Path(kappa.__file__).parent
DOCS = FOLDER.parent / "docs" / "kappa.md"
SERVICES = (
    *("cloudformation", "cloudwatch", "events", "iam", "lambda", "logs", "s3", "secretsmanager"),
    *("sns", "ssm", "sts"),
)
# Where the action is not called as the operation is.
# Source: AWS Service Authorization Reference.
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
}
# AWS asks nobody for a permission.
FREE = {"sts:GetCallerIdentity"}
# What AWS itself does in the caller's name on the way.
ON_THE_WAY = {"iam:PassRole", "lambda:ListTags", "s3:GetObject"}


@cache
def operations(service):
    model = botocore.session.get_session().get_service_model(service)
    return {botocore.xform_name(name): name for name in model.operation_names}


def calls():
    """Each operation that a module names, with the services it may be of: those named there."""
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text())
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        for text in texts:
            found = [one for one in SERVICES if one in texts and text in operations(one)]
            if found:
                yield path.stem, {_action(one, operations(one)[text]) for one in found}


def _action(service, operation):
    action = f"{service}:{operation}"
    return ACTIONS.get(action, action)


def statements():
    (block,) = re.findall(r"```json\n(\{\n  \"Version\".*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    return json.loads(block)["Statement"]


def allowed():
    listed = [one["Action"] for one in statements()]
    return {action for one in listed for action in ([one] if isinstance(one, str) else one)}


def test_every_call_of_kappa_is_allowed():
    missing = [(module, names) for module, names in calls() if not names & (allowed() | FREE)]
    assert missing == []


def test_nothing_is_allowed_that_kappa_does_not_call():
    called = set().union(*(names for _, names in calls()))
    assert allowed() - called - ON_THE_WAY == set()


def test_no_action_is_a_wildcard():
    assert [action for action in allowed() if "*" in action] == []


def test_only_lists_and_mappings_are_of_everything():
    wide = [one["Sid"] for one in statements() if one["Resource"] == "*"]
    assert wide == ["Lists", "StreamsAndQueues"]
