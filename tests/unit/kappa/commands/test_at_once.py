"""deploy, twice at once: what the other one has made as we want it, is ours."""

from contextlib import nullcontext

import pytest

from kappa.arn import Place
from kappa.commands.deploy_plan import plan_deploy
from kappa.config.model import Async, Cors, Url
from kappa.errors import AwsError, Conflict, NotFound
from kappa.iam.plan import plan_rights, plan_rights_update
from kappa.iam.state import IamState, PolicyState, RoleState
from kappa.plan.apply import apply
from kappa.plan.step import Step
from local.testkit.events import ACCOUNT
from tests.support.builders import OWNER, kappa_config
from tests.support.kappa.account import REGION, Account, clock, conflict
from tests.support.kappa.sessions import carry_out, deploy, session_of

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
SOURCES = (
    {"arn": TOPIC},
    {"arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders", "batch_size": 5},
    {"arn": "arn:aws:s3:::photos", "events": ("s3:ObjectCreated:*",)},
    {"name": "nightly", "schedule": "rate(1 day)"},
)


def session(aws, image="1", **function):
    whole = {
        "sources": SOURCES,
        "grants": ({"statement_id": "partner", "principal": "210987654321"},),
        "url": Url(auth="NONE", cors=Cors(allow_origins=("https://example.com",))),
        "async_": Async(maximum_retry_attempts=1),
        "publish": True,
        "alias": "live",
        "timeout": 10,
        "tags": {"team": "chat"},
    }
    return session_of(aws, image, **whole | function)


def at_once(mine, theirs):
    """Plan both, then carry both out: neither plan knows what the other one makes."""
    plans = [plan_deploy(one) for one in (theirs, mine)]
    carry_out(theirs, plans[0])
    return carry_out(mine, plans[1])


def fresh():
    return Account([TOPIC], ["photos"])


def test_the_second_of_two_first_deploys_at_once_finds_all_made():
    aws = fresh()
    marks = dict(reversed(one) for one in at_once(session(aws), session(aws)))
    assert marks["function greeter"] == "exists"
    assert marks["alias live: version 1"] == "exists"
    address = aws.urls["live"]["FunctionUrl"]
    assert marks[f"function URL {address} (anyone may call it)"] == "exists"
    assert marks["permission partner for 210987654321"] == "exists"
    assert marks["event source sqs orders"] == "exists"
    assert marks["event source s3 photos"] == "exists"
    again = plan_deploy(session(aws))
    assert [item for item in again if isinstance(item, Step)] == []


@pytest.mark.parametrize("mine", [{"image": "2"}, {"timeout": 11}, {"tags": {"team": "other"}}])
def test_a_function_that_another_deploy_made_otherwise_is_an_error_with_a_hint(mine):
    aws = fresh()
    with pytest.raises(Conflict, match="Function already exist") as error:
        at_once(session(aws, **mine), session(aws))
    assert "run the same command again" in error.value.hint


def with_function():
    aws = fresh()
    deploy(aws, timeout=10, tags={"team": "chat"}, async_=Async(maximum_retry_attempts=1))
    return aws


def test_an_alias_that_another_deploy_made_for_another_version_is_an_error_with_a_hint():
    aws = with_function()
    mine, theirs = session(aws), session(aws)
    plan = plan_deploy(mine)
    carry_out(theirs, plan_deploy(theirs))
    aws.aliases["live"] = "7"
    with pytest.raises(Conflict, match="Alias already exists") as error:
        carry_out(mine, plan)
    assert "another version: run the same command again" in error.value.hint


@pytest.mark.parametrize(
    ("mine", "what"),
    [
        ({"url": Url(auth="NONE", cors=Cors(allow_origins=("*",)))}, "FunctionUrlConfig exists"),
        ({"grants": ({"statement_id": "partner", "principal": "*", "public": True},)}, "partner"),
    ],
)
def test_what_another_deploy_made_otherwise_is_an_error_with_a_hint(mine, what):
    aws = with_function()
    with pytest.raises(Conflict, match=what) as error:
        at_once(session(aws, **mine), session(aws))
    assert "run the same command again" in error.value.hint


