"""Send many messages at a steady rate; check that each is stored, published and shown once.

Usage:
  load [--messages=N] [--rate=N]

Eight people write into four channels, each of which somebody has open in Chromium. After the last
message every one must be in the table once, each transcript must be, entry by entry, the window of
what a consistent Query says, and each page must have shown every message of its channel, none
twice at a time. The emulator, unlike AWS, hands a message to its function once only: what is not
stored is sent again with its client id, as "Retry" does, and counted. Prints the rate, the
latencies and what became of the messages; the exit code is 1 when anything is not as it must be.
Run it beside a chat of its own: python -m local run -- python -m tests.soak.load

Options:
  --messages=N  how many [default: 5000]
  --rate=N      a second [default: 25]
"""

from __future__ import annotations

import json
import os
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

from bench.report import percentiles
from lambda_chat.config import ChatConfig, read_config
from local.testkit.chromium import MISSING, chromium_path, launch, sign_in
from tests.soak.stored import published, stored, window

ROOT = Path(__file__).resolve().parents[2]

SENDERS, CHANNELS = 8, 4
SETTLE_S, RETRY_AFTER_S = 90.0, 15.0
# when each text came to the page first, and how often it stood there at one time at the most: the
# page takes lines out that are far away, and puts them in again
WATCH = """
window.shown = new Map();
window.at_once = new Map();
new MutationObserver(() => {
  const now = new Map();
  for (const one of document.querySelectorAll(".message .text"))
    now.set(one.textContent, 1 + (now.get(one.textContent) ?? 0));
  for (const [text, count] of now) {
    if (!window.shown.has(text)) window.shown.set(text, Date.now());
    window.at_once.set(text, Math.max(count, window.at_once.get(text) ?? 0));
  }
}).observe(document, { subtree: true, childList: true });
"""


@dataclass
class Run:
    """What was sent: the text of each message, and when (ms since the epoch), by channel."""

    sent: dict[str, dict[str, float]]
    again: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    answered_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0


def sender_client(config: ChatConfig, token: str) -> Any:
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


