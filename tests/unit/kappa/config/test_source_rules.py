"""A config's event sources: what reads, and what is said of what does not."""

import json

import pytest

from kappa.config.read import read_config
from kappa.errors import ConfigError
from tests.support.builders import MINIMAL

ARN = "arn: arn:aws:%s:us-east-1:123456789012:%s"
STREAM = ARN % ("kinesis", "stream/s")
TABLE = ARN % ("dynamodb", "table/t/stream/2026-01-01T00:00:00.000")
TOPIC = ARN % ("sns", "t")
RULE_TEA = "arn: arn:aws:events:us-east-1:123456789012:rule/greeter-tea"
QUEUE = ARN % ("sqs", "q")
RULE = ARN % ("events", "rule/r")


@pytest.fixture
def read(tmp_path):
    def read_source(*lines, more=""):
        file = tmp_path / "config.yml"
        listed = "  event_sources:\n    - " + "\n      ".join(lines) + "\n"
        file.write_text(MINIMAL + (listed if lines else "") + more)
        return read_config(file).function

    return read_source


def source_of(function):
    (source,) = function.event_sources
    return source


def test_numbers_and_texts_of_a_pattern_stay_what_they_are(read):
    pattern = "pattern: {detail: {cups: [1, 2.5, '3', true, null], day: [{numeric: ['>', 5]}]}}"
    source = source_of(read("name: tea", pattern))
    assert json.loads(source.pattern) == {
        "detail": {"cups": [1, 2.5, "3", True, None], "day": [{"numeric": [">", 5]}]}
    }


def test_a_policy_may_be_json_in_quotes(read):
    source = source_of(read(TOPIC, """filter_policy: '{"kind": ["tea"]}'"""))
    assert json.loads(source.filter_policy) == {"kind": ["tea"]}


def test_an_empty_policy_is_said_and_an_absent_one_is_not(read):
    assert source_of(read(TOPIC, "filter_policy: {}")).filter_policy == "{}"
    assert source_of(read(TOPIC)).filter_policy == ""


def test_each_filter_becomes_json(read):
    filters = 'filter_criteria: [{body: {cups: [2]}}, \'{"body": {"cups": [3]}}\']'
    source = source_of(read(QUEUE, filters))
    assert [json.loads(one)["body"]["cups"] for one in source.filter_criteria] == [[2], [3]]


@pytest.mark.parametrize("said", ["[1, tea]", "{cups: 2}", "'7'"])
def test_an_input_may_be_any_json(read, said):
    source = source_of(read("name: tea", "schedule: rate(1 day)", f"input: {said}"))
    assert json.loads(source.input) in ([1, "tea"], {"cups": 2}, 7)


@pytest.mark.parametrize(
    "schedule",
    [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(12 hours)",
        "rate(1 day)",
        "cron(0 3 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
    ],
)
def test_a_schedule_reads(read, schedule):
    assert source_of(read("name: tea", f"schedule: {schedule}")).schedule == schedule


