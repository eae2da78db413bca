"""Measure the time from one user's publish to another's screen, and what the 2015 page missed.

Readers poll as the visible page does: a conditional signed GET every second. One is the page itself
in Chromium; the others are threads, which are cheaper. The 2015 reader also polls every second, but
sees only the newest 20 messages.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from botocore.exceptions import ClientError
from playwright.sync_api import Browser, Page, expect

from bench.environment import settings
from bench.report import percentiles, table
from kappa.errors import KappaError
from lambda_chat.config import ChatConfig, read_config
from local import bootstrap
from local.testkit import crowd
from local.testkit.chromium import browsing

READERS = (1, 10, 50)
STEADY = 3.0  # messages a second
SECONDS = 15.0
LIVELY = (10, 20, 40)
LIVELY_SECONDS = 8.0
SETTLE_S = 15.0
POLL_S = 1.0
WRITERS = 4
WATCH_S = 0.02
OLD_WINDOW = 20
At = dict[str, float]  # text to seconds since the epoch


@dataclass
class Reader:
    """A thread that polls one channel, and when it first saw each message."""

    poll_s: float
    jitter: float = 0.1
    window: int | None = None
    seen: At = field(default_factory=dict)

    def read(self, config: ChatConfig, channel: str, ended: threading.Event) -> None:
        """Poll until `ended` is set, one request at a time."""
        s3 = boto3.session.Session().client("s3")
        where = {"Bucket": config.s3_bucket, "Key": f"{config.data_prefix}{channel}.json"}
        etag = "none"
        ended.wait(random.uniform(0, self.poll_s))
        while not ended.is_set():
            try:
                answer = s3.get_object(**where, IfNoneMatch=etag)
                etag = answer["ETag"]
                messages = json.loads(answer["Body"].read())["messages"]
                now_s = time.time()
                for message in messages[-self.window :] if self.window else messages:
                    self.seen.setdefault(message["message"], now_s)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (304, 403, 404):
                    raise
            ended.wait(self.poll_s * random.uniform(1 - self.jitter, 1 + self.jitter))


@dataclass
class Channel:
    """One channel and its readers: a fast watcher of the transcript, pollers, and the page."""

    name: str
    config: ChatConfig
    page: Page
    watcher: Reader
    readers: list[Reader]
    old: Reader
    shown: At = field(default_factory=dict)  # on the page; filled when it closes

    def threads(self) -> list[Reader]:
        """All readers but the page."""
        return [self.watcher, self.old, *self.readers]


def measure() -> str:
    """Measure in a new local chat. Raises: KappaError, if there is no Chromium."""
    expect.set_options(timeout=15_000)
    with (
        bootstrap.chat(report=lambda line: print(line, file=sys.stderr)) as chat,
        settings(chat.env),
        browsing() as browser,
    ):
        config = read_config(Path(chat.env["LAMBDA_CHAT_CONFIG"]))
        crowd.lift_the_rate_limit()
        crowd.warm_up(config, "delivery")
        steady = [
            delivered(browser, config, f"steady-{readers}", readers - 1, STEADY, SECONDS)
            for readers in READERS
        ]
        lively = [
            delivered(browser, config, f"lively-{rate}", 1, rate, LIVELY_SECONDS) for rate in LIVELY
        ]
    return f"{steady_report(steady)}\n{lively_report(lively)}"


def delivered(
    browser: Browser, config: ChatConfig, name: str, pollers: int, rate: float, seconds: float
) -> tuple[Channel, At]:
    """Write to a channel, to the page and this many pollers; `rate` in messages a second."""
    with reading(browser, config, name, pollers) as channel:
        sent = write(config, name, rate, seconds)
        settle(channel, sent)
    return channel, sent


@contextlib.contextmanager
def reading(browser: Browser, config: ChatConfig, name: str, pollers: int) -> Iterator[Channel]:
    """Start a channel's readers; stop all of them after."""
    page = crowd.open_page(browser, name)
    others = [Reader(POLL_S) for _ in range(pollers)]
    channel = Channel(name, config, page, Reader(WATCH_S), others, Reader(POLL_S, 0.0, OLD_WINDOW))
    ended = threading.Event()
    threads = [
        threading.Thread(target=reader.read, args=(config, name, ended))
        for reader in channel.threads()
    ]
    for thread in threads:
        thread.start()
    try:
        yield channel
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        channel.shown = {text: at_ms / 1000 for text, at_ms in crowd.shown_ms(page).items()}
        page.context.close()


