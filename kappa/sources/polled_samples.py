"""Sample events of streams and queues, with a record that the source's filters let through.

Source: AWS Lambda guide, "Using Lambda with Amazon SQS", "Using Lambda to process records from
Amazon Kinesis Data Streams", "Using AWS Lambda with Amazon DynamoDB".
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from kappa.arn import parse_arn
from kappa.config.model import EventSource
from kappa.sources.kind import Occasion
from kappa.sources.pattern_examples import example, merged

_ID = "059f36b4-87a3-44ab-83d2-661975830a7d"


def sample(source: EventSource, occasion: Occasion) -> dict[str, Any]:
    """Make an event with one record."""
    wanted = example(json.loads(source.filter_criteria[0])) if source.filter_criteria else {}
    record = _RECORDS[source.service](source, occasion, wanted)
    return {"Records": [record]}


def _text(content: object, occasion: Occasion) -> str:
    """The content of a message: the given one, else what a filter wants of it, else any."""
    if occasion.body or content is None:
        return occasion.text
    return content if isinstance(content, str) else json.dumps(content)


def _message(source: EventSource, occasion: Occasion, wanted: Mapping[str, Any]) -> dict[str, Any]:
    body = _text(wanted.get("body"), occasion)
    sent_ms = str(int(occasion.at.timestamp() * 1000))
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": sent_ms,
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": sent_ms,
    }
    if source.arn.endswith(".fifo"):
        attributes |= {
            "SequenceNumber": "18849496460467696128",
            "MessageGroupId": "1",
            "MessageDeduplicationId": hashlib.sha256(body.encode()).hexdigest(),
        }
    message = {
        "messageId": _ID,
        "receiptHandle": "EXAMPLE",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": source.arn,
        "awsRegion": parse_arn(source.arn).region,
    }
    return merged(message, {key: value for key, value in wanted.items() if key != "body"})


def _record(source: EventSource, occasion: Occasion, wanted: Mapping[str, Any]) -> dict[str, Any]:
    sequence = "49590338271490256608559692538361571095921575989136588898"
    data = _text(wanted.get("data"), occasion)
    entry = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "1",
        "sequenceNumber": sequence,
        "data": base64.b64encode(data.encode()).decode(),
        "approximateArrivalTimestamp": round(occasion.at.timestamp(), 3),
    }
    stream = parse_arn(source.arn)
    return {
        "kinesis": merged(
            entry, {key: wanted[key] for key in wanted if key in entry.keys() - {"data"}}
        ),
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:{stream.partition}:iam::{stream.account}:role/lambda-role",
        "awsRegion": stream.region,
        "eventSourceARN": source.arn,
    }


def _change(source: EventSource, occasion: Occasion, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A changed row. The table's own keys are not known, so its key is called id."""
    row = {"id": {"S": "1"}, "message": {"S": "hello"}}
    change = {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": parse_arn(source.arn).region,
        "dynamodb": {
            "ApproximateCreationDateTime": int(occasion.at.timestamp()),
            "Keys": {"id": row["id"]},
            "SequenceNumber": "4421584500000000017450439091",
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": source.arn,
    }
    name = wanted.get("eventName", "INSERT")
    images = {"INSERT": ("NewImage",), "REMOVE": ("OldImage",)}.get(name, ("OldImage", "NewImage"))
    return merged(merged(change, {"dynamodb": dict.fromkeys(images, row)}), wanted)


_RECORDS = {"dynamodb": _change, "kinesis": _record, "sqs": _message}
