"""publish_transcript with push, deployed beside a chat: what a subscriber of its topics gets."""

import json
import uuid
from pathlib import Path

import pytest
import yaml

from local.testkit.events import stream_record
from local.testkit.listener import listening
from tests.support.builders import moment, row, run_kappa
from tests.support.waiting import wait_for

CONFIG = Path(__file__).parents[2] / "lambda/dynamodb/config.yml"
STACK = "Pushing"
FUNCTION = f"{STACK}-publish-transcript"
TOPICS = f"{STACK}/channel/"


@pytest.fixture(scope="module")
def function(chat, tmp_path_factory):
    """Deploy the function with push for another stack that has the chat's table and bucket."""
    iot = chat.client("iot")
    host = iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    values = yaml.safe_load(Path(chat.env["LAMBDA_CHAT_CONFIG"]).read_text())
    values |= {"stack_name": STACK, "data_prefix": "pushing/"}
    values |= {"push_endpoint": host, "push_topics": f"{TOPICS}*"}
    config = tmp_path_factory.mktemp("pushing") / "config.yml"
    config.write_text(yaml.safe_dump(values))
    env = {**chat.env, "LAMBDA_CHAT_CONFIG": str(config)}
    assert run_kappa([CONFIG, "create"], env).returncode == 0
    lambda_ = chat.client("lambda")
    lambda_.get_waiter("function_active_v2").wait(FunctionName=FUNCTION)
    yield Deployed(chat, lambda_, host)
    assert run_kappa([CONFIG, "delete", "--yes"], env).returncode == 0


class Deployed:
    """The function, its table and its broker."""

    def __init__(self, chat, lambda_, host):
        self._chat = chat
        self._lambda = lambda_
        self._host = host

    def subscriber(self):
        """Subscribe to all of the stack's topics."""
        keys = {"aws_access_key_id": self._chat.env["AWS_ACCESS_KEY_ID"]}
        keys |= {"aws_secret_access_key": "test"}
        endpoint_url = self._chat.env["AWS_ENDPOINT_URL"]
        client_id = f"{STACK}-{uuid.uuid4()}"
        return listening(endpoint_url, self._host, keys, client_id, f"{TOPICS}+")

    def store(self, *rows):
        """Put rows into the table, then let the function publish them; return its answer."""
        for stored in rows:
            table = self._chat.config.dynamodb_table
            self._chat.client("dynamodb").put_item(TableName=table, Item=stored)
        return self.invoke(*map(inserted, rows))

    def invoke(self, *records):
        event = json.dumps({"Records": records})
        answer = self._lambda.invoke(FunctionName=FUNCTION, Payload=event)
        return json.loads(answer["Payload"].read())

    def transcript(self, room):
        where = {"Bucket": self._chat.config.s3_bucket, "Key": f"pushing/{room}.json"}
        return json.loads(self._chat.client("s3").get_object(**where)["Body"].read())

    def with_topics(self, topics):
        """Change the topics in its environment, not those in its policy."""
        about = self._lambda.get_function_configuration(FunctionName=FUNCTION)
        variables = {**about["Environment"]["Variables"], "PUSH_TOPICS": topics}
        self._lambda.update_function_configuration(
            FunctionName=FUNCTION, Environment={"Variables": variables}
        )
        self._lambda.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)

    def logged(self, event, channel):
        """The lines of an event and a channel in its log."""
        pages = (
            self._chat.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/aws/lambda/{FUNCTION}")
        )
        lines = [one["message"] for page in pages for one in page["events"]]
        found = [json.loads(line) for line in lines if f'"event": "{event}"' in line]
        return [line for line in found if line["channel"] == channel]


def inserted(stored):
    record = stream_record()
    keys = {key: stored[key] for key in ("channel", "id")}
    record["dynamodb"] |= {"NewImage": stored, "Keys": keys}
    return record


def room():
    return f"test-{uuid.uuid4().hex[:12]}"


def test_subscribers_get_what_a_batch_changed_on_its_channel_s_topic(function):
    channel = room()
    rows = [row(moment(n), str(n), channel=channel, message=f"שלום {n} \U0001f680") for n in (1, 2)]
    with function.subscriber() as page:
        assert function.store(rows[0]) == {"batchItemFailures": []}
        first = page.heard()
        function.store(rows[1])
        second = page.heard()
    messages = function.transcript(channel)["messages"]
    assert [topic for topic, _ in (first, second)] == [f"{TOPICS}{channel}"] * 2
    pushes = [json.loads(content) for _, content in (first, second)]
    assert [push["after"] for push in pushes] == ["", rows[0]["id"]["S"]]
    assert [push["messages"] for push in pushes] == [messages[:1], messages[1:]]


def test_subscribers_are_told_to_read_what_a_push_cannot_hold(function):
    channel = room()
    with function.subscriber() as page:
        function.store(row(channel=channel, message="\U0001f600" * 2000))
        topic, content = page.heard()
    generated_at = function.transcript(channel)["generated_at"]
    assert topic == f"{TOPICS}{channel}"
    assert json.loads(content) == {"channel": channel, "changed": generated_at}


def test_the_topic_of_another_stack_is_denied_and_the_batch_published(function):
    channel = room()
    function.with_topics("Elsewhere/channel/*")
    try:
        assert function.store(row(channel=channel)) == {"batchItemFailures": []}
    finally:
        function.with_topics(f"{TOPICS}*")
    assert len(function.transcript(channel)["messages"]) == 1
    (unpushed,) = wait_for(lambda: function.logged("unpushed", channel))
    assert unpushed["level"] == "WARN"
    assert unpushed["error"] in ("ForbiddenException", "AccessDeniedException")
