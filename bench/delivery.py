"""Measure the time from one user's publish to another's screen, and what the 2015 page missed.

Three ways in turn, on one emulator: the page with push, the same page without push, which polls,
and an API Gateway WebSocket chat as it is usually written. Most readers of a crowd are threads,
which are cheaper than pages.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from playwright.sync_api import Browser, Page, expect

from bench.report import percentiles, table
from bench.sample_chat import SampleChat
from kappa.errors import KappaError
from lambda_chat.config import ChatConfig, read_config
from local import bootstrap
from local.testkit import crowd
from local.testkit.chromium import browsing
from local.testkit.environment import settings

READERS = (1, 10, 50)
PAGES = 10  # with more readers, one is a page
STEADY, SECONDS = 3.0, 15.0  # messages a second
LIVELY, LIVELY_SECONDS, LIVELY_PAGES = (10, 40, 100), 10.0, 3
SETTLE_S = 60.0
POLL_S, OLD_WINDOW = 1.0, 20
WAIT_S = 0.2
At = dict[str, float]  # text to seconds since the epoch
Read = Callable[["Reader", str, threading.Event], None]


@dataclass
class Reader:
    """A reader without a page: `read` runs in a thread, and notes when it first saw each text."""

    read: Read
    seen: At = field(default_factory=dict)
    ready: threading.Event = field(default_factory=threading.Event)

    def see(self, messages: list[dict[str, str]]) -> None:
        """Note the messages that are new."""
        now_s = time.time()
        for message in messages:
            self.seen.setdefault(message["message"], now_s)


@dataclass(frozen=True)
class Way:
    """How messages get to pages and other readers, and how they are sent.

    `send` takes the channel, the number of messages and the rate a second.
    """

    name: str
    open_page: Callable[[Browser, str], Page]
    read: Read
    send: Callable[[str, int, float], At]


@dataclass
class Run:
    """What was sent by a way to `count` readers (lively: each second), and when each had it."""

    way: str
    count: int
    sent: At
    shown: list[At]
    read: list[At]


def measure() -> str:
    """Measure in a new local chat with push.

    Raises: KappaError, if there is no Chromium, or if SNS refuses a message.
    """
    expect.set_options(timeout=15_000)
    with (
        bootstrap.chat(push=True, report=lambda line: print(line, file=sys.stderr)) as chat,
        settings(chat.env),
        browsing() as browser,
    ):
        config = read_config(Path(chat.env["LAMBDA_CHAT_CONFIG"]))
        crowd.lift_the_rate_limit()
        crowd.warm_up(config, "delivery")
        by_way = ways(config)
        runs = [steady(browser, way, count) for count in READERS for way in by_way]
        # a busy channel needs more processes of the functions
        by_way[0].send("lively-warm", int(5 * max(LIVELY)), max(LIVELY))
        lively_runs = [lively(browser, by_way[0], by_way[1], config, rate) for rate in LIVELY]
    return f"{steady_report(runs)}\n{lively_report(lively_runs)}"


def ways(config: ChatConfig) -> list[Way]:
    """The ways to compare: push, polls, the WebSocket sample."""
    sample, keys = SampleChat(), crowd.credentials(config, "Subscriber")[1]

    def subscribe(reader: Reader, channel: str, ended: threading.Event) -> None:
        with crowd.listen(config, keys, channel) as listener:
            reader.ready.set()
            while not ended.is_set():
                _topic, payload = listener.heard(WAIT_S) or ("", b"{}")
                reader.see(json.loads(payload).get("messages", []))

    def connect(reader: Reader, _channel: str, ended: threading.Event) -> None:
        with contextlib.closing(sample.connect()) as socket:
            reader.ready.set()
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    reader.see([json.loads(socket.receive(WAIT_S))])

    def publish(channel: str, count: int, rate: float) -> At:
        sent = crowd.send_all(config, [channel], count, rate)
        if sent.errors:
            raise KappaError(f"{len(sent.errors)} messages were not sent: {sent.errors[0]}")
        return {text: at_ms / 1000 for text, at_ms in sent.at_ms[channel].items()}

    without_push = partial(crowd.open_page, push=False)
    return [
        Way("push", crowd.open_page, subscribe, publish),
        Way("polls", without_push, polling(config), publish),
        Way("WebSocket sample", lambda browser, _: sample.open_page(browser), connect, sample.send),
    ]


def polling(config: ChatConfig, jitter: float = 0.1, window: int = 0) -> Read:
    """Read the newest `window` messages (0: all) by a conditional GET each second."""
    s3 = boto3.client("s3", config=Config(max_pool_connections=max(READERS)))

    def poll(reader: Reader, channel: str, ended: threading.Event) -> None:
        key, etag = f"{config.data_prefix}{channel}.json", "none"
        reader.ready.set()
        ended.wait(random.uniform(0, POLL_S))
        while not ended.is_set():
            try:
                answer = s3.get_object(Bucket=config.s3_bucket, Key=key, IfNoneMatch=etag)
                etag = answer["ETag"]
                reader.see(json.loads(answer["Body"].read())["messages"][-window:])
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (304, 403, 404):
                    raise
            ended.wait(POLL_S * random.uniform(1 - jitter, 1 + jitter))

    return poll


@contextlib.contextmanager
def reading(channel: str, readers: list[Reader], pages: list[Page]) -> Iterator[None]:
    """Run the readers in threads; stop them and close the pages after."""
    ended = threading.Event()
    threads = [
        threading.Thread(target=reader.read, args=(reader, channel, ended)) for reader in readers
    ]
    for thread in threads:
        thread.start()
    try:
        if not all(reader.ready.wait(SETTLE_S) for reader in readers):
            raise KappaError("A reader did not connect.")
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        for page in pages:
            page.context.close()


def steady(browser: Browser, way: Way, count: int) -> Run:
    """Write to `count` readers at a steady rate."""
    channel = f"steady-{way.name.split()[0].lower()}-{count}"
    pages = [way.open_page(browser, channel) for _ in range(count if count <= PAGES else 1)]
    readers = [Reader(way.read) for _ in range(count - len(pages))]
    with reading(channel, readers, pages):
        sent = way.send(channel, int(STEADY * SECONDS), STEADY)
        shown = settle(sent, pages, readers)
    return Run(way.name, count, sent, shown, [reader.seen for reader in readers])


def lively(browser: Browser, push: Way, polls: Way, config: ChatConfig, rate: float) -> Run:
    """Write to a busy channel, to pages with push, a page that polls, and a reader as in 2015."""
    channel = f"lively-{rate}"
    pages = [push.open_page(browser, channel) for _ in range(LIVELY_PAGES)]
    pages.append(polls.open_page(browser, channel))
    old = Reader(polling(config, 0.0, OLD_WINDOW))
    with reading(channel, [old], pages):
        sent = push.send(channel, int(rate * LIVELY_SECONDS), rate)
        shown = settle(sent, pages, [])
        pages[0].wait_for_timeout(1000 * POLL_S)  # a last poll of the 2015 reader
    return Run("push", int(rate), sent, shown, [old.seen])


def settle(sent: At, pages: list[Page], readers: list[Reader]) -> list[At]:
    """Wait until every page and reader has every message; return what the pages have shown."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        shown = [
            {text: at_ms / 1000 for text, at_ms in crowd.shown_ms(page).items()} for page in pages
        ]
        have = [*shown, *(reader.seen for reader in readers)]
        if all(sent.keys() <= seen.keys() for seen in have) or time.monotonic() > deadline:
            return shown
        pages[0].wait_for_timeout(200)


