"""The two config.yml and policy.json that kappa reads."""

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import iot_topics
import publish_settings
import publish_transcript
import rows
import store_message
import store_settings
import transactions
from aws_clients import NOT_SIGNED, ONE_TRY
from kappa.arn import Place
from kappa.config.policy_document import place_policy_document, read_policy_document
from kappa.config.read import read_config
from kappa.errors import ConfigError
from kappa.iam.plan import plan_rights_create
from kappa.iam.state import IamState
from lambda_chat import config as chatconfig
from tests.support.builders import OWNER
from tests.support.chat.store import ENVIRON

FUNCTIONS = ("sns", "dynamodb")
STREAM_KEEPS_S = 86_400
PLACE = Place("aws", "eu-west-1", "123456789012")
CONFIG = """\
s3_bucket: lambda-chat-page
google_oauth_client_id: 1-a.apps.googleusercontent.com
region: eu-west-1
stack_name: Tea
history: 50
sns_topic_arn: arn:aws:sns:eu-west-1:123456789012:Tea-messages
identity_iam_role_arn: arn:aws:iam::123456789012:role/Tea-identity
failures_topic_arn: arn:aws:sns:eu-west-1:123456789012:Tea-failures
dynamodb_table: Tea-messages
dynamodb_table_arn: arn:aws:dynamodb:eu-west-1:123456789012:table/Tea-messages
dynamodb_stream_arn: arn:aws:dynamodb:eu-west-1:123456789012:table/Tea-messages/stream/2026
rate_table: Tea-rates
rate_table_arn: arn:aws:dynamodb:eu-west-1:123456789012:table/Tea-rates
"""


@pytest.fixture
def configs(tmp_path, monkeypatch):
    """Both configs, filled in from one shared file."""
    shared = tmp_path / "config.yml"
    shared.write_text(CONFIG)
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(shared))
    return {name: read_config(Path("lambda") / name / "config.yml") for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_the_stack_has_not_told_yet_is_said_with_what_to_run(tmp_path, monkeypatch, name):
    shared = tmp_path / "config.yml"
    shared.write_text(Path("config.example.yml").read_text().replace("TODO", "x"))
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(shared))
    with pytest.raises(ConfigError) as caught:
        read_config(Path("lambda") / name / "config.yml")
    assert "Run `./resources.py output --save`" in str(caught.value)


def statements(name):
    return json.loads((Path("lambda") / name / "policy.json").read_text())["Statement"]


def as_list(value):
    return value if isinstance(value, list) else [value]


def test_names_begin_with_the_stack_s(configs):
    names = [(one.function.name, one.role.name, one.policy.name) for one in configs.values()]
    assert names == [("Tea-store-message",) * 3, ("Tea-publish-transcript",) * 3]


def test_the_environment_is_what_the_handlers_read(configs):
    assert configs["sns"].function.environment == {
        "TABLE_NAME": "Tea-messages",
        "RATE_TABLE": "Tea-rates",
        "IDENTITY_ROLE_ARN": "arn:aws:iam::123456789012:role/Tea-identity",
        "GOOGLE_CLIENT_ID": "1-a.apps.googleusercontent.com",
        "RETENTION_DAYS": "0",
        "RATE_LIMIT": "10/10s",
        "ALLOWED_DOMAINS": "",
    }
    assert configs["dynamodb"].function.environment == {
        "TABLE_NAME": "Tea-messages",
        "BUCKET": "lambda-chat-page",
        "DATA_PREFIX": "data/",
        "HISTORY": "50",
        "PUSH_ENDPOINT": "",
        "PUSH_TOPICS": "",
    }


PUSH = """\
push_endpoint: a1b2-ats.iot.eu-west-1.amazonaws.com
push_topics: Tea/channel/*
"""


