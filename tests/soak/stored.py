"""Read the table and the transcripts without the functions' code.

Owns a second implementation of the transcript's window, from docs/handlers.md.
"""

from __future__ import annotations

import json
from datetime import datetime

import boto3

from lambda_chat.config import ChatConfig

LIVELY_S, MAX_ROWS = 5, 200
Entry = tuple[str, str, str, str]  # of a message: id, text, name, user


def stored(config: ChatConfig, channel: str) -> list[Entry]:
    """All messages of the channel in the table, oldest first."""
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
    """The messages in the transcript, oldest first; [] without a transcript."""
    key = f"{config.data_prefix}{channel}.json"
    s3 = boto3.client("s3")
    try:
        body = s3.get_object(Bucket=config.s3_bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return []
    return [entry(message) for message in json.loads(body)["messages"]]


def entry(message: dict[str, str]) -> Entry:
    """The fields that a row and the transcript's message must share."""
    return message["id"], message["message"], message["name"], message["user"]


def window(rows: list[Entry], history: int) -> list[Entry]:
    """The rows that a transcript must hold: the newest, or all of the last five seconds."""
    lively = [row for row in rows if sent_s(rows[-1]) - sent_s(row) < LIVELY_S]
    return rows[-min(max(history, len(lively)), MAX_ROWS) :]


def sent_s(row: Entry) -> float:
    """When a message was sent, in seconds since the epoch."""
    return datetime.fromisoformat(row[0].partition("#")[0]).timestamp()