def delays_ms(sent: At, readers: list[At]) -> list[float]:
    """The milliseconds from each message's publish until each reader had it."""
    return [1000 * (seen[text] - sent[text]) for seen in readers for text in sent.keys() & seen]


def missed(sent: At, readers: list[At]) -> int:
    """How many messages the readers never had, all together."""
    return sum(len(sent.keys() - seen) for seen in readers)


def steady_report(runs: list[Run]) -> str:
    """The delays until messages are on the screen, and until other readers have them."""
    rows: list[list[object]] = []
    for run in runs:
        push = next(each for each in runs if (each.way, each.count) == ("push", run.count))
        for name, readers, base in (
            ("on the screen", run.shown, push.shown),
            ("read without a page", run.read, push.read),
        ):
            if readers:
                cuts = percentiles(delays_ms(run.sent, readers))
                ratio = cuts[0] / percentiles(delays_ms(push.sent, base))[0]
                lost = f"{missed(run.sent, readers):,} of {len(run.sent) * len(readers):,}"
                rows.append([run.count, run.way, name, *cuts, ratio, lost])
    heads = ["readers", "by", "publish until", "p50, ms", "p95, ms", "p99, ms", "x push", "missed"]
    return f"""\
## Delivery

{STEADY:g} messages a second for {SECONDS:g} s, the ways in turn. 1 or {PAGES} readers are pages in
Chromium; of 50, one is. Push and polls are the same page, with push and without. The WebSocket
sample's one function stores a message and posts it to each connection in a loop: it checks no
sender, keeps no order, and writes no transcript.

{table(heads, rows)}"""


def lively_report(runs: list[Run]) -> str:
    """The messages that a busy channel's readers never see."""
    rows: list[list[object]] = []
    for run in runs:
        rate = round((len(run.sent) - 1) / (max(run.sent.values()) - min(run.sent.values())))
        pushed, polled, old = run.shown[:-1], run.shown[-1:], missed(run.sent, run.read)
        lost = [missed(run.sent, pushed), missed(run.sent, polled)]
        share = f"{old:,} ({100 * old / len(run.sent):.0f} %)"
        p50, p95, _ = percentiles(delays_ms(run.sent, pushed))
        rows.append([run.count, rate, len(run.sent), *lost, share, p50, p95])
    heads = ["messages/s", "reached", "sent", f"lost by push, {LIVELY_PAGES} pages",
             "lost by polls", "lost in 2015", "push p50, ms", "p95, ms"]  # fmt: skip
    return f"""\
## Messages lost in a busy channel

One channel, {LIVELY_SECONDS:g} s at each rate, or at the rate that the emulator reached. The 2015
page polled every second and saw only the newest {OLD_WINDOW} messages.

{table(heads, rows)}"""
