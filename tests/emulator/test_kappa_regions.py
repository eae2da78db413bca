"""The chat's function in two regions of one account, with one stack_name."""

import json
from pathlib import Path

import pytest

from tests.support.builders import run_kappa

CONFIG = """\
s3_bucket: lambda-chat-page
google_oauth_client_id: 1-a.apps.googleusercontent.com
region: REGION
stack_name: Tea
sns_topic_arn: arn:aws:sns:REGION:ACCOUNT:Tea-messages
identity_iam_role_arn: arn:aws:iam::ACCOUNT:role/Tea-identity
failures_topic_arn: arn:aws:sns:REGION:ACCOUNT:Tea-failures
dynamodb_table: Tea-messages
dynamodb_table_arn: arn:aws:dynamodb:REGION:ACCOUNT:table/Tea-messages
dynamodb_stream_arn: arn:aws:dynamodb:REGION:ACCOUNT:table/Tea-messages/stream/2026
rate_table: Tea-rates
rate_table_arn: arn:aws:dynamodb:REGION:ACCOUNT:table/Tea-rates
"""
REGIONS = HERE, THERE = ("us-east-1", "eu-west-1")
NAME = "Tea-store-message"
KAPPA_CONFIG = Path(__file__).parents[2] / "lambda" / "sns" / "config.yml"


class Chat:
    """One config.yml for each region, all with the same names."""

    def __init__(self, folder, emulator, account):
        self.emulator, self.account, self.files = emulator, account, {}
        for region in REGIONS:
            self.files[region] = folder / f"{region}.yml"
            text = CONFIG.replace("REGION", region).replace("ACCOUNT", account)
            self.files[region].write_text(text)

    def kappa(self, region, command):
        env = self.emulator.env(self.account) | {"LAMBDA_CHAT_CONFIG": str(self.files[region])}
        done = run_kappa([KAPPA_CONFIG, command], env)
        assert done.returncode == 0, done.stderr
        return done.marks

    def client(self, service, region=REGIONS[0]):
        return self.emulator.client(service, self.account, region_name=region)

    def tables(self, region):
        """The regions of the tables in the function's policies; None without a function."""
        lambda_, iam = self.client("lambda", region), self.client("iam")
        listed = lambda_.list_functions()["Functions"]
        if not listed:
            return None
        role = listed[0]["Role"].rsplit("/", 1)[-1]
        found = set()
        for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            arn = one["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
            text = json.dumps(answer["PolicyVersion"]["Document"])
            found |= {region for region in REGIONS if f"arn:aws:dynamodb:{region}:" in text}
        return found

    def made(self):
        iam = self.client("iam")
        roles, policies = iam.list_roles()["Roles"], iam.list_policies(Scope="Local")["Policies"]
        return sorted(
            [one["RoleName"] for one in roles if one["Path"] == "/kappa/"]
            + [one["PolicyName"] for one in policies]
        )

    def forget_tags(self):
        """Change the resources into those of an older kappa."""
        iam = self.client("iam")
        iam.untag_role(RoleName=NAME, TagKeys=["kappa:region"])
        arn = f"arn:aws:iam::{self.account}:policy/kappa/{NAME}"
        iam.untag_policy(PolicyArn=arn, TagKeys=["kappa:region"])


@pytest.fixture
def chat(tmp_path, emulator, request):
    number = sum(request.node.name.encode())
    return Chat(tmp_path, emulator, f"4612{number:08d}")


@pytest.mark.parametrize("first", REGIONS)
def test_a_chat_in_each_region_lives_and_ends_alone(chat, first):
    second = REGIONS[1 - REGIONS.index(first)]
    for region in (first, second):
        chat.client("sns", region).create_topic(Name="Tea-messages")
        for command in ("create", "update_code", "deploy"):
            chat.kappa(region, command)
            assert chat.tables(region) == {region}
    assert chat.made() == sorted([NAME, f"{NAME}-{second}"] * 2)
    assert chat.tables(first) == {first}
    chat.kappa(first, "delete")
    assert (chat.tables(first), chat.tables(second)) == (None, {second})
    chat.kappa(second, "deploy")
    chat.kappa(first, "create")
    assert (chat.tables(first), chat.tables(second)) == ({first}, {second})
    for region in (second, first):
        chat.kappa(region, "delete")
    assert chat.made() == []


def test_a_chat_of_an_older_kappa_is_marked_by_deploy_and_leaves_nothing(chat):
    chat.client("sns").create_topic(Name="Tea-messages")
    chat.kappa(HERE, "deploy")
    chat.forget_tags()
    assert "marked" in chat.kappa(HERE, "deploy")
    assert "marked" not in chat.kappa(HERE, "deploy")
    chat.forget_tags()
    chat.kappa(HERE, "delete")
    assert chat.made() == []


def test_two_chats_that_share_a_role_of_an_older_kappa_part_at_the_next_deploy(chat):
    for region in REGIONS:
        chat.client("sns", region).create_topic(Name="Tea-messages")
    chat.kappa(HERE, "deploy")
    chat.forget_tags()
    function = chat.client("lambda").get_function_configuration(FunctionName=NAME)
    chat.kappa(THERE, "deploy")
    chat.client("lambda", THERE).update_function_configuration(
        FunctionName=NAME, Role=function["Role"]
    )
    chat.kappa(THERE, "deploy")
    assert (chat.tables(HERE), chat.tables(THERE)) == ({HERE}, {THERE})
    chat.kappa(THERE, "delete")
    assert chat.tables(HERE) == {HERE}
    chat.kappa(HERE, "delete")
    assert chat.made() == []
