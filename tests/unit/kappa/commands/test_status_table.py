"""A status as a table: each part with its state, and the facts about it."""

import pytest
from msgspec.structs import replace

from kappa.commands.status_table import padded, status_table
from kappa.config.model import Async
from kappa.errors import Denied, NotFound
from kappa.function.permissions import Statement, read_statement
from kappa.function.state import FunctionState
from kappa.function.version_state import VersionsState
from kappa.iam.state import IamState, PolicyState, RoleState, read_role
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


def test_a_mapping_that_the_config_does_not_name_is_shown_too():
    extra = {"UUID": "1", "EventSourceArn": STREAM, "State": "Enabled", "BatchSize": 5}
    config = kappa_config()
    data = data_of(config, sources=SourcesState((extra,)))
    assert data["event_sources"][0]["configured"] is False
    assert "not in the config" in status_table(data, config)[-1][3]


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
    changed = replace(state, latest={**SETTINGS, "Timeout": 9})
    data = data_of(config, function=FunctionState(SETTINGS, versions=changed))
    assert status_table(data, config)[2][3] == "10% to version 2  the function has changed since"


def test_an_alias_that_the_config_does_not_name_is_shown_with_the_share_of_another_version():
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}
    listed = {
        "current": {"Name": "current", "FunctionVersion": "3"},
        "live": {"Name": "live", "FunctionVersion": "1", **weights},
    }
    config = kappa_config({"alias": "current"})
    data = data_of(config, sources=SourcesState(aliases=listed))
    assert data["other_aliases"] == [{"name": "live", "version": "1", "weights": {"2": 0.1}}]
    row = ("alias", "live", "version 1", "10% to version 2  (not in the config)")
    assert row in status_table(data, config)


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
    data = data_of(USED_ROLE, read_role(aws, USED_ROLE, inline=True))
    (row,) = [row for row in status_table(data, USED_ROLE) if row[0] == "role"]
    assert row[2] == state
    assert ("role greeter-role: missing" in data["problems"]) == (state == "missing")


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


def test_nothing_to_show_takes_no_columns():
    assert padded([]) == []


def test_a_table_may_have_fewer_columns():
    (shown,) = padded([("greeter", "Active", "sns  on live  (not in the config)")], 40)
    assert shown == ("greeter", "Active", "sns  on live\n         (not in the config)")
    assert max(map(len, "  ".join(shown).splitlines())) <= 40