class Rights:
    """IAM behind Aws.call, where a role and a policy were made a moment ago."""

    def __init__(self, role, document):
        self.role, self.document = role, document

    def __call__(self, service, operation, doing, params):
        if operation in ("create_role", "create_policy"):
            raise conflict(f"{params} already exists.", "EntityAlreadyExists")
        if operation == "get_role":
            if self.role is None:
                raise NotFound("no such role", code="NoSuchEntity")
            return {"Role": {"Path": "/kappa/", **self.role}}
        if operation == "get_policy_version":
            return {"PolicyVersion": {"IsDefaultVersion": True, "Document": self.document}}
        assert operation == "attach_role_policy"
        return {}


PLACE = Place("aws", REGION, ACCOUNT)
DOCUMENT = {"Version": "2012-10-17", "Statement": []}
CONFIG = kappa_config(policy={"name": "greeter-policy", "document": "policy.json"})


def made(plan, **changes):
    (step,) = [step for step in plan if step.operation == "create_role"]
    return {"Tags": step.params["Tags"], **changes}


def test_a_role_and_a_policy_that_another_deploy_made_alike_are_ours():
    plan, reports = plan_rights(CONFIG, DOCUMENT, PLACE, IamState(), OWNER), []
    apply(plan, Rights(made(plan), DOCUMENT), reports.append, clock())
    assert [one.mark for one in reports] == ["exists", "exists", "attached"]


FULL = AwsError("Cannot exceed quota for PolicySize.", code="LimitExceeded")


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        ({"IsDefaultVersion": True, "Document": {"Statement": [1]}}, "exists"),
        ({"IsDefaultVersion": True, "Document": DOCUMENT}, ""),
        ({"IsDefaultVersion": False, "Document": {"Statement": [1]}}, ""),
        (NotFound("no such version", code="NoSuchEntity"), ""),
    ],
)
def test_a_fifth_version_of_a_policy_is_found_made_where_the_answer_was_lost(answer, mark):
    arn = PLACE.policy("/kappa/", "greeter-policy")
    has = PolicyState(arn, DOCUMENT, "v9", ("v10", "v8", "v6", "v5"), 1, OWNER.tags)
    role = RoleState(PLACE.role("/kappa/", "greeter-role"), (arn,), tags=OWNER.tags)
    plan = plan_rights_update(CONFIG, {"Statement": [1]}, PLACE, IamState(has, role), OWNER)
    reports = []

    def call(service, operation, doing, params):
        if operation == "create_policy_version":
            raise FULL
        if operation == "get_policy_version":
            assert params["VersionId"] == "v11"
            if isinstance(answer, Exception):
                raise answer
            return {"PolicyVersion": answer}
        return {}

    with nullcontext() if mark else pytest.raises(AwsError, match="Cannot exceed quota"):
        apply(plan, call, reports.append, clock())
    assert [one.mark for one in reports] == ["removed", *([mark] if mark else [])]


@pytest.mark.parametrize(
    ("role", "document", "kind"),
    [
        ({}, {**DOCUMENT, "Statement": [{}]}, "create_policy"),
        ({"Tags": []}, DOCUMENT, "create_role"),
        ({"Tags": [{"Key": "kappa:region", "Value": "eu-west-1"}]}, DOCUMENT, "create_role"),
        ({"Path": "/others/"}, DOCUMENT, "create_role"),
        (None, DOCUMENT, "create_role"),
    ],
)
def test_a_role_or_a_policy_that_another_made_otherwise_is_an_error_with_a_hint(
    role, document, kind
):
    plan, reports = plan_rights(CONFIG, DOCUMENT, PLACE, IamState(), OWNER), []
    there = None if role is None else made(plan, **role)
    with pytest.raises(Conflict) as error:
        apply(plan, Rights(there, document), reports.append, clock())
    assert "run the same command again" in error.value.hint
    assert len(reports) == (0 if kind == "create_policy" else 1)
