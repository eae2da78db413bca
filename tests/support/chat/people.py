"""Act on a running chat as a signed-in user or an operator, and read its rows and logs."""

import json
import uuid

from local.testkit.events import operator_record


class Page:
    """A signed-in user's page, reduced to publishing."""

    def __init__(self, chat, name, **claims):
        self.topic = chat.config.sns_topic_arn
        self.token = chat.token(name, **claims)
        self.keys = chat.web_identity(self.token)
        self.sns = chat.client("sns", **self.keys)
        self.message_ids = []  # SNS's ids of all messages sent

    def send(self, token=None, **body):
        """Publish a message or a change; return its client_id."""
        body.setdefault("client_id", uuid.uuid4().hex)
        value = {"DataType": "String", "StringValue": token or self.token}
        answer = self.sns.publish(
            TopicArn=self.topic, Message=json.dumps(body), MessageAttributes={"id_token": value}
        )
        self.message_ids.append(answer["MessageId"])
        return body["client_id"]


def invoke(chat, *bodies):
    """Send messages as an operator; return the function's answer."""
    answer = chat.client("lambda").invoke(
        FunctionName=f"{chat.config.stack_name}-store-message",
        Payload=json.dumps({"Records": [operator_record(body) for body in bodies]}),
    )
    return json.loads(answer["Payload"].read())


def rows(chat, channel):
    """Return a channel's rows, with plain values."""
    items = chat.client("dynamodb").query(
        TableName=chat.config.dynamodb_table,
        KeyConditionExpression="channel = :channel",
        ExpressionAttributeValues={":channel": {"S": channel}},
        ConsistentRead=True,
    )["Items"]
    return [{key: next(iter(value.values())) for key, value in row.items()} for row in items]


def log_lines(chat, part):
    """Return store_message's log lines that contain `part`, parsed as JSON."""
    pages = (
        chat.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{chat.config.stack_name}-store-message")
    )
    lines = [event["message"].strip() for page in pages for event in page["events"]]
    return [json.loads(line) for line in lines if part in line]


def refused(chat):
    """Return the reasons of all refusals so far."""
    return [line["reason"] for line in log_lines(chat, '"event": "refused"')]