def test_with_push_the_function_knows_where_and_what_to_publish(tmp_path, monkeypatch):
    shared = tmp_path / "config.yml"
    shared.write_text(CONFIG + PUSH)
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(shared))
    environment = read_config(Path("lambda/dynamodb/config.yml")).function.environment
    assert environment["PUSH_ENDPOINT"] == "a1b2-ats.iot.eu-west-1.amazonaws.com"
    assert environment["PUSH_TOPICS"] == "Tea/channel/*"
    read = publish_settings.read_settings(environment)
    assert (read.push_endpoint, read.push_topics) == tuple(
        environment[name] for name in ("PUSH_ENDPOINT", "PUSH_TOPICS")
    )


PLACES = [
    st.from_regex(chatconfig.PATTERNS[key][0], fullmatch=True)
    for key in ("push_endpoint", "push_topics")
]


@given(*PLACES)
def test_the_function_accepts_every_place_of_pushes_that_config_yml_accepts(endpoint, topics):
    environ = {"TABLE_NAME": "Tea-messages", "BUCKET": "lambda-chat-page"}
    environ |= {"PUSH_ENDPOINT": endpoint, "PUSH_TOPICS": topics}
    read = publish_settings.read_settings(environ)
    assert (read.push_endpoint, read.push_topics) == (endpoint, topics)


@pytest.mark.parametrize(
    ("push", "topic"), [("", "push-is-off"), (PUSH, "Tea/channel/*")], ids=["off", "on"]
)
def test_the_function_may_publish_to_the_topics_of_its_stack_and_without_push_to_none(
    tmp_path, monkeypatch, push, topic
):
    shared = tmp_path / "config.yml"
    shared.write_text(CONFIG + push)
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(shared))
    config = read_config(Path("lambda/dynamodb/config.yml"))
    document = place_policy_document(read_policy_document(config), config.values, PLACE)
    resources = [
        statement["Resource"]
        for statement in document["Statement"]
        if "iot:Publish" in as_list(statement["Action"])
    ]
    assert resources == [f"arn:aws:iot:eu-west-1:123456789012:topic/{topic}"]


def test_pushes_that_get_no_answer_leave_time_for_the_rest_of_a_batch(configs):
    function = configs["dynamodb"].function
    (stream,) = function.event_sources
    rounds = math.ceil(stream.batch_size / publish_transcript.SIDE_BY_SIDE)
    assert rounds * iot_topics.TRIES * a_try_s(ONE_TRY) < function.timeout * 2 / 3


def test_the_calls_of_a_message_fit_into_the_time_out(configs):
    """STS, then three reads and transactions, each with all its tries: lambda/sns/config.yml."""
    sts_s = NOT_SIGNED.retries["total_max_attempts"] * a_try_s(NOT_SIGNED)
    pauses_s = sum(transactions.LONGEST_PAUSE_S * 2**n for n in range(transactions.TRIES - 1))
    a_call_s = transactions.TRIES * a_try_s(ONE_TRY) + pauses_s
    longest_s = sts_s + store_message.OVERTAKEN_TRIES * 2 * a_call_s
    assert longest_s < configs["sns"].function.timeout


def a_try_s(config):
    return config.connect_timeout + config.read_timeout


def test_a_row_is_written_no_later_behind_its_place_than_pages_look_back():
    """Or a page that knows a newer message would pass it over."""
    page = Path("s3-website/public/js/state/messages.js").read_text()
    (late_ms,) = re.findall(r"^const LATE_MS = ([0-9_]+);$", page, re.MULTILINE)
    before_the_next_s = transactions.LONGEST_PAUSE_S
    longest_s = rows.LATE.total_seconds() + a_try_s(ONE_TRY) + before_the_next_s
    assert longest_s * 1000 < int(late_ms)
    assert ONE_TRY.retries["total_max_attempts"] == 1


def test_config_yml_and_the_function_agree_on_the_rate():
    assert chatconfig.PATTERNS["rate_limit"][0] == store_settings.RULES["RATE_LIMIT"][0]
    default = chatconfig.ChatConfig(s3_bucket="", google_oauth_client_id="").rate_limit
    assert default == store_settings.DEFAULTS["RATE_LIMIT"]


