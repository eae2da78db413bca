"""A status as data and as a table."""

from dataclasses import replace as replace_settings

import pytest
from msgspec.structs import replace

from kappa.commands.status import padded, status_data, status_table
from kappa.config.model import Async
from kappa.errors import Denied, NotFound
from kappa.function.permissions import Statement, read_statement
from kappa.function.state import FunctionState
from kappa.function.version_state import VersionsState
from kappa.iam.state import IamState, PolicyState, RoleState, read_rights, read_roles
from kappa.sources.sns import Topic
from kappa.sources.state import SourcesState
from tests.support.builders import kappa_config

TOPIC = "arn:aws:sns:us-east-1:123456789012:news"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
SETTINGS = {
    "FunctionName": "greeter",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:greeter",
    "Runtime": "python3.13",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "MemorySize": 128,
    "Timeout": 3,
    "CodeSize": 1234,
    "CodeSha256": "3f2a91bcAAAA=",
    "Architectures": ["arm64"],
    "LastModified": "2026-01-01T12:00:00.000+0000",
}
POLICY = {"name": "greeter-policy", "document": "policy.json"}
USED_ROLE = kappa_config(role={"arn": "arn:aws:iam::123456789012:role/greeter-role"})


def data_of(config, rights=None, function=None, sources=None):
    given = IamState(None, RoleState(config.role.arn)) if config.role.arn else IamState()
    parts = (rights or given, function or FunctionState(), sources or SourcesState())
    return status_data(config, *parts)


def source_of(arn, sources):
    return data_of(kappa_config({"sources": [{"arn": arn}]}), sources=sources)["event_sources"]


def test_nothing_there_is_null_and_missing():
    config = kappa_config({"sources": [{"arn": STREAM}]}, policy=POLICY)
    data = data_of(config)
    assert (data["policy"], data["role"], data["function"]) == (None, None, None)
    states = [row[2] for row in status_table(data, config)]
    assert states == ["missing"] * 4


def test_a_table_names_each_part_with_its_state():
    config = kappa_config(policy=POLICY)
    policy = PolicyState("arn:aws:iam::123456789012:policy/kappa/greeter-policy", {}, "v2", (), 1)
    role = RoleState("arn:aws:iam::123456789012:role/kappa/greeter-role", (policy.arn,), ("extra",))
    grant = Statement("sns", "sns.amazonaws.com", "lambda:InvokeFunction", TOPIC)
    data = data_of(config, IamState(policy, role), FunctionState(SETTINGS, (grant,)))
    assert status_table(data, config) == [
        ("policy", "greeter-policy", "there", "v2  attached 1x"),
        ("role", "greeter-role", "there", "greeter-policy  extra"),
        (
            "function",
            "greeter",
            "Active",
            "python3.13  arm64  128 MB  3 s  1.2 kB  sha256 3f2a91bc  changed 2026-01-01T12:00:00Z",
        ),
        ("permission", "sns", "there", f"sns.amazonaws.com  {TOPIC}"),
    ]


def test_a_denial_is_not_shown_as_a_permission():
    raw = {"Sid": "no", "Effect": "Deny", "Principal": "*", "Action": "lambda:*"}
    config = kappa_config()
    data = data_of(config, function=FunctionState(SETTINGS, (read_statement(raw, "greeter"),)))
    assert data["permissions"][0]["foreign"] == raw
    assert status_table(data, config)[-1][3] == "Deny  more than a config can express (--json)"


def test_an_update_under_way_is_shown():
    config = kappa_config()
    updating = FunctionState({**SETTINGS, "LastUpdateStatus": "InProgress"})
    data = data_of(config, function=updating)
    assert status_table(data, config)[1][2] == "Active, update InProgress"


def test_a_subscription_is_shown_whether_confirmed_pending_or_gone():
    def state(sources):
        return source_of(TOPIC, sources)[0]["state"]

    assert state(SourcesState(current={TOPIC: Topic({"": f"{TOPIC}:1"})})) == "Subscribed"
    assert state(SourcesState(current={TOPIC: Topic({"": "PendingConfirmation"})})) == (
        "PendingConfirmation"
    )
    assert state(SourcesState(current={TOPIC: Topic()})) == "missing"
    assert state(SourcesState()) == "topic is gone"


def test_a_mapping_that_the_config_does_not_name_is_shown_too():
    extra = {"UUID": "1", "EventSourceArn": STREAM, "State": "Enabled", "BatchSize": 5}
    config = kappa_config()
    data = data_of(config, sources=SourcesState((extra,)))
    assert data["event_sources"][0]["configured"] is False
    assert "not in the config" in status_table(data, config)[-1][3]


