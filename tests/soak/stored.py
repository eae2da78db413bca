"""What is in the table and in the transcripts, read and compared independently of the functions.

Owns the rule of the transcript's window, written down anew from docs/handlers.md.
"""

from __future__ import annotations

import json
from datetime import datetime

import boto3

from lambda_chat.config import ChatConfig

LIVELY_S, MAX_ROWS = 5, 200
Entry = tuple[str, str, str, str]  # of a message: id, text, name, user


def stored(config: ChatConfig, channel: str) -> list[Entry]:
    """Every message of the channel in the table, oldest first."""
    pages = (
        boto3.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=config.dynamodb_table,
            KeyConditionExpression="channel = :channel",
            ExpressionAttributeValues={":channel": {"S": channel}},
            ConsistentRead=True,
        )
    )
    return [
        entry({key: value["S"] for key, value in row.items()})
        for page in pages
        for row in page["Items"]
    ]


def published(config: ChatConfig, channel: str) -> list[Entry]:
    """The messages in the transcript, oldest first; none while there is no transcript."""
    key = f"{config.data_prefix}{channel}.json"
    s3 = boto3.client("s3")
    try:
        body = s3.get_object(Bucket=config.s3_bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return []
    return [entry(message) for message in json.loads(body)["messages"]]


def entry(message: dict[str, str]) -> Entry:
    """What of a row and of a transcript's message must be the same."""
    return message["id"], message["message"], message["name"], message["user"]


def window(rows: list[Entry], history: int) -> list[Entry]:
    """What a transcript must hold of all rows: the newest, or all of the last five seconds."""
    lively = [row for row in rows if sent_s(rows[-1]) - sent_s(row) < LIVELY_S]
    return rows[-min(max(history, len(lively)), MAX_ROWS) :]


def sent_s(row: Entry) -> float:
    """When a message was sent, in seconds since the epoch."""
    return datetime.fromisoformat(row[0].partition("#")[0]).timestamp()