def send_all(
    config: ChatConfig, channels: list[str], count: int, rate: float, senders: int = SENDERS
) -> Run:
    """Let every sender write at its share of the rate, each on its own clock."""
    run = Run(sent={channel: {} for channel in channels})
    starts_at = time.monotonic() + 1

    def write(number: int) -> None:
        identity = token(f"Sender {number}")
        sns = sender_client(config, identity)
        attribute = {"id_token": {"DataType": "String", "StringValue": identity}}
        for index in range(number, count, senders):
            time.sleep(max(0.0, starts_at + index / rate - time.monotonic()))
            channel = channels[index // senders % len(channels)]
            text = f"message {index} of {channel}"
            client_id = f"{time.time_ns()}-{number}"
            body = {"message": text, "channel": channel, "client_id": client_id}
            run.sent[channel][text] = time.time() * 1000
            message = {"Message": json.dumps(body), "MessageAttributes": attribute}
            run.bodies[text] = sns, {"TopicArn": config.sns_topic_arn, **message}
            began = time.perf_counter()
            try:
                sns.publish(**run.bodies[text][1])
            except Exception as error:  # noqa: BLE001 - told at the end; the others go on
                run.errors.append(f"{text}: {error}")
            run.answered_s.append(time.perf_counter() - began)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.seconds = time.monotonic() - starts_at
    return run


def send_again(config: ChatConfig, run: Run) -> None:
    """Send once more what is not stored, as its senders would."""
    for channel, sent in run.sent.items():
        texts = {text for _, text, _, _ in stored(config, channel)}
        for text in sent.keys() - texts:
            sns, message = run.bodies[text]
            sns.publish(**message)
            run.again[text] += 1


def warm_up(config: ChatConfig, run_id: str) -> None:
    """Let the functions start: the emulator has a process for each call at the same time."""
    run = send_all(config, [f"load-{run_id}-warm-{number}" for number in range(CHANNELS)], 64, 16)
    for _ in range(20):
        send_again(config, run)
        time.sleep(2)
        if all(len(stored(config, name)) == len(sent) for name, sent in run.sent.items()):
            return


def open_pages(browser: Any, channels: list[str]) -> dict[str, Page]:
    """Somebody in each channel, by the page."""
    pages = {}
    for channel in channels:
        page = browser.new_context().new_page()
        page.add_init_script(WATCH)
        page.goto(f"{os.environ['LAMBDA_CHAT_URL']}#{channel}")
        sign_in(page, f"Reader of {channel}")
        expect(page.locator("#status")).to_contain_text("Connected")
        pages[channel] = page
    return pages


@dataclass
class Found:
    """What became of the messages: how many, and what is not as it must be."""

    stored: int = 0
    published: int = 0
    shown: int = 0
    faults: list[str] = field(default_factory=list)


def look(config: ChatConfig, run: Run, pages: dict[str, Page]) -> Found:
    """Look for every message in the table, in the transcripts, on the pages."""
    found = Found(faults=list(run.errors))
    for channel, sent in run.sent.items():
        rows = stored(config, channel)
        counts = Counter(text for _, text, _, _ in rows)
        wrong = [f"not stored: {text}" for text in sent if not counts[text]]
        wrong += [f"stored {n} times: {text}" for text, n in counts.items() if n > 1]
        entries = published(config, channel)
        if entries != window(rows, config.history):
            wrong.append("the transcript is not the window of a consistent Query")
        shown, at_once = shown_at(pages[channel]), most_at_once(pages[channel])
        wrong += [f"not shown: {text}" for text in sent if text not in shown]
        wrong += [f"shown {n} times: {text}" for text, n in at_once.items() if n > 1]
        found.stored += sum(counts[text] > 0 for text in sent)
        found.published += len(entries)
        found.shown += sum(text in shown for text in sent)
        found.faults += [f"{channel}: {what}" for what in wrong]
    return found


def shown_at(page: Page) -> dict[str, float]:
    """When each text came to the page first."""
    found: dict[str, float] = page.evaluate("() => Object.fromEntries(window.shown)")
    return found


def most_at_once(page: Page) -> dict[str, int]:
    """How often each text stood on the page at one time, at the most."""
    found: dict[str, int] = page.evaluate("() => Object.fromEntries(window.at_once)")
    return found


def settle(config: ChatConfig, run: Run, pages: dict[str, Page]) -> Found:
    """Wait until nothing is wrong, or no longer; the first seconds are for what is on its way."""
    deadline, again_at = time.monotonic() + SETTLE_S, time.monotonic() + RETRY_AFTER_S
    while (found := look(config, run, pages)).faults and time.monotonic() < deadline:
        if time.monotonic() > again_at:
            again_at += RETRY_AFTER_S
            send_again(config, run)
        for page in pages.values():
            page.wait_for_timeout(500)
    return found


def lift_the_rate_limit() -> None:
    """Eight people stand for many here; the limit for one person is not what is measured."""
    path = Path(os.environ["LAMBDA_CHAT_CONFIG"])
    path.write_text(f"rate_limit: 0\n{path.read_text()}")
    deploy = ["kappa", str(ROOT / "lambda/sns/config.yml"), "deploy", "--wait"]
    subprocess.run(deploy, check=True, capture_output=True)


def report(run: Run, pages: dict[str, Page], found: Found) -> str:
    """A Markdown table."""
    count = sum(len(sent) for sent in run.sent.values())
    shown = {channel: shown_at(page) for channel, page in pages.items()}
    delays = [
        (shown[channel][text] - at) / 1000
        for channel, sent in run.sent.items()
        for text, at in sent.items()
        if text in shown[channel]
    ]
    rows = {"SNS answered": run.answered_s, "shown in the page": delays}
    lines = [
        f"\n## {count} messages, {SENDERS} senders, {CHANNELS} channels, "
        f"{count / run.seconds:.1f} a second\n",
        "| publish until | p50, ms | p95, ms | p99, ms |",
        "|---|---:|---:|---:|",
    ]
    for name, seconds in rows.items():
        cuts = [f"{1000 * cut:.0f}" for cut in percentiles(seconds)]
        lines.append(f"| {name} | {' | '.join(cuts)} |")
    lines.append(
        f"\n{count} sent, {found.stored} stored, {found.shown} shown; {found.published} published "
        f"in {len(pages)} transcripts; {len(run.again)} sent again; {len(found.faults)} faults"
    )
    return "\n".join([*lines, *found.faults[:20]])


def main() -> None:
    """Run, check, print; exit code 1 when anything was lost or doubled."""
    arguments = docopt(__doc__ or "")
    if "LAMBDA_CHAT_URL" not in os.environ:
        sys.exit("Run it as: python -m local run -- python -m tests.soak.load")
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
        warm_up(config, run_id)
        run = send_all(config, channels, int(arguments["--messages"]), float(arguments["--rate"]))
        found = settle(config, run, pages)
        print(report(run, pages, found))
        browser.close()
    sys.exit(bool(found.faults))


if __name__ == "__main__":
    main()
