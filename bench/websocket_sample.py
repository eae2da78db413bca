"""API Gateway's usual WebSocket chat: connections in a table, and a post to each in a loop."""

import json
import os
import uuid

import boto3

dynamodb = boto3.client("dynamodb")
api = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["API"])


def handler(event, context):  # noqa: ANN001, ANN201 - as commonly written
    """Handle the routes $connect, $disconnect and sendmessage."""
    route = event["requestContext"]["routeKey"]
    key = {"connectionId": {"S": event["requestContext"]["connectionId"]}}
    if route == "$connect":
        dynamodb.put_item(TableName=os.environ["CONNECTIONS"], Item=key)
    elif route == "$disconnect":
        dynamodb.delete_item(TableName=os.environ["CONNECTIONS"], Key=key)
    else:
        message = json.loads(event["body"])["message"]
        item = {"id": {"S": str(uuid.uuid4())}, "message": {"S": message}}
        dynamodb.put_item(TableName=os.environ["MESSAGES"], Item=item)
        post_to_all({"message": message})
    return {"statusCode": 200}


def post_to_all(message):  # noqa: ANN001, ANN201
    """Post to every connection; forget those that are gone."""
    data = json.dumps(message).encode()
    for key in dynamodb.scan(TableName=os.environ["CONNECTIONS"])["Items"]:
        try:
            api.post_to_connection(ConnectionId=key["connectionId"]["S"], Data=data)
        except api.exceptions.GoneException:
            dynamodb.delete_item(TableName=os.environ["CONNECTIONS"], Key=key)
