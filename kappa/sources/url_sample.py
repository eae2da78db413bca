"""A sample request of the function's URL, as payload format 2.0.

Source: AWS Lambda guide, "Invoking Lambda function URLs", "Request payload format".
"""

from __future__ import annotations

from typing import Any

from kappa.config.model import Url
from kappa.sources.kind import Occasion

# The real one is known only once AWS has made the URL.
_ID = "sample"


def sample(url: Url, occasion: Occasion) -> dict[str, Any]:
    """Make a GET of /, or with a body a POST."""
    host = f"{_ID}.lambda-url.{occasion.place.region}.on.aws"
    is_signed = url.auth == "AWS_IAM"
    headers = {
        "accept": "*/*",
        "host": host,
        "user-agent": "curl/8.7.1",
        "x-amzn-trace-id": "Root=1-5e1b4151-43a0913a12345678901234567",
        "x-forwarded-for": "203.0.113.10",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    if occasion.body:
        headers |= {
            "content-length": str(len(occasion.body.encode())),
            "content-type": "application/json",
        }
    account = occasion.place.account
    caller = {
        "accessKey": "EXAMPLE",
        "accountId": account,
        "callerId": "EXAMPLE",
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:{occasion.place.partition}:iam::{account}:user/sample",
        "userId": "EXAMPLE",
    }
    context = {
        "accountId": account if is_signed else "anonymous",
        "apiId": _ID,
        **({"authorizer": {"iam": caller}} if is_signed else {}),
        "domainName": host,
        "domainPrefix": _ID,
        "http": {
            "method": "POST" if occasion.body else "GET",
            "path": "/",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.10",
            "userAgent": headers["user-agent"],
        },
        "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
        "routeKey": "$default",
        "stage": "$default",
        "time": occasion.at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(occasion.at.timestamp() * 1000),
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": context,
        **({"body": occasion.body} if occasion.body else {}),
        "isBase64Encoded": False,
    }