def write(config: ChatConfig, channel: str, rate: float, seconds: float) -> At:
    """Publish at a steady rate; return when each text was sent.

    Raises: KappaError, if SNS refused a message.
    """
    sent = crowd.send_all(config, [channel], int(rate * seconds), rate, WRITERS)
    if sent.errors:
        raise KappaError(f"{len(sent.errors)} messages were not sent: {sent.errors[0]}")
    return {text: at_ms / 1000 for text, at_ms in sent.at_ms[channel].items()}


def settle(channel: Channel, sent: At) -> None:
    """Wait until the page and its pollers have seen every message, but not beyond SETTLE_S."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        on_page = crowd.shown_ms(channel.page)
        if all(text in on_page for text in sent) and all(
            len(reader.seen) >= len(sent) for reader in channel.readers
        ):
            break
        channel.page.wait_for_timeout(200)
    channel.page.wait_for_timeout(1000 * POLL_S)  # a last poll of the 2015 reader


def delays_ms(sent: At, seen: At) -> list[float]:
    """The milliseconds from each message's publish until it was seen."""
    return [1000 * (seen[text] - at_s) for text, at_s in sent.items() if text in seen]


def steady_report(steady: list[tuple[Channel, At]]) -> str:
    """The delays until messages are in the transcript, read, and on the screen."""
    rows: list[list[object]] = []
    for count, (channel, sent) in zip(READERS, steady, strict=True):
        transcript = delays_ms(sent, channel.watcher.seen)
        floor = percentiles(transcript)[0]
        polled = [delay for reader in channel.readers for delay in delays_ms(sent, reader.seen)]
        expected = len(sent) * len(channel.readers)
        for name, delays, of in (
            ("in the transcript", transcript, len(sent)),
            ("read by the other readers", polled, expected),
            ("on the page's screen", delays_ms(sent, channel.shown), len(sent)),
            ("read as in 2015", delays_ms(sent, channel.old.seen), len(sent)),
        ):
            if of:
                p50, p95, p99 = percentiles(delays)
                missed = of - len(delays)
                rows.append([count, name, p50, p95, p99, p50 / floor, f"{missed:,} of {of:,}"])
    heads = ["readers", "publish until", "p50, ms", "p95, ms", "p99, ms", "x transcript", "missed"]
    return f"""\
## Delivery

{STEADY:g} messages a second in one channel for {SECONDS:g} s. Readers poll every second; the page
polls by its own rule. However many readers there are, each waits half a poll on average.

{table(heads, rows)}"""


def lively_report(lively: list[tuple[Channel, At]]) -> str:
    """The messages that a busy channel's readers never see."""
    rows = []
    for rate, (channel, sent) in zip(LIVELY, lively, strict=True):
        p50, p95, _ = percentiles(delays_ms(sent, channel.shown))
        lost = len(sent) - len(delays_ms(sent, channel.shown))
        old = len(sent) - len(delays_ms(sent, channel.old.seen))
        rows.append([rate, len(sent), lost, old, f"{100 * old / len(sent):.0f} %", p50, p95])
    heads = [
        "messages/s",
        "sent",
        "lost on the page",
        "lost in 2015",
        "",
        "page p50, ms",
        "p95, ms",
    ]
    return f"""\
## Messages lost in a busy channel

One channel, {LIVELY_SECONDS:g} s at each rate. The 2015 page polled every second and saw only the
newest {OLD_WINDOW} messages.

{table(heads, rows)}"""
