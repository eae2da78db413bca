"""What a container of each function costs: to get ready, and a message, beside the plainest one.

Processor time, as Lambda bills time and gives processor by memory; the emulated AWS behind it is
another process and not counted. Calls are counted on their way to it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from bench.report import table
from local import emulator
from local.testkit import proxy
from tests.support.builders import id_token, sns_record, stream_record

HERE = Path(__file__).resolve().parent
LAMBDA = HERE.parent / "lambda"
ROUNDS = 9
EVENTS = 40
REGION = "us-east-1"
CLIENT_ID = "1-a.apps.googleusercontent.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "accounts.google.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
        }
    ],
}
# What every handler that calls AWS by the SDK waits for, whatever it does then.
IMPORTS = """
import time
start_s = time.process_time()
import botocore.session
print(1000 * (time.process_time() - start_s))
"""
Event = dict[str, Any]


@dataclass(frozen=True)
class Handler:
    """A handler: what it is called, its module, where that is, what one of its events is."""

    name: str
    module: str
    folders: tuple[Path, ...]
    event: Callable[[], Event]


def measure() -> str:
    """Run every handler in turn, in a container of its own each time."""
    with emulator.running(proxied=True) as aws, proxy.running(aws.endpoint_url) as between:
        env = environment(aws.endpoint_url)
        make_resources(env)
        found: dict[str, list[dict[str, float]]] = {}
        calls = {one.name: count(one, env, between) for one in handlers()}
        imports_ms = []
        for _ in range(ROUNDS):
            imports_ms.append(import_botocore(env))
            for one in handlers():
                events = [one.event() for _ in range(EVENTS)]
                found.setdefault(one.name, []).append(run(one, events, env))
    return report(found, calls, statistics.median(imports_ms))


def handlers() -> list[Handler]:
    """Each plain handler stands before ours."""
    sns, stream = (
        (LAMBDA / "sns/code", LAMBDA / "shared"),
        (LAMBDA / "dynamodb/code", LAMBDA / "shared"),
    )
    return [
        Handler("plain boto3, SNS to table", "plain_store", (HERE,), delivery),
        Handler("store_message", "store_message", sns, delivery),
        Handler("plain boto3, stream to S3", "plain_publish", (HERE,), lambda: batch(1, 1)),
        Handler("publish_transcript", "publish_transcript", stream, lambda: batch(1, 1)),
        Handler(
            "plain, 100 records of 10 channels", "plain_publish", (HERE,), lambda: batch(10, 10)
        ),
        Handler(
            "publish_transcript, the same", "publish_transcript", stream, lambda: batch(10, 10)
        ),
    ]


def delivery() -> Event:
    """A new message of one sender."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"message": "Hello there", "channel": "lobby", "client_id": uuid.uuid4().hex}
    return {"Records": [sns_record(body, TOKEN, MessageId=str(uuid.uuid4()), Timestamp=now)]}


def batch(channels: int, records: int) -> Event:
    """Changes of some channels, so many of each."""
    return {
        "Records": [
            stream_record(f"channel-{number % channels}", str(number), kind="MODIFY")
            for number in range(channels * records)
        ]
    }


TOKEN = id_token()


def environment(endpoint_url: str) -> dict[str, str]:
    """What Lambda would give both functions; their rate limit is out of the way."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return inherited | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "BUCKET": "bench-handlers",
        "GOOGLE_CLIENT_ID": CLIENT_ID,
        "IDENTITY_ROLE_ARN": "arn:aws:iam::000000000000:role/bench-identity",
        "RATE_LIMIT": "9999/10s",
        "RATE_TABLE": "bench-rates",
        "TABLE_NAME": "bench-messages",
    }


def make_resources(env: dict[str, str]) -> None:
    """Make both tables with some messages, the bucket and the role."""

    def client(service: str) -> Any:  # noqa: ANN401
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, REGION, endpoint_url=env["AWS_ENDPOINT_URL"], **keys)

    dynamodb = client("dynamodb")
    for name, keys in ((env["TABLE_NAME"], ("channel", "id")), (env["RATE_TABLE"], ("user",))):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
    for number in range(300):
        sent_at = f"2026-01-01T12:{number // 60:02}:{number % 60:02}.000Z"
        row = {
            "channel": f"channel-{number % 10}",
            "id": f"{sent_at}#{number}",
            "message": f"Message {number} is about as long as messages of a chat are.",
            "name": "Ada Lovelace",
            "user": "0123456789abcdef",
            "sent_at": sent_at,
            "kind": "user",
            "client_id": str(number),
        }
        item = {key: {"S": value} for key, value in row.items()}
        dynamodb.put_item(TableName=env["TABLE_NAME"], Item=item)
    client("s3").create_bucket(Bucket=env["BUCKET"])
    client("iam").create_role(RoleName="bench-identity", AssumeRolePolicyDocument=json.dumps(TRUST))


def run(one: Handler, events: list[Event], env: dict[str, str]) -> dict[str, float]:
    """Run a container; the first event warms it."""
    path = os.pathsep.join(str(folder) for folder in one.folders)
    done = subprocess.run(
        [sys.executable, HERE / "run_handler.py", one.module],
        input=json.dumps({"first": one.event(), "events": events}),
        env=env | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def import_botocore(env: dict[str, str]) -> float:
    """Import the SDK's core in a process of its own; milliseconds of processor time."""
    command = [sys.executable, "-c", IMPORTS]
    return float(subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True).stdout)


def count(one: Handler, env: dict[str, str], between: proxy.Proxy) -> str:
    """Which calls one event costs in a container that has had one: all minus those of the first."""
    with counted(between) as first:
        run(one, [], env | {"AWS_ENDPOINT_URL": between.url})
    with counted(between) as both:
        run(one, [one.event()], env | {"AWS_ENDPOINT_URL": between.url})
    names = Counter[str]()
    for operation, number in (both - first).items():
        names[operation.split()[0]] += number  # a PUT comes with its path
    return ", ".join(f"{number} {name}" for name, number in sorted(names.items()))


@contextmanager
def counted(between: proxy.Proxy) -> Iterator[Counter[str]]:
    """Count operations by name."""
    found: Counter[str] = Counter()
    between.operations.clear()
    yield found
    found.update(between.operations)


def report(
    found: dict[str, list[dict[str, float]]], calls: dict[str, str], imports_ms: float
) -> str:
    """A table of medians; each of ours as a multiple of the plain one before it."""
    medians = {
        name: {key: statistics.median(one[key] for one in ones) for key in ones[0]}
        for name, ones in found.items()
    }
    names = list(medians)
    first = medians[names[0]]["init_ms"]
    floor = f"{imports_ms:.1f} ({imports_ms / first:.2f})"
    rows = [["importing botocore, no more", floor, "", "", ""]]
    for place, (name, of) in enumerate(medians.items()):
        plain = medians[names[place - place % 2]]
        cells = [f"{of[key]:.1f} ({of[key] / plain[key]:.2f})" for key in of]
        rows.append([name, *cells, calls[name]])
    heads = ["handler", "init", "first event", "each event", "calls of each event"]
    return f"""\
## Handlers

Milliseconds of processor time in a container: import until ready, the first event, each of
{EVENTS} further ones; median of {ROUNDS} containers, in turn. In brackets: times that of the
plainest boto3 handler above it, which checks nothing, limits nothing and writes unconditionally.

{table(heads, rows)}"""


if __name__ == "__main__":
    print(measure())
