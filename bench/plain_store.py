"""A minimal handler that stores messages from SNS with boto3, without checks or limits."""

import base64
import json
import os

import boto3

sts = boto3.client("sts")
dynamodb = boto3.client("dynamodb")


def handler(event, context):  # noqa: ANN001, ANN201 - as commonly written
    """Verify each sender's token with STS, then put the row."""
    for record in event["Records"]:
        message = json.loads(record["Sns"]["Message"])
        token = record["Sns"]["MessageAttributes"]["id_token"]["Value"]
        sts.assume_role_with_web_identity(
            RoleArn=os.environ["IDENTITY_ROLE_ARN"],
            RoleSessionName="plain",
            WebIdentityToken=token,
        )
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        dynamodb.put_item(
            TableName=os.environ["TABLE_NAME"],
            Item={
                "channel": {"S": message["channel"]},
                "id": {"S": f"{record['Sns']['Timestamp']}#{message['client_id']}"},
                "message": {"S": message["message"]},
                "name": {"S": claims["name"]},
            },
        )
