"""The processor time of both functions, at start and per event, compared with minimal handlers."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.containers import Container, environment, insert, make_resources, packed, plain
from bench.report import table
from local import emulator
from local.testkit import proxy
from local.testkit.events import Event, id_token, sns_record

ROUNDS = 9
EVENTS = 40
ROWS = {f"channel-{number}": 30 for number in range(10)}
TOKEN = id_token()
# The least that any handler with the AWS SDK spends at its start.
IMPORTS = """
import time
start_s = time.process_time()
import botocore.session
print(1000 * (time.process_time() - start_s))
"""


@dataclass(frozen=True)
class Handler:
    """A row of the table: its name, its container, and a function that makes an event."""

    name: str
    container: Container
    event: Callable[[], Event]


def measure() -> str:
    """Run the handlers in turn, each time in a new container; return the table."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-handlers-") as folder,
        emulator.running(proxied=True) as aws,
        proxy.running(aws.endpoint_url) as between,
    ):
        env = environment(aws.endpoint_url)
        make_resources(aws.endpoint_url, ROWS)
        rows = handlers(Path(folder))
        calls = {row.name: count(row, env, between) for row in rows}
        times: dict[str, list[dict[str, float]]] = {row.name: [] for row in rows}
        imports_ms = []
        for _ in range(ROUNDS):
            imports_ms.append(import_botocore(env))
            for row in rows:
                events = [row.event() for _ in range(EVENTS)]
                times[row.name].append(row.container.run(row.event(), events, env))
    return report(times, calls, statistics.median(imports_ms))


def handlers(folder: Path) -> list[Handler]:
    """The handlers in pairs: a minimal one, then the chat's."""
    plain_store, plain_publish = plain("plain_store", folder), plain("plain_publish", folder)
    store, publish = packed("store_message", folder), packed("publish_transcript", folder)
    return [
        Handler("plain boto3, SNS to table", plain_store, delivery),
        Handler("store_message", store, delivery),
        Handler("plain boto3, stream to S3", plain_publish, lambda: batch(1, 1)),
        Handler("publish_transcript", publish, lambda: batch(1, 1)),
        Handler("plain, 100 records of 10 channels", plain_publish, lambda: batch(10, 10)),
        Handler("publish_transcript, the same", publish, lambda: batch(10, 10)),
    ]


def delivery() -> Event:
    """An event with one new message."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"message": "Hello there", "channel": "lobby", "client_id": uuid.uuid4().hex}
    return {"Records": [sns_record(body, TOKEN, MessageId=str(uuid.uuid4()), Timestamp=now)]}


def batch(channels: int, messages: int) -> Event:
    """A stream event with `messages` new messages in each of `channels` channels."""
    return {
        "Records": [
            insert(f"channel-{number % channels}", number) for number in range(channels * messages)
        ]
    }


def import_botocore(env: dict[str, str]) -> float:
    """The processor milliseconds of importing the SDK's core in a new process."""
    command = [sys.executable, "-c", IMPORTS]
    return float(subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True).stdout)


def count(row: Handler, env: dict[str, str], between: proxy.Proxy) -> str:
    """The AWS calls of one event, as text."""
    calls = row.container.calls(row.event, env, between)
    return ", ".join(f"{number} {name}" for name, number in sorted(calls.items()))


def report(
    times: dict[str, list[dict[str, float]]], calls: dict[str, str], imports_ms: float
) -> str:
    """A table of medians, with the ratio of the chat's handlers to the minimal ones."""
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in times.items()
    }
    names = list(medians)
    first = medians[names[0]]["init_ms"]
    floor = f"{imports_ms:.1f} ({imports_ms / first:.2f})"
    rows = [["importing botocore only", floor, "", "", ""]]
    for place, (name, of) in enumerate(medians.items()):
        base = medians[names[place - place % 2]]
        cells = [f"{of[key]:.1f} ({of[key] / base[key]:.2f})" for key in of]
        rows.append([name, *cells, calls[name]])
    heads = ["handler", "init", "first event", "each event", "calls of each event"]
    return f"""\
## Handlers

Milliseconds of processor time in a container: start-up, the first event, and each of {EVENTS} more;
median of {ROUNDS} containers, taken in turn. In brackets: the ratio to the plain boto3 handler
above, which checks nothing, has no limits, keeps no statistics and writes unconditionally.

{table(heads, rows)}"""