LABELS = st.text("abXY09-", min_size=1, max_size=4)
DOMAINS = st.lists(LABELS, min_size=2, max_size=3).map(".".join)
ADDRESSES = st.tuples(st.text("a.+!é", min_size=1, max_size=4), DOMAINS).map("@".join)
BETWEEN = st.text(", ", min_size=1, max_size=3)


@given(st.lists(DOMAINS | ADDRESSES, min_size=1, max_size=4), BETWEEN)
def test_the_function_reads_whom_config_yml_allows_and_never_as_everybody(listed, between):
    line = between.join(listed)
    assert re.fullmatch(chatconfig.PATTERNS["allowed_domains"][0], line)
    assert store_settings.read_settings(ENVIRON | {"ALLOWED_DOMAINS": line}).allowed


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_handler_and_the_test_data_exist(configs, name):
    function = configs[name].function
    module, _, attribute = function.handler.partition(".")
    code = configs[name].beside(function.path) / f"{module}.py"
    assert f"def {attribute}(" in code.read_text()
    assert json.loads(configs[name].beside(function.test_data).read_text())["Records"]


def test_only_the_topic_may_call_store_message(configs):
    (permission,) = configs["sns"].function.permissions
    assert permission.principal == "sns.amazonaws.com"
    assert permission.source_arn == "arn:aws:sns:eu-west-1:123456789012:Tea-messages"


def test_what_fails_for_good_is_reported_by_both_functions(configs):
    failures = "arn:aws:sns:eu-west-1:123456789012:Tea-failures"
    (stream,) = configs["dynamodb"].function.event_sources
    assert configs["sns"].function.async_.on_failure == stream.on_failure == failures
    assert stream.report_batch_item_failures is True


def test_tries_are_bounded_as_reliability_md_says(configs):
    later = configs["sns"].function.async_
    assert (later.maximum_retry_attempts, later.maximum_event_age_s) == (2, 3600)
    (stream,) = configs["dynamodb"].function.event_sources
    assert stream.maximum_retry_attempts == 10
    assert stream.bisect_on_error is True
    assert (stream.parallelization_factor, stream.batch_size, stream.batch_window_s) == (1, 100, 0)
    assert stream.starting_position == "TRIM_HORIZON"


def test_what_was_stored_before_the_function_existed_is_published(configs):
    # From the oldest record on, and none that the stream still has is too old: it keeps a day.
    # Source: DynamoDB guide, "Change data capture for DynamoDB Streams".
    (stream,) = configs["dynamodb"].function.event_sources
    assert stream.starting_position == "TRIM_HORIZON"
    assert stream.maximum_record_age_s == -1 or stream.maximum_record_age_s >= STREAM_KEEPS_S


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lambda_alone_may_take_a_functions_role(configs, name):
    plan = plan_rights_create(configs[name], {}, PLACE, IamState(), OWNER)
    (trust,) = [
        json.loads(step.params["AssumeRolePolicyDocument"])
        for step in plan
        if "AssumeRolePolicyDocument" in step.params
    ]
    assert trust == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_policies_allow_named_actions_on_named_resources_only(name):
    for statement in statements(name):
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        for resource in as_list(statement["Resource"]):
            inside = resource.removesuffix("*")
            assert "*" not in inside
            assert "${" in inside


def test_each_function_may_do_what_it_does_and_no_more():
    allowed = {
        name: sorted(
            action
            for statement in statements(name)
            for action in as_list(statement["Action"])
            if not action.startswith("logs:")
        )
        for name in FUNCTIONS
    }
    assert allowed == {
        "sns": [
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:UpdateItem",
            "sns:Publish",
        ],
        "dynamodb": [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
            "dynamodb:Query",
            "iot:Publish",
            "s3:GetObject",
            "s3:PutObject",
            "sns:Publish",
        ],
    }
