"""Records and tokens as the functions get them from AWS and Google; keywords change one part."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

ACCOUNT = "123456789012"
Event = dict[str, Any]


def id_token(**claims: Any) -> str:  # noqa: ANN401
    """An ID token with Google's claims and a fake signature. A claim of None is left out."""
    now_s = int(time.time())
    default = {
        "iss": "https://accounts.google.com",
        "aud": "1-a.apps.googleusercontent.com",
        "sub": "110169484474386276334",
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "picture": "https://lh3.googleusercontent.com/a/ada",
        "iat": now_s,
        "exp": now_s + 3600,
    }
    payload = {key: value for key, value in (default | claims).items() if value is not None}
    parts = ({"alg": "RS256", "kid": "1"}, payload, "signature")
    return ".".join(base64url(json.dumps(part)) for part in parts)


def base64url(text: str) -> str:
    """Encode without padding, as in tokens."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def sns_record(
    body: object = None,
    token: str | None = None,
    **changes: Any,  # noqa: ANN401
) -> Event:
    """A record as SNS delivers it. `body` is Sns.Message: a text, or a value to write as JSON."""
    body = {"message": "Hello"} if body is None else body
    sns: Event = {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:Lambda-Chat-messages",
        "Subject": None,
        "Message": body if isinstance(body, str) else json.dumps(body),
        "Timestamp": "2026-01-01T12:00:00.123Z",
        "MessageAttributes": {} if token is None else {"id_token": attribute(token)},
    }
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{sns['TopicArn']}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55",
        "Sns": sns | changes,
    }


def attribute(value: str) -> Event:
    """A message attribute as SNS delivers it."""
    return {"Type": "String", "Value": value}


def operator_record(body: object = None) -> Event:
    """A record as `kappa config.yml invoke` sends it."""
    body = {"message": "Maintenance at noon"} if body is None else body
    return {"EventSource": "lambda-chat:operator", "Sns": {"Message": json.dumps(body)}}


def stream_record(channel: str = "default", sequence: str = "100", kind: str = "INSERT") -> Event:
    """A change of one row, as the table's stream delivers it."""
    keys = {"channel": {"S": channel}, "id": {"S": "2026-01-01T12:00:00.000Z#1"}}
    change: Event = {"Keys": keys, "SequenceNumber": sequence, "StreamViewType": "NEW_IMAGE"}
    if kind != "REMOVE":
        change["NewImage"] = keys | {"message": {"S": "Hello"}}
    return {
        "eventID": sequence,
        "eventName": kind,
        "eventSource": "aws:dynamodb",
        "dynamodb": change,
    }
