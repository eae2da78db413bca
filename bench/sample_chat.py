"""Deploy websocket_sample.py to the emulator; open its page, connect, send to it."""

from __future__ import annotations

import io
import json
import os
import threading
import time
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from playwright.sync_api import Browser, Page
from wsproto.events import TextMessage

from bench.emulated import TRUST, create_table, policy
from local.emulator import REGION
from local.testkit import crowd
from local.testkit.websocket import WebSocket

NAME = "bench-websocket"
KEYS = {"CONNECTIONS": "connectionId", "MESSAGES": "id"}  # of the tables
# The page's script, without a sign-in: a line for each message.
SCRIPT = """(url) => new Promise((opened, refused) => {
  document.body.replaceChildren();
  document.body.className = "message";
  const socket = new WebSocket(url);
  socket.onopen = opened;
  socket.onerror = refused;
  socket.onmessage = ({ data }) => {
    const line = document.createElement("p");
    line.className = "text";
    line.textContent = JSON.parse(data).message;
    document.body.append(line);
  };
})"""


class SampleChat:
    """The sample, deployed with boto3."""

    def __init__(self) -> None:
        gateway = boto3.client("apigatewayv2")
        selection = "$request.body.action"
        api = gateway.create_api(
            Name=NAME, ProtocolType="WEBSOCKET", RouteSelectionExpression=selection
        )["ApiId"]
        self._path = f"/_aws/execute-api/{api}/prod"
        self._endpoint_url = os.environ["AWS_ENDPOINT_URL"]
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{self._function()}"
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=f"{uri}/invocations"
        )["IntegrationId"]
        for route in ("$connect", "$disconnect", "sendmessage"):
            gateway.create_route(ApiId=api, RouteKey=route, Target=f"integrations/{integration}")
        gateway.create_stage(ApiId=api, StageName="prod", AutoDeploy=True)

    def _function(self) -> str:
        """Create the function, its role and its tables; return its ARN."""
        for name, key in KEYS.items():
            create_table(f"{NAME}-{name}", key)
        iam = boto3.client("iam")
        role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=TRUST)
        rights = policy(Action=["dynamodb:*", "execute-api:ManageConnections"], Resource="*")
        iam.put_role_policy(RoleName=NAME, PolicyName=NAME, PolicyDocument=rights)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.write(Path(__file__).with_name("websocket_sample.py"), "handler.py")
        env = {name: f"{NAME}-{name}" for name in KEYS}
        created = boto3.client("lambda").create_function(
            FunctionName=NAME,
            Role=role["Role"]["Arn"],
            Runtime="python3.13",
            Handler="handler.handler",
            MemorySize=256,  # as the chat's functions have
            Timeout=60,
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": env | {"API": f"{self._endpoint_url}{self._path}"}},
        )
        return str(created["FunctionArn"])

    def open_page(self, browser: Browser) -> Page:
        """Open a page that shows and records all messages."""
        page = browser.new_context().new_page()
        page.add_init_script(crowd.WATCH)
        page.goto(f"{self._endpoint_url}/_ministack/health")  # only for its origin
        page.evaluate(SCRIPT, f"ws://{urlsplit(self._endpoint_url).netloc}{self._path}")
        return page

    def connect(self) -> WebSocket:
        """Connect without a page."""
        return WebSocket(self._endpoint_url, urlsplit(self._endpoint_url).netloc, self._path)

    def send(self, channel: str, count: int, rate: float) -> dict[str, float]:
        """Send from a connection that also gets all messages; return when each text was sent."""
        sent, socket = {}, self.connect()
        starts_at = time.monotonic() + 1
        for index in range(count):
            time.sleep(max(0.0, starts_at + index / rate - time.monotonic()))
            text = f"message {index} of {channel}"
            sent[text] = time.time()
            socket.send(TextMessage(json.dumps({"action": "sendmessage", "message": text})))
        threading.Timer(10, socket.close).start()
        return sent
