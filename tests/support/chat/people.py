"""What a signed-in person and an operator do to a running chat, and what is to be seen of it."""

import json
import time
import uuid

DEADLINE_S = 60.0


class Page:
    """A signed-in person's browser, as far as it writes."""

    def __init__(self, chat, name, **claims):
        self.topic = chat.config.sns_topic_arn
        self.token = chat.token(name, **claims)
        self.keys = chat.web_identity(self.token)
        self.sns = chat.client("sns", **self.keys)
        self.message_ids = []  # SNS's, of all that was sent

    def send(self, token=None, **body):
        """Publish a message or a change; returns its client_id."""
        body.setdefault("client_id", uuid.uuid4().hex)
        value = {"DataType": "String", "StringValue": token or self.token}
        answer = self.sns.publish(
            TopicArn=self.topic, Message=json.dumps(body), MessageAttributes={"id_token": value}
        )
        self.message_ids.append(answer["MessageId"])
        return body["client_id"]


def wait_for(condition):
    """Ask until it is true; its value is the answer."""
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.1)
    return value


def invoke(chat, *bodies):
    """Send what an operator writes; returns the function's answer."""
    records = [
        {"EventSource": "lambda-chat:operator", "Sns": {"Message": json.dumps(body)}}
        for body in bodies
    ]
    answer = chat.client("lambda").invoke(
        FunctionName=f"{chat.config.stack_name}-store-message",
        Payload=json.dumps({"Records": records}),
    )
    return json.loads(answer["Payload"].read())


def rows(chat, channel):
    """Return a channel's rows, their values plain."""
    found = chat.client("dynamodb").query(
        TableName=chat.config.dynamodb_table,
        KeyConditionExpression="channel = :channel",
        ExpressionAttributeValues={":channel": {"S": channel}},
        ConsistentRead=True,
    )["Items"]
    return [{key: next(iter(value.values())) for key, value in row.items()} for row in found]


def log_lines(chat, part):
    """Return the function's log lines so far that hold `part`, read as JSON."""
    pages = (
        chat.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{chat.config.stack_name}-store-message")
    )
    found = [event["message"].strip() for page in pages for event in page["events"]]
    return [json.loads(line) for line in found if part in line]


def refused(chat):
    """Return the reasons of all refusals so far."""
    return [line["reason"] for line in log_lines(chat, '"event": "refused"')]
