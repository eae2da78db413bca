"""A user with only the rights of docs/permissions can deploy the chat."""

import json
import re

import pytest

from tests.support.repo import deployer

ACCOUNT = "640000000002"
PARTS = ("stack", "functions", "page")


def document(part):
    return json.loads((deployer.FOLDER / f"{part}.json").read_text())


# The embedded AWS does not know the resources of these actions.
BLIND = {
    "iam:CreatePolicy",
    "lambda:CreateFunction",
    "sns:GetSubscriptionAttributes",
    "sns:Unsubscribe",
}


def as_embedded(text):
    """The same rights, widened where the embedded AWS ignores a role's path or the resource."""
    found = json.loads(text.replace("role/kappa/", "role/"))
    creations = [
        {"Effect": "Allow", "Action": [action], "Resource": ["*"]}
        for statement in found["Statement"]
        for action in statement["Action"]
        if action in BLIND
    ]
    return json.dumps(found | {"Statement": found["Statement"] + creations})


def test_who_has_these_rights_can_do_everything_and_uses_all_of_them(emulator, tmp_path):
    iam = emulator.client("iam", ACCOUNT)
    iam.create_user(UserName="deployer")
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    bucket = f"deployed-by-{key['AccessKeyId'].lower()}"
    for part in PARTS:
        text = json.dumps(document(part))
        for name, value in {"REGION": "us-east-1", "ACCOUNT": ACCOUNT, "BUCKET": bucket}.items():
            text = text.replace(name, value)
        embedded = as_embedded(text)
        iam.put_user_policy(UserName="deployer", PolicyName=part, PolicyDocument=embedded)
    keys = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    used = deployer.Deployer(emulator.env(ACCOUNT) | keys, tmp_path).all()
    made = deployer.documents(used)
    assert {part: document(part) for part in PARTS} == made, (
        "the commands need other rights now; read the difference, then renew the documents:\n"
        ".venv/bin/python -m local run --quiet -- .venv/bin/python -m tests.support.repo.deployer"
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_document_names_actions_one_by_one_and_fits_into_a_managed_policy(part):
    found = document(part)
    for statement in found["Statement"]:
        for action in statement["Action"]:
            assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action)
    # IAM guide, "IAM and AWS STS quotas": 6,144 characters, white space not counted
    assert len(re.sub(r"\s", "", json.dumps(found))) <= 6144
