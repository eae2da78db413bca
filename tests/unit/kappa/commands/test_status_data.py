"""A status as data, and the problems that it names."""

from msgspec.structs import replace

from kappa.commands.status_table import status_table
from kappa.function.permissions import Statement
from kappa.function.state import FunctionState
from kappa.iam.state import IamState, PolicyState, RoleState
from kappa.sources.sns import Topic
from kappa.sources.state import SourcesState
from tests.support.builders import kappa_config
from tests.support.kappa.event_sources import STREAM, TOPIC
from tests.support.kappa.status import (
    POLICY,
    SETTINGS,
    USED_ROLE,
    data_of,
    problems_of,
)


def source_of(arn, sources):
    return data_of(kappa_config({"sources": [{"arn": arn}]}), sources=sources)["event_sources"]


def test_nothing_there_is_null_and_missing():
    config = kappa_config({"sources": [{"arn": STREAM}]}, policy=POLICY)
    data = data_of(config)
    assert (data["policy"], data["role"], data["function"]) == (None, None, None)
    states = [row[2] for row in status_table(data, config)]
    assert states == ["missing"] * 4


def test_a_subscription_is_shown_whether_confirmed_pending_or_gone():
    def state(sources):
        return source_of(TOPIC, sources)[0]["state"]

    assert state(SourcesState(current={TOPIC: Topic({"": f"{TOPIC}:1"})})) == "Subscribed"
    assert state(SourcesState(current={TOPIC: Topic({"": "PendingConfirmation"})})) == (
        "PendingConfirmation"
    )
    assert state(SourcesState(current={TOPIC: Topic()})) == "missing"
    assert state(SourcesState()) == "topic is gone"


def test_all_that_is_missing_is_a_problem():
    config = kappa_config({"alias": "current", "sources": [{"arn": STREAM}]}, policy=POLICY)
    assert problems_of(config) == [
        "policy greeter-policy: missing",
        "role greeter-role: missing",
        "function greeter: missing",
        "alias current: missing",
        "event source clicks: missing",
    ]


def test_a_failed_function_says_why():
    failed = {"State": "Failed", "StateReason": "no ENI", "LastUpdateStatus": "Failed"}
    function = FunctionState({**SETTINGS, **failed, "LastUpdateStatusReason": "no key"})
    assert problems_of(USED_ROLE, function=function) == [
        "function greeter failed: no ENI",
        "the last update of greeter failed: no key",
    ]


def mapping(**changes):
    return {"UUID": "1", "EventSourceArn": STREAM, "State": "Enabled", "BatchSize": 5, **changes}


def test_a_source_whose_last_batch_failed_is_a_problem():
    failing = SourcesState((mapping(LastProcessingResult="PROBLEM: Function call failed"),))
    config = replace(USED_ROLE, function=kappa_config({"sources": [{"arn": STREAM}]}).function)
    assert problems_of(config, function=FunctionState(SETTINGS), sources=failing) == [
        "event source clicks: PROBLEM: Function call failed"
    ]


def test_a_source_that_somebody_disabled_is_a_problem_unless_the_config_says_so():
    disabled = SourcesState((mapping(State="Disabled"),))
    for wanted in (True, False):
        section = kappa_config({"sources": [{"arn": STREAM, "enabled": wanted}]}).function
        config = replace(USED_ROLE, function=section)
        found = problems_of(config, function=FunctionState(SETTINGS), sources=disabled)
        assert bool(found) == wanted


def test_all_well_is_no_problem():
    assert problems_of(USED_ROLE, function=FunctionState(SETTINGS)) == []


def test_a_policy_that_is_not_attached_is_a_problem():
    config = kappa_config(policy=POLICY)
    policy = PolicyState("arn:aws:iam::123456789012:policy/kappa/greeter-policy", {})
    role = RoleState("arn:aws:iam::123456789012:role/kappa/greeter-role", ("arn:aws:iam::aws:x",))
    for attached, problems in (
        (role.attached, ["policy greeter-policy: not attached to the role greeter-role"]),
        ((policy.arn,), []),
    ):
        rights = IamState(policy, replace(role, attached=attached))
        assert problems_of(config, rights=rights, function=FunctionState(SETTINGS)) == problems


def test_a_permission_of_the_config_that_aws_has_not_so_is_a_problem():
    grants = [{"statement_id": "shop", "principal": "210987654321"}]
    config = replace(USED_ROLE, function=kappa_config({"grants": grants}).function)

    def problems(*statements, read=True):
        sources = SourcesState(statements={"": statements} if read else {})
        return problems_of(config, function=FunctionState(SETTINGS, statements), sources=sources)

    shop = Statement("shop", "arn:aws:iam::210987654321:root", "lambda:InvokeFunction")
    assert problems(shop) == []
    assert problems(read=False) == []
    assert problems() == ["permission shop: missing"]
    other = replace(shop, principal="arn:aws:iam::111111111111:root")
    assert problems(other) == ["permission shop: differs"]


def test_a_source_that_is_on_while_the_config_says_disabled_is_a_problem():
    section = kappa_config({"sources": [{"arn": STREAM, "enabled": False}]}).function
    config = replace(USED_ROLE, function=section)
    found = problems_of(
        config, function=FunctionState(SETTINGS), sources=SourcesState((mapping(),))
    )
    assert found == ["event source clicks: enabled, but disabled in the config"]
    extra = SourcesState((mapping(State="Disabled"), mapping(EventSourceArn=f"{STREAM}-2")))
    assert problems_of(config, function=FunctionState(SETTINGS), sources=extra) == []
