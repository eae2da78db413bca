"""A function's container as a local process: its code in its own folder, events on its input.

Measures processor time, since Lambda bills time and gives processor by memory. The emulated AWS
is another process, so its time is not counted. A proxy in front of it counts the calls.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3

from bench.emulated import BUCKET, create_table, policy
from local.testkit.environment import settings
from local.testkit.events import Event, stream_record
from local.testkit.functions import FUNCTIONS, unpack
from local.testkit.proxy import Proxy

HERE = Path(__file__).resolve().parent
MESSAGES, RATES = "bench-messages", "bench-rates"
# of both functions; nobody reaches the rate limit
ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "BUCKET": BUCKET,
    "GOOGLE_CLIENT_ID": "1-a.apps.googleusercontent.com",
    "IDENTITY_ROLE_ARN": "arn:aws:iam::000000000000:role/bench-identity",
    "RATE_LIMIT": "9999/10s",
    "RATE_TABLE": RATES,
    "TABLE_NAME": MESSAGES,
}


@dataclass(frozen=True)
class Container:
    """A folder with the function's code and run_handler.py, and the name of its module."""

    folder: Path
    module: str

    def run(self, event: Callable[[], Event], count: int) -> list[float]:
        """Start and handle new events; return the milliseconds that run_handler.py prints."""
        command = [sys.executable, "run_handler.py", self.module]
        given = json.dumps([event() for _ in range(count)]).encode()
        env = os.environ | ENVIRONMENT
        done = subprocess.run(
            command, cwd=self.folder, input=given, env=env, stdout=subprocess.PIPE, check=True
        )
        times_ms: list[float] = json.loads(done.stdout)
        return times_ms

    def calls(self, event: Callable[[], Event], proxy: Proxy) -> str:
        """The calls of one event in a warm container: those of two events less those of one."""
        counts = []
        # the first container writes what later ones find, so it does not count
        for number in (1, 1, 2):
            proxy.operations.clear()
            with settings(os.environ | {"AWS_ENDPOINT_URL": proxy.url}):
                self.run(event, number)
            # a PUT's name includes its path
            counts.append(Counter(operation.split()[0] for operation in proxy.operations))
        return ", ".join(f"{of} {name}" for name, of in sorted((counts[2] - counts[1]).items()))


def container(module: str, root: Path) -> Container:
    """One of the chat's functions, as kappa packs it, or one of the minimal handlers here."""
    if module in FUNCTIONS:
        unpack(module, root)
    else:
        (root / module).mkdir()
        shutil.copy(HERE / f"{module}.py", root / module)
    shutil.copy(HERE / "run_handler.py", root / module)
    return Container(root / module, module)


def make_resources(channels: list[str], messages: int) -> None:
    """Create the tables, with messages in each channel, and the role."""
    create_table(MESSAGES, "channel", "id")
    create_table(RATES, "user")
    with boto3.resource("dynamodb").Table(MESSAGES).batch_writer() as writer:
        for channel in channels:
            for number in range(messages):
                writer.put_item(row(channel, number))
    google = {"Federated": "accounts.google.com"}
    trust = policy(Action="sts:AssumeRoleWithWebIdentity", Principal=google)
    boto3.client("iam").create_role(RoleName="bench-identity", AssumeRolePolicyDocument=trust)


def row(channel: str, number: int) -> dict[str, str]:
    """A message's row; each is ten seconds later than the previous one."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=10 * number)
    sent_at = f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
    return {
        "channel": channel,
        "id": f"{sent_at}#{number}",
        "message": f"Message {number} is about as long as messages of a chat are.",
        "name": "Ada Lovelace",
        "user": "0123456789abcdef",
        "sent_at": sent_at,
        "kind": "user",
        "client_id": str(number),
    }


def insert(channel: str, number: int) -> Event:
    """The stream's record of one new message."""
    record = stream_record(channel, str(number))
    image = {key: {"S": value} for key, value in row(channel, number).items()}
    keys = {key: image[key] for key in ("channel", "id")}
    record["dynamodb"] |= {"Keys": keys, "NewImage": image}
    return record