@pytest.mark.parametrize(
    "schedule",
    [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 days)",
        "rate(5 seconds)",
        "cron(0 3 * * *)",
        "cron(0 3 * * * *)",
        "cron(0 3 ? * ? *)",
        "every day",
    ],
)
def test_a_schedule_that_aws_would_refuse_is_said(read, schedule):
    with pytest.raises(ConfigError, match=r"config.yml:11: .*schedule is") as error:
        read("name: tea", f"schedule: {schedule}")
    assert "rate(5 minutes)" in error.value.hint


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["enabled: true"], "10: lambda.event_sources[0] needs an arn, or the name of a rule"),
        ([TOPIC, "name: tea"], "10: lambda.event_sources[0] needs an arn, or the name of a rule"),
        ([TOPIC, "batch_size: 5"], "11: lambda.event_sources[0].batch_size: a source of sns has"),
        ([TOPIC, "filter_polic: {}"], "11: unknown key lambda.event_sources[0].filter_polic."),
        ([STREAM, "filter_critera: []"], "Did you mean `filter_criteria`?"),
        ([QUEUE, "starting_position: LATEST"], "a source of sqs has no such setting"),
        ([QUEUE, "parallelization_factor: 2"], "a source of sqs has no such setting"),
        ([STREAM, "maximum_concurrency: 2"], "a source of kinesis has no such setting"),
        (
            ["self_managed_event_source: {endpoints: {KAFKA: [a:1]}}"],
            "lambda.event_sources[0].self_managed_event_source.endpoints is of the wrong kind.\n"
            "  Allowed: a mapping with KAFKA_BOOTSTRAP_SERVERS.",
        ),
        (
            [ARN % ("kafka", "cluster/c/1"), "topics: [a, b]"],
            "lambda.event_sources[0].topics is of the wrong kind.\n  Allowed: a list of at most 1",
        ),
        (
            [STREAM, "metrics_config: {metrics: [EventCounts]}"],
            "metrics_config.metrics[0] is 'EventCounts'.\n  Did you mean `EventCount`?",
        ),
        ([TOPIC, "topics: [a]"], "a source of sns has no such setting"),
        ([RULE, "events: [a]"], "a source of events has no such setting"),
        ([QUEUE, "batch_size: 10001"], "Allowed: 1 to 10000 (records)"),
        ([QUEUE, "batch_window_s: 301"], "Allowed: 0 to 300 (seconds)"),
        ([QUEUE, "maximum_concurrency: 1"], "Allowed: 2 to 1000"),
        ([STREAM, "tumbling_window_s: 901"], "Allowed: 0 to 900 (seconds)"),
        ([STREAM, "parallelization_factor: 11"], "Allowed: 1 to 10"),
        ([STREAM, "filter_criteria: [5]"], "filter_criteria[0] must be a mapping"),
        ([STREAM, "filter_criteria: ['{']"], "filter_criteria[0] is not JSON"),
        ([TOPIC, "filter_policy: [tea]"], "11: lambda.event_sources[0].filter_policy must be"),
        ([TOPIC, "filter_policy_scope: Body"], "Allowed: MessageAttributes, MessageBody"),
        ([ARN % ("dynamodb", "table/t")], "Such an ARN ends in table/NAME/stream/TIME."),
        ([ARN % ("kinesis", "streams")], "Such an ARN ends in stream/NAME."),
        ([ARN % ("events", "event-bus/b")], "Such an ARN ends in rule/NAME."),
        (["name: a b", "schedule: rate(1 day)"], "Allowed: 1 to 64 letters, digits and .-_"),
        ([f"name: {'n' * 60}", "schedule: rate(1 day)"], "would be over 64 characters"),
        (["name: tea"], "10: lambda.event_sources[0] needs a schedule or a pattern."),
        (["name: tea", "schedule: rate(1 day)", "pattern: {a: [b]}"], "not both: make two rules"),
        ([RULE, "description: mine"], "11: a rule that is just used keeps its own description"),
        (
            [RULE, "role_arn: arn:aws:iam::123456789012:role/r"],
            "11: a rule that is just used keeps its own role_arn",
        ),
        (
            [ARN % ("events", "rule/shop/nightly"), "schedule: rate(1 day)"],
            "11: only the default bus has schedules, not shop.",
        ),
        (
            [STREAM, "on_failure: arn:aws:lambda:us-east-1:123456789012:function:f"],
            "or '' for none",
        ),
        (
            [
                STREAM,
                "starting_position: AT_TIMESTAMP",
                "starting_position_timestamp: 2026-11-23T08:00:00",
            ],
            "12: lambda.event_sources[0].starting_position_timestamp: the time zone is missing",
        ),
        (
            ["name: tea", "schedule: rate(1 day)", "- name: tea", "schedule: rate(2 days)"],
            "the event source tea is given twice",
        ),
        (
            [
                "name: tea",
                "schedule: rate(1 day)",
                f"- {RULE_TEA}",
                "schedule: rate(2 days)",
            ],
            "rule/greeter-tea is given twice (before: tea)",
        ),
        (
            [RULE_TEA, f"- {RULE_TEA.replace('rule/', 'rule/default/')}"],
            "rule/default/greeter-tea is given twice",
        ),
        ([TOPIC, f"- {TOPIC}/"], "is given twice (before: arn"),
        ([f"{TOPIC}/", f"- {TOPIC}"], "is given twice (before: arn"),
        (
            [
                "arn: arn:aws:s3:::photos",
                "events: ['s3:ObjectCreated:*']",
                "- arn: arn:aws:s3:::photos/",
                "events: ['s3:ObjectRemoved:*']",
            ],
            "is given twice (before: arn:aws:s3:::photos) for the same keys",
        ),
    ],
)
def test_a_wrong_source_is_said_with_line_key_and_what_is_allowed(read, lines, said):
    joined = "\n      ".join(lines).replace("\n      - ", "\n    - ")
    with pytest.raises(ConfigError) as error:
        read(joined)
    assert said in str(error.value).split("config.yml:", 1)[1]


def test_a_url_reads(read):
    url = read(more="  url: {auth: NONE, cors: {allow_origins: ['*'], max_age_s: 60}}\n").url
    assert (url.auth, url.cors.allow_origins, url.cors.max_age_s) == ("NONE", ("*",), 60)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("{}", "lambda.url.auth is missing"),
        ("{auth: IAM}", "Did you mean `AWS_IAM`?"),
        ("{auth: open}", "Allowed: NONE, AWS_IAM"),
        ("{auth: NONE, cors: {max_age_s: 86401}}", "Allowed: 0 to 86400 (seconds)"),
        ("{auth: NONE, cors: {allow_methods: [OPTIONS]}}", "Allowed: *, DELETE, GET"),
        ("{auth: NONE, cors: {origins: []}}", "Did you mean `allow_origins`?"),
        ("{auth: NONE, invoke_mode: STREAM}", "Allowed: BUFFERED, RESPONSE_STREAM"),
    ],
)
def test_a_wrong_url_is_said(read, url, said):
    with pytest.raises(ConfigError) as error:
        read(more=f"  url: {url}\n")
    assert said in str(error.value)