def test_columns_have_one_width():
    rows = padded([("a", "long name", "x", "1"), ("abc", "b", "there", "2")])
    assert rows == [("a  ", "long name", "x    ", "1"), ("abc", "b        ", "there", "2")]


def test_details_are_broken_between_facts_where_a_line_is_too_long():
    row = ("function", "greeter", "Active", "python3.13  arm64  128 MB  3 s  changed now")
    (shown,) = padded([row], 50)
    assert shown[3] == "python3.13  arm64\n          128 MB  3 s  changed now"
    text = "  ".join(shown)
    assert max(map(len, text.splitlines())) <= 50
    (long,) = padded([("a", "b" * 60, "c", "one  two")], 50)
    assert long[3] == "\n   one  two"


def problems_of(config, **state):
    return data_of(config, **state)["problems"]


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


def test_an_alias_says_its_version_and_whether_the_function_has_changed_since():
    config = kappa_config({"alias": "current"})
    alias = {"Name": "current", "FunctionVersion": "3"}
    state = VersionsState(SETTINGS, ({**SETTINGS, "Version": "3"},), (alias,))
    data = data_of(config, function=FunctionState(SETTINGS, versions=state))
    assert data["alias"] == {"name": "current", "version": "3", "weights": {}, "is_current": True}
    assert status_table(data, config)[2] == (
        "alias",
        "current",
        "version 3",
        "as the function is now",
    )
    alias["RoutingConfig"] = {"AdditionalVersionWeights": {"2": 0.1}}
    changed = replace_settings(state, latest={**SETTINGS, "Timeout": 9})
    data = data_of(config, function=FunctionState(SETTINGS, versions=changed))
    assert status_table(data, config)[2][3] == "10% to version 2  the function has changed since"


def test_asynchronous_settings_are_shown_in_words():
    config = kappa_config({"async_": Async(maximum_retry_attempts=1)})
    settings = {
        "MaximumRetryAttempts": 1,
        "MaximumEventAgeInSeconds": 3600,
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:1:failed"}},
    }
    data = data_of(config, function=FunctionState(SETTINGS, asynchronous=settings))
    assert status_table(data, config)[2][2:] == (
        "there",
        "1 retries  within 60 min  then to failed",
    )
    assert "asynchronous settings of greeter: missing" in problems_of(config)


def test_nothing_to_show_takes_no_columns():
    assert padded([]) == []


class Iam:
    """Answers for one role that is there, is not there, or may not be read."""

    def __init__(self, answer):
        self.answer = answer

    def call(self, service, operation, _doing, params):
        assert (service, operation, params) == ("iam", "get_role", {"RoleName": "greeter-role"})
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Role": {"Arn": self.answer}}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (USED_ROLE.role.arn, "there"),
        (NotFound("no such role", code="NoSuchEntity"), "missing"),
        ("arn:aws:iam::123456789012:role/other/greeter-role", "missing"),
        (Denied("may not", code="AccessDenied"), "unknown"),
    ],
)
def test_a_role_that_is_given_is_looked_up(answer, state):
    aws = Iam(answer)
    rights = read_rights(aws, USED_ROLE, None, read_roles(aws, USED_ROLE, inline=True))
    data = data_of(USED_ROLE, rights)
    (row,) = [row for row in status_table(data, USED_ROLE) if row[0] == "role"]
    assert row[2] == state
    assert ("role greeter-role: missing" in data["problems"]) == (state == "missing")


def test_a_policy_that_is_not_attached_is_a_problem():
    config = kappa_config(policy=POLICY)
    policy = PolicyState("arn:aws:iam::123456789012:policy/kappa/greeter-policy", {})
    role = RoleState("arn:aws:iam::123456789012:role/kappa/greeter-role", ("arn:aws:iam::aws:x",))
    for attached, problems in (
        (role.attached, ["policy greeter-policy: not attached to the role greeter-role"]),
        ((policy.arn,), []),
    ):
        rights = IamState(policy, replace_settings(role, attached=attached))
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
    other = replace_settings(shop, principal="arn:aws:iam::111111111111:root")
    assert problems(other) == ["permission shop: differs"]


def test_a_source_that_is_on_while_the_config_says_disabled_is_a_problem():
    section = kappa_config({"sources": [{"arn": STREAM, "enabled": False}]}).function
    config = replace(USED_ROLE, function=section)
    found = problems_of(
        config, function=FunctionState(SETTINGS), sources=SourcesState((mapping(),))
    )
    assert found == ["event source clicks: enabled, and the config says disabled"]
    extra = SourcesState((mapping(State="Disabled"), mapping(EventSourceArn=f"{STREAM}-2")))
    assert problems_of(config, function=FunctionState(SETTINGS), sources=extra) == []
