"""A minimal handler that publishes transcripts with boto3: one Query and one PUT per channel."""

import json
import os

import boto3

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3")


def handler(event, context):  # noqa: ANN001, ANN201 - as commonly written
    """Write the newest 20 messages of each channel."""
    channels = {record["dynamodb"]["Keys"]["channel"]["S"] for record in event["Records"]}
    for channel in channels:
        rows = dynamodb.query(
            TableName=os.environ["TABLE_NAME"],
            KeyConditionExpression="channel = :channel",
            ExpressionAttributeValues={":channel": {"S": channel}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=20,
        )["Items"]
        messages = [{key: value["S"] for key, value in row.items()} for row in reversed(rows)]
        s3.put_object(
            Bucket=os.environ["BUCKET"],
            Key=f"data/{channel}.json",
            Body=json.dumps({"channel": channel, "messages": messages}).encode(),
            ContentType="application/json",
        )
