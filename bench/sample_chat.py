"""Deploy websocket_sample.py with boto3 to the emulator, and open its page and its readers."""

from __future__ import annotations

import io
import json
import os
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from playwright.sync_api import Browser, Page
from wsproto.events import TextMessage

from local.testkit import crowd
from local.testkit.websocket import WebSocket

NAME, STAGE = "bench-websocket", "prod"
ROUTES = ("$connect", "$disconnect", "sendmessage")
ACTIONS = [
    *(f"dynamodb:{name}" for name in ("PutItem", "DeleteItem", "Scan")),
    "execute-api:ManageConnections",
]
# The page's script, without a sign-in: a line for each message.
SCRIPT = """(url) => new Promise((opened) => {
  document.body.innerHTML = "";
  const socket = new WebSocket(url);
  socket.onopen = opened;
  socket.onmessage = ({ data }) => {
    const line = document.createElement("p");
    line.className = "message";
    line.innerHTML = '<span class="text"></span>';
    line.firstChild.textContent = JSON.parse(data).message;
    document.body.append(line);
  };
})"""


@dataclass(frozen=True)
class SampleChat:
    """The deployed sample. `path` is that of its stage at the emulator."""

    path: str

    def open_page(self, browser: Browser) -> Page:
        """Open the page; it records the messages that it shows."""
        page = browser.new_context().new_page()
        page.add_init_script(crowd.WATCH)
        endpoint_url = os.environ["AWS_ENDPOINT_URL"]
        page.goto(f"{endpoint_url}/_ministack/health")  # only for its origin
        page.evaluate(SCRIPT, f"ws://{urlsplit(endpoint_url).netloc}{self.path}")
        return page

    def connect(self) -> WebSocket:
        """Connect without a page."""
        endpoint_url = os.environ["AWS_ENDPOINT_URL"]
        return WebSocket(endpoint_url, urlsplit(endpoint_url).netloc, self.path)

    def send_all(self, channel: str, count: int, rate: float) -> dict[str, float]:
        """Send `count` messages, `rate` a second, from a connection that also gets all of them.

        Returns: when each text was sent, in seconds since the epoch.
        """
        sent, socket = {}, self.connect()
        starts_at = time.monotonic() + 1
        for index in range(count):
            time.sleep(max(0.0, starts_at + index / rate - time.monotonic()))
            text = f"message {index} of {channel}"
            sent[text] = time.time()
            socket.send(TextMessage(json.dumps({"action": "sendmessage", "message": text})))
        threading.Timer(10, socket.close).start()
        return sent


def deploy() -> SampleChat:
    """Create the tables, the role, the function and the API."""
    dynamodb = boto3.client("dynamodb")
    for table, key in ((f"{NAME}-connections", "connectionId"), (f"{NAME}-messages", "id")):
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        )
    gateway = boto3.client("apigatewayv2")
    selection = "$request.body.action"
    api_id = gateway.create_api(
        Name=NAME, ProtocolType="WEBSOCKET", RouteSelectionExpression=selection
    )["ApiId"]
    path = f"/_aws/execute-api/{api_id}/{STAGE}"
    arn = create_function(path)
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    integration = gateway.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=uri
    )["IntegrationId"]
    for route in ROUTES:
        gateway.create_route(ApiId=api_id, RouteKey=route, Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api_id, StageName=STAGE, AutoDeploy=True)
    return SampleChat(path)


def create_function(path: str) -> str:
    """Create the function with its role; return its ARN."""
    iam = boto3.client("iam")
    principal: dict[str, Any] = {"Principal": {"Service": "lambda.amazonaws.com"}}
    role = iam.create_role(
        RoleName=NAME, AssumeRolePolicyDocument=policy(Action="sts:AssumeRole", **principal)
    )["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=NAME, PolicyName=NAME, PolicyDocument=policy(Action=ACTIONS, Resource="*")
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(Path(__file__).with_name("websocket_sample.py"), "handler.py")
    env = {"CONNECTIONS_URL": f"{os.environ['AWS_ENDPOINT_URL']}{path}"}
    env |= {"CONNECTIONS": f"{NAME}-connections", "MESSAGES": f"{NAME}-messages"}
    created = boto3.client("lambda").create_function(
        FunctionName=NAME,
        Role=role,
        Runtime="python3.13",
        Handler="handler.handler",
        MemorySize=256,
        Timeout=60,
        Code={"ZipFile": buffer.getvalue()},
        Environment={"Variables": env},
    )
    return str(created["FunctionArn"])


def policy(**statement: object) -> str:
    """A policy of one statement that allows something."""
    allowed = {"Effect": "Allow", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
