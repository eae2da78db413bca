"""Send many messages at a steady rate; check that each is stored, published and shown once.

Usage:
  load.py [--messages=N] [--rate=N]

Eight people write into four channels, each of which somebody has open in Chromium. After the last
message every one must be in the table once, each transcript must equal a consistent Query, and
each page must have shown every message of its channel. Prints the rate and the latencies.
Run it beside a chat of its own: python -m local run -- python bench/load.py

Options:
  --messages=N  how many [default: 5000]
  --rate=N      a second [default: 25]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from docopt import docopt
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from chatconfig import ChatConfig, read_config  # noqa: E402
from tests.chromium import MISSING, chromium_path, launch  # noqa: E402

SENDERS, CHANNELS = 8, 4
SETTLE_S = 60.0
# what a line says, and when it came to the page first: the observer sees each line once
WATCH = """
window.shown = new Map();
new MutationObserver((changes) => {
  for (const change of changes)
    for (const node of change.addedNodes) {
      if (!(node instanceof Element)) continue;
      const lines = node.matches(".message") ? [node] : node.querySelectorAll(".message");
      for (const one of lines) {
        const text = one.querySelector(".text")?.textContent;
        if (text && !window.shown.has(text)) window.shown.set(text, Date.now());
      }
    }
}).observe(document, { subtree: true, childList: true });
"""


@dataclass
class Run:
    """What was sent: the text of each message, and when (ms since the epoch), by channel."""

    sent: dict[str, dict[str, float]]
    answered_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0


def sender_client(config: ChatConfig, token: str) -> Any:  # noqa: ANN401
    """An SNS client with the credentials that the page would have."""
    sts = boto3.client("sts", config=Config(signature_version=UNSIGNED))
    keys = sts.assume_role_with_web_identity(
        RoleArn=config.website_iam_role_arn, RoleSessionName="load", WebIdentityToken=token
    )["Credentials"]
    return boto3.client(
        "sns",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def token(name: str) -> str:
    """An ID token of the stand-in."""
    request = urllib.request.Request(
        f"{os.environ['LAMBDA_CHAT_IDP_URL']}/token",
        data=json.dumps({"name": name}).encode(),
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["id_token"])


def send_all(config: ChatConfig, channels: list[str], count: int, rate: float) -> Run:
    """Let every sender write at its share of the rate, each on its own clock."""
    run = Run(sent={channel: {} for channel in channels})
    starts_at = time.monotonic() + 1

    def write(number: int) -> None:
        identity = token(f"Sender {number}")
        sns = sender_client(config, identity)
        attribute = {"id_token": {"DataType": "String", "StringValue": identity}}
        for index in range(number, count, SENDERS):
            time.sleep(max(0.0, starts_at + index / rate - time.monotonic()))
            channel = channels[index // SENDERS % CHANNELS]
            text = f"message {index} of {channel}"
            client_id = f"{time.time_ns()}-{number}"
            body = {"message": text, "channel": channel, "client_id": client_id}
            run.sent[channel][text] = time.time() * 1000
            began = time.perf_counter()
            try:
                sns.publish(
                    TopicArn=config.sns_topic_arn,
                    Message=json.dumps(body),
                    MessageAttributes=attribute,
                )
            except Exception as error:  # noqa: BLE001 - told at the end; the others go on
                run.errors.append(f"{text}: {error}")
            run.answered_s.append(time.perf_counter() - began)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.seconds = time.monotonic() - starts_at
    return run


def open_pages(browser: Any, channels: list[str]) -> dict[str, Page]:  # noqa: ANN401
    """Somebody in each channel, by the page."""
    pages = {}
    for channel in channels:
        page = browser.new_context().new_page()
        page.add_init_script(WATCH)
        page.goto(f"{os.environ['LAMBDA_CHAT_URL']}#{channel}")
        frame = page.frame_locator("#sign-in-slot iframe")
        frame.get_by_role("textbox", name="Your name").fill(f"Reader of {channel}")
        frame.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("status")).to_contain_text("Connected")
        pages[channel] = page
    return pages


def stored(config: ChatConfig, channel: str) -> list[dict[str, str]]:
    """Every message of the channel in the table, oldest first."""
    pages = (
        boto3.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=config.dynamodb_table,
            KeyConditionExpression="channel = :channel",
            ExpressionAttributeValues={":channel": {"S": channel}},
            ConsistentRead=True,
        )
    )
    rows = [row for page in pages for row in page["Items"]]
    return [{"id": row["id"]["S"], "text": row["message"]["S"]} for row in rows]


def published(config: ChatConfig, channel: str) -> list[str]:
    """The ids in the transcript, oldest first."""
    key = f"{config.data_prefix}{channel}.json"
    body = boto3.client("s3").get_object(Bucket=config.s3_bucket, Key=key)["Body"].read()
    return [message["id"] for message in json.loads(body)["messages"]]


def faults(config: ChatConfig, run: Run, pages: dict[str, Page]) -> list[str]:
    """What is not as it must be; empty when all is well."""
    wrong = list(run.errors)
    for channel, sent in run.sent.items():
        rows = stored(config, channel)
        counts = Counter(row["text"] for row in rows)
        wrong += [f"{channel}: not stored: {text}" for text in sent if not counts[text]]
        wrong += [f"{channel}: stored {n} times: {text}" for text, n in counts.items() if n > 1]
        ids = published(config, channel)
        if ids != [row["id"] for row in rows][-len(ids) :]:
            wrong.append(f"{channel}: the transcript differs from a consistent Query")
        shown = shown_at(pages[channel])
        wrong += [f"{channel}: not shown: {text}" for text in sent if text not in shown]
    return wrong


def shown_at(page: Page) -> dict[str, float]:
    """When each text came to the page first."""
    found: dict[str, float] = page.evaluate("() => Object.fromEntries(window.shown)")
    return found


def settle(config: ChatConfig, run: Run, pages: dict[str, Page]) -> list[str]:
    """Wait until nothing is wrong, or no longer."""
    deadline = time.monotonic() + SETTLE_S
    while (wrong := faults(config, run, pages)) and time.monotonic() < deadline:
        for page in pages.values():
            page.wait_for_timeout(500)
    return wrong


def lift_the_rate_limit() -> None:
    """Eight people stand for many here; the limit for one person is not what is measured."""
    path = Path(os.environ["LAMBDA_CHAT_CONFIG"])
    path.write_text(f"rate_limit: 0\n{path.read_text()}")
    deploy = ["kappa", str(ROOT / "lambda/sns/config.yml"), "deploy", "--wait"]
    subprocess.run(deploy, check=True, capture_output=True)


def report(run: Run, pages: dict[str, Page], wrong: list[str]) -> str:
    """A Markdown table."""
    count = sum(len(sent) for sent in run.sent.values())
    shown = {channel: shown_at(page) for channel, page in pages.items()}
    delays = [
        (shown[channel][text] - at) / 1000
        for channel, sent in run.sent.items()
        for text, at in sent.items()
        if text in shown[channel]
    ]
    rows = [("SNS answered", run.answered_s), ("shown in the page", delays)]
    lines = [
        f"\n## {count} messages, {SENDERS} senders, {CHANNELS} channels, "
        f"{count / run.seconds:.1f} a second\n",
        "| publish until | p50, ms | p95, ms | p99, ms |",
        "|---|---:|---:|---:|",
    ]
    for name, seconds in rows:
        cuts = [1000 * cut for cut in statistics.quantiles(seconds, n=100)]
        lines.append(f"| {name} | {cuts[49]:.0f} | {cuts[94]:.0f} | {cuts[98]:.0f} |")
    lines.append(f"\n{count} sent, {len(delays)} shown, {len(wrong)} faults")
    return "\n".join([*lines, *wrong[:20]])


def main() -> None:
    """Run, check, print; exit code 1 when anything was lost or doubled."""
    arguments = docopt(__doc__ or "")
    if "LAMBDA_CHAT_URL" not in os.environ:
        sys.exit("Run it as: python -m local run -- python bench/load.py")
    expect.set_options(timeout=15_000)
    config = read_config(Path(os.environ["LAMBDA_CHAT_CONFIG"]))
    lift_the_rate_limit()
    run_id = uuid.uuid4().hex[:6]
    channels = [f"load-{run_id}-{number}" for number in range(CHANNELS)]
    with sync_playwright() as playwright:
        path = chromium_path(playwright)
        if path is None:
            sys.exit(f"Nothing was measured: {MISSING}")
        browser = launch(playwright, path)
        pages = open_pages(browser, channels)
        run = send_all(config, channels, int(arguments["--messages"]), float(arguments["--rate"]))
        wrong = settle(config, run, pages)
        print(report(run, pages, wrong))
        browser.close()
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
