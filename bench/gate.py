"""What the gate costs a request: one MiniStack, asked in turn through the gate and past it.

Both ways lead into the same process over a connection each, and take turns, so what the machine
does meanwhile weighs on both alike. It is asked what an open page asks: the poll that is not
modified, and the Query.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from bench.report import table
from kappa.errors import KappaError
from local import emulator, gate

ROUNDS, WARM_UP = 3000, 200
BUCKET, KEY, TABLE = "bench-gate", "data/default.json", "bench-gate"
HEADS = ("request", "past the gate: p50, ms", "through it: p50, ms", "the same pair: p50, µs more",
         "through / past")  # fmt: skip


@dataclass
class Asked:
    """A request, and the milliseconds of each round by the way it took."""

    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    past_ms: list[float] = field(default_factory=list)
    through_ms: list[float] = field(default_factory=list)

    def line(self) -> tuple[object, ...]:
        """Its row of the table."""
        past, through = statistics.median(self.past_ms), statistics.median(self.through_ms)
        pairs = zip(self.past_ms, self.through_ms, strict=True)
        more_us = statistics.median(1000 * (after - before) for before, after in pairs)
        return self.name, past, through, more_us, through / past


def measure() -> str:
    """Ask some thousand times. Raises: KappaError, if an answer is not what it must be."""
    with serving() as (past, through):
        requests = prepared(f"http://{emulator.HOST}:{past}")
        ways = [http.client.HTTPConnection(emulator.HOST, port) for port in (past, through)]
        for one in requests:
            for number in range(WARM_UP + ROUNDS):
                order = (0, 1) if number % 2 else (1, 0)
                took_ms = {index: ask(ways[index], one) for index in order}
                if number >= WARM_UP:
                    one.past_ms.append(took_ms[0])
                    one.through_ms.append(took_ms[1])
        for way in ways:
            way.close()
    text = f"## The gate of local mode\n\n{ROUNDS:,} pairs, in turn, over one connection each.\n"
    return f"{text}\n{table(HEADS, [one.line() for one in requests])}"


def ask(way: http.client.HTTPConnection, one: Asked) -> float:
    """Ask once; the milliseconds until the answer is read."""
    begun_s = time.perf_counter()
    way.request(one.method, one.path, one.body or None, one.headers)
    answer = way.getresponse()
    answer.read()
    took_ms = (time.perf_counter() - begun_s) * 1000
    if answer.status != one.status:
        raise KappaError(f"{one.name}: {answer.status} instead of {one.status}.")
    return took_ms


def prepared(endpoint_url: str) -> list[Asked]:
    """Make what is asked for."""
    keys = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "test"}
    place = {"region_name": "us-east-1", "endpoint_url": endpoint_url}
    s3, dynamodb = (boto3.client(name, **place, **keys) for name in ("s3", "dynamodb"))
    s3.create_bucket(Bucket=BUCKET)
    etag = s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}" * 2000)["ETag"]
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "channel", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "channel", "KeyType": "HASH"}],
    )
    query = {
        "TableName": TABLE,
        "KeyConditionExpression": "channel = :c",
        "ExpressionAttributeValues": {":c": {"S": "default"}},
    }
    browser = {"User-Agent": "Mozilla/5.0", "Sec-Fetch-Site": "same-origin", "Accept": "*/*"}
    day = time.strftime("%Y%m%d", time.gmtime())

    def signed(service: str) -> dict[str, str]:
        scope = f"000000000000/{day}/us-east-1/{service}/aws4_request"
        mark = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return browser | {"Authorization": mark, "X-Amz-Date": stamp}

    poll = signed("s3") | {"If-None-Match": etag}
    asks = signed("dynamodb") | {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.Query",
    }
    return [
        Asked("poll of a transcript, 304", "GET", f"/{BUCKET}/{KEY}", poll, b"", 304),
        Asked("DynamoDB Query", "POST", "/", asks, json.dumps(query).encode(), 200),
    ]


@contextlib.contextmanager
def serving() -> Iterator[tuple[int, int]]:
    """Start a MiniStack with two ports: one past the gate, one through it."""
    folder = Path(tempfile.mkdtemp(prefix="gate-bench-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        listeners = [stack.enter_context(socket.create_server((emulator.HOST, 0))) for _ in "ab"]
        past, through = (listener.getsockname()[1] for listener in listeners)
        descriptors = [listener.fileno() for listener in listeners]
        settings = emulator._environment(emulator.Emulator(past, folder))
        command = [sys.executable, "-m", "bench.gate", *map(str, descriptors), str(through)]
        log = stack.enter_context((folder / "log").open("wb"))
        process = subprocess.Popen(
            command,
            cwd=emulator.ROOT,
            env=settings,
            pass_fds=descriptors,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        stack.callback(process.wait)
        stack.callback(process.send_signal, signal.SIGTERM)
        yield past, through


def serve(past: int, through: int, port: int) -> None:
    """Be that MiniStack, on two descriptors; `port` is the gate's."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    gated = gate.Gate(port, gate.origins_at(port)).before(app)

    async def either(scope: gate.Message, receive: gate.Receive, send: gate.Send) -> None:
        through_it = scope["type"] != "lifespan" and scope["server"][1] == port
        await (gated if through_it else app)(scope, receive, send)

    config = Config()
    config.bind = [f"fd://{past}", f"fd://{through}"]
    asyncio.run(serve(either, config))  # type: ignore[arg-type]


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
