"""Old versions that something invokes by their number stay."""

import pytest

from kappa.commands.deploy_plan import plan_deploy
from kappa.commands.session import Session
from kappa.errors import Denied
from kappa.plan.apply import apply
from tests.support.builders import kappa_config
from tests.support.kappa.account import ROLE, Account, clock

QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
TOPIC = "arn:aws:sns:us-east-1:123456789012:news"


class Versions:
    """A function that is published again and again, and keeps the newest version only."""

    def __init__(self):
        self.aws = Account()

    def deploy(self, number):
        uri = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:{number}"
        config = kappa_config(
            {
                "path": "",
                "handler": "",
                "runtime": "",
                "image": {"uri": uri},
                "publish": True,
                "keep_versions": 1,
            },
            role={"arn": ROLE},
        )
        reports = []
        plan = plan_deploy(Session(config, self.aws))
        apply(plan, self.aws.call, reports.append, clock())
        return [one.message for one in reports if one.mark == "kept"]


def test_an_old_version_that_nothing_invokes_goes():
    one = Versions()
    for number in (1, 2, 3):
        assert one.deploy(number) == []
    assert list(one.aws.versions) == ["3"]


def test_a_version_that_an_event_source_polls_for_stays():
    one = Versions()
    one.deploy(1)
    one.aws.lambda_create_event_source_mapping("greeter:1", EventSourceArn=QUEUE)
    (kept,) = one.deploy(2)
    assert kept == "version 1 of greeter (event source sqs orders invokes it)"
    one.deploy(3)
    assert list(one.aws.versions) == ["1", "3"]
    one.aws.mappings.clear()
    assert one.deploy(4) == []
    assert list(one.aws.versions) == ["4"]


def test_a_mapping_of_another_version_does_not_keep_one():
    one = Versions()
    one.deploy(1)
    one.aws.lambda_create_event_source_mapping("greeter", EventSourceArn=QUEUE)
    assert one.deploy(2) == []


@pytest.mark.parametrize(
    ("principal", "source"), [("sns.amazonaws.com", TOPIC), ("123456789012", "")]
)
def test_a_version_that_somebody_may_invoke_by_its_number_stays(principal, source):
    one = Versions()
    one.deploy(1)
    given = {"Principal": principal, "Action": "lambda:InvokeFunction", "SourceArn": source}
    one.aws.lambda_add_permission("greeter", "news", Qualifier="1", **given)
    (kept,) = one.deploy(2)
    assert kept.startswith("version 1 of greeter (permission news for ")
    assert list(one.aws.versions) == ["1", "2"]


def test_a_version_whose_users_may_not_be_seen_stays():
    one = Versions()
    one.deploy(1)

    def refuse(**_):
        raise Denied("AWS refused listing the event sources", code="AccessDenied")

    one.aws.lambda_list_event_source_mappings = refuse
    (kept,) = one.deploy(2)
    assert kept.endswith("(what invokes it cannot be seen: AWS refused listing the event sources)")
