"""A status as data and as a table."""

from kappa.function import FunctionState
from kappa.iamstate import IamState, PolicyState, RoleState
from kappa.permissions import Statement
from kappa.report import padded, status_data, status_table
from kappa.sourcestate import SourcesState, Topic
from tests.builders import kappa_config

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
    "LastModified": "2026-01-01T12:00:00.000+0000",
}
POLICY = {"name": "greeter-policy", "document": "policy.json"}


def data_of(config, rights=None, function=None, sources=None):
    parts = (rights or IamState(), function or FunctionState(), sources or SourcesState())
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
    role = RoleState("arn:aws:iam::123456789012:role/kappa/greeter-role")
    grant = Statement("sns", "sns.amazonaws.com", "lambda:InvokeFunction", TOPIC)
    data = data_of(config, IamState(policy, role), FunctionState(SETTINGS, (grant,)))
    assert status_table(data, config) == [
        ("policy", "greeter-policy", "there", "v2, attached 1x"),
        ("role", "greeter-role", "there", role.arn),
        (
            "function",
            "greeter",
            "Active",
            "python3.13  128 MB  3 s  1.2 kB  changed 2026-01-01T12:00:00Z",
        ),
        ("permission", "sns", "there", f"sns.amazonaws.com {TOPIC}"),
    ]


def test_an_update_under_way_is_shown():
    config = kappa_config()
    updating = FunctionState({**SETTINGS, "LastUpdateStatus": "InProgress"})
    data = data_of(config, function=updating)
    assert status_table(data, config)[1][2] == "Active, update InProgress"


def test_a_subscription_is_shown_whether_confirmed_pending_or_gone():
    def state(sources):
        return source_of(TOPIC, sources)[0]["state"]

    assert state(SourcesState(topics={TOPIC: Topic(f"{TOPIC}:1")})) == "Subscribed"
    assert state(SourcesState(topics={TOPIC: Topic("PendingConfirmation")})) == (
        "PendingConfirmation"
    )
    assert state(SourcesState(topics={TOPIC: Topic()})) == "missing"
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
