"""The emulated AWS of a bench, and what several benches create in it."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3

from local import emulator
from local.testkit import proxy
from local.testkit.environment import settings

BUCKET = "bench"


@contextlib.contextmanager
def emulated() -> Iterator[tuple[Path, proxy.Proxy]]:
    """Run an emulator with a bucket; yield a temporary folder, and a proxy that counts its calls.

    This process's environment and its commands' is that of the emulator, the folder is their home:
    no tool finds the user's settings.
    """
    with (
        tempfile.TemporaryDirectory(prefix="lambda-chat-", ignore_cleanup_errors=True) as home,
        emulator.running(proxied=True) as aws,
        proxy.running(aws.endpoint_url) as between,
        settings(emulator.environment(aws.endpoint_url, "test") | {"HOME": home}),
    ):
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield Path(home), between


def create_table(name: str, *keys: str) -> None:
    """Create a table with a partition key and perhaps a sort key."""
    schema = zip(keys, ("HASH", "RANGE"), strict=False)
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in schema],
    )


def policy(**statement: object) -> str:
    """A policy that allows one statement."""
    allowed = {"Effect": "Allow", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


TRUST = policy(Action="sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
