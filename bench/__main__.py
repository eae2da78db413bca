"""Measure the chat in local mode and print two tables: `make bench`.

Every figure stands beside what it is compared with, run in turn on the same machine, so the ratio
means something where the milliseconds do not.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from chatconfig import read_config
from kappa.errors import KappaError
from local import bootstrap

ROUNDS = 15
DEADLINE_S = 20.0
POLL_S = 0.005


def main() -> int:
    """Run every measurement against one chat."""
    try:
        with bootstrap.chat(report=lambda line: print(line, file=sys.stderr)) as chat:
            os.environ.update(chat.env)
            print(table("Commands", "python -c pass", commands(chat.env)))
            print(table("A message", "S3 PUT and GET", messages()))
    except KappaError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def table(title: str, base: str, rows: dict[str, list[float]]) -> str:
    """A Markdown table of medians, each as a multiple of the `base` row's."""
    unit = statistics.median(rows[base])
    lines = [f"\n## {title} ({ROUNDS} rounds, in turn)\n"]
    lines += [f"| what | median, ms | p95, ms | x {base} |", "|---|---:|---:|---:|"]
    for name, seconds in rows.items():
        median = statistics.median(seconds)
        p95 = statistics.quantiles(seconds, n=20)[-1]
        lines.append(f"| {name} | {median * 1e3:.0f} | {p95 * 1e3:.0f} | {median / unit:.1f} |")
    return "\n".join(lines)


def commands(env: dict[str, str]) -> dict[str, list[float]]:
    """Wall seconds of whole processes."""
    sns = str(bootstrap.ROOT / "lambda/sns/config.yml")
    argvs = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import boto3'": [sys.executable, "-c", "import boto3"],
        "kappa --help": ["kappa", "--help"],
        "kappa CONFIG status": ["kappa", sns, "status"],
        "kappa CONFIG create (all there)": ["kappa", sns, "create"],
        "resources.py cf": [sys.executable, str(bootstrap.ROOT / "resources.py"), "cf"],
    }

    def run(argv: list[str]) -> Callable[[], object]:
        return lambda: subprocess.run(argv, env=env, check=True, capture_output=True)

    return in_turn({name: run(argv) for name, argv in argvs.items()})


def messages() -> dict[str, list[float]]:
    """Seconds from a signed-in publish to its transcript, beside a bare round trip."""
    config = read_config(Path(os.environ["LAMBDA_CHAT_CONFIG"]))
    token = _token("Bench")
    found = boto3.client("sts", config=Config(signature_version=UNSIGNED))
    keys = found.assume_role_with_web_identity(
        RoleArn=config.website_iam_role_arn, RoleSessionName="bench", WebIdentityToken=token
    )["Credentials"]
    sns = boto3.client(
        "sns",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    s3 = boto3.client("s3")
    probe = f"{config.data_prefix}bench-probe.json"

    def bare() -> None:
        s3.put_object(Bucket=config.s3_bucket, Key=probe, Body=b"{}")
        s3.get_object(Bucket=config.s3_bucket, Key=probe)["Body"].read()

    def publish() -> None:
        client_id = f"bench-{time.time_ns()}"
        body = {"message": "bench", "channel": "bench", "client_id": client_id}
        attribute = {"id_token": {"DataType": "String", "StringValue": token}}
        sns.publish(
            TopicArn=config.sns_topic_arn, Message=json.dumps(body), MessageAttributes=attribute
        )
        _wait_for(
            lambda: _shows(s3, config.s3_bucket, f"{config.data_prefix}bench.json", client_id)
        )

    publish()  # the functions' first containers start here
    rows = in_turn({"S3 PUT and GET": bare, "publish to transcript": publish})
    s3.delete_object(Bucket=config.s3_bucket, Key=probe)
    return rows


def in_turn(actions: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Wall seconds of each action, ROUNDS times, interleaved so that all see the same machine."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def _shows(s3: object, bucket: str, key: str, client_id: str) -> bool:
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()  # type: ignore[attr-defined]
    except s3.exceptions.NoSuchKey:  # type: ignore[attr-defined]
        return False
    return any(line.get("client_id") == client_id for line in json.loads(body)["messages"])


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise KappaError(f"A message did not reach its transcript within {DEADLINE_S:.0f} s.")
        time.sleep(POLL_S)


def _token(name: str) -> str:
    request = urllib.request.Request(
        f"{os.environ['LAMBDA_CHAT_IDP_URL']}/token",
        data=json.dumps({"name": name}).encode(),
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: str = json.load(answer)["id_token"]
    return found


if __name__ == "__main__":
    sys.exit(main())
