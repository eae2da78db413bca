"""A function's container as a local process: its code in its own folder, events on its input.

Measures processor time, since Lambda bills time and gives processor by memory. The emulated AWS
is another process, so its time is not counted. A proxy in front of it counts the calls.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from local import emulator
from local.testkit.events import Event, stream_record
from local.testkit.functions import unpack
from local.testkit.proxy import Proxy

HERE = Path(__file__).resolve().parent
BUCKET, MESSAGES, RATES = "bench-handlers", "bench-messages", "bench-rates"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": '
    '"sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "accounts.google.com"}}]}'
)


@dataclass(frozen=True)
class Container:
    """A folder with the function's code and run_handler.py, and the name of its module."""

    folder: Path
    module: str

    def run(self, first: Event, events: list[Event], env: dict[str, str]) -> dict[str, float]:
        """Start, handle the first event, then the others; return init_ms, first_ms, each_ms."""
        done = subprocess.run(
            [sys.executable, "run_handler.py", self.module],
            cwd=self.folder,
            input=json.dumps({"first": first, "events": events}),
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        times: dict[str, float] = json.loads(done.stdout)
        return times

    def calls(self, event: Callable[[], Event], env: dict[str, str], proxy: Proxy) -> Counter[str]:
        """The calls of one event in a warm container: those of two events less those of one."""
        counts = []
        # the first container writes what later ones find, so it does not count
        for events in ([], [], [event()]):
            proxy.operations.clear()
            self.run(event(), events, env | {"AWS_ENDPOINT_URL": proxy.url})
            # a PUT's name includes its path
            counts.append(Counter(operation.split()[0] for operation in proxy.operations))
        return counts[2] - counts[1]


def packed(module: str, folder: Path) -> Container:
    """One of the chat's functions, as kappa packs it."""
    return _container(unpack(module, folder), module)


def plain(module: str, folder: Path) -> Container:
    """One of the minimal handlers in this folder."""
    (folder / module).mkdir()
    shutil.copy(HERE / f"{module}.py", folder / module)
    return _container(folder / module, module)


def _container(folder: Path, module: str) -> Container:
    shutil.copy(HERE / "run_handler.py", folder)
    return Container(folder, module)


def environment(endpoint_url: str) -> dict[str, str]:
    """The environment of both functions, with a rate limit that is never reached."""
    return emulator.environment(endpoint_url, "test") | {
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "BUCKET": BUCKET,
        "GOOGLE_CLIENT_ID": "1-a.apps.googleusercontent.com",
        "IDENTITY_ROLE_ARN": "arn:aws:iam::000000000000:role/bench-identity",
        "RATE_LIMIT": "9999/10s",
        "RATE_TABLE": RATES,
        "TABLE_NAME": MESSAGES,
    }


def make_resources(endpoint_url: str, rows: dict[str, int]) -> None:
    """Create the tables, the bucket and the role. `rows`: how many messages, by channel."""

    def client(service: str) -> Any:  # noqa: ANN401
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, emulator.REGION, endpoint_url=endpoint_url, **keys)

    dynamodb = client("dynamodb")
    for name, keys in ((MESSAGES, ("channel", "id")), (RATES, ("user",))):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
    puts = [
        {"PutRequest": {"Item": item(channel, number)}}
        for channel, count in rows.items()
        for number in range(count)
    ]
    for start in range(0, len(puts), 25):
        dynamodb.batch_write_item(RequestItems={MESSAGES: puts[start : start + 25]})
    client("s3").create_bucket(Bucket=BUCKET)
    client("iam").create_role(RoleName="bench-identity", AssumeRolePolicyDocument=TRUST)


def item(channel: str, number: int) -> dict[str, dict[str, str]]:
    """A message's row; each is ten seconds later than the previous one."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=10 * number)
    sent_at = f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
    row = {
        "channel": channel,
        "id": f"{sent_at}#{number}",
        "message": f"Message {number} is about as long as messages of a chat are.",
        "name": "Ada Lovelace",
        "user": "0123456789abcdef",
        "sent_at": sent_at,
        "kind": "user",
        "client_id": str(number),
    }
    return {key: {"S": value} for key, value in row.items()}


def insert(channel: str, number: int) -> Event:
    """The stream's record of one new message."""
    record = stream_record(channel, str(number))
    image = item(channel, number)
    record["dynamodb"] |= {
        "Keys": {key: image[key] for key in ("channel", "id")},
        "NewImage": image,
    }
    return record
