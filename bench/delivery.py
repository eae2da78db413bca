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
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
STEADY, SECONDS = 3, 15  # messages a second
LIVELY, LIVELY_SECONDS, LIVELY_PAGES = (10, 40, 100), 10, 3
READY_S, QUIET_S = 60.0, 5.0
POLL_S, OLD_WINDOW = 1.0, 20
WAIT_S = 0.2
At = dict[str, float]  # text to seconds since the epoch
# Read a channel without a page: first nothing, once connected, then again and again what is new.
Messages = Generator[list[dict[str, str]], None, None]
Read = Callable[[str], Messages]


@dataclass(frozen=True)
class Way:
    """A way to readers; `send` takes the channel, the number of messages and the rate a second."""

    name: str
    open_page: Callable[[Browser, str], Page]
    read: Read
    send: Callable[[str, int, float], At]


@dataclass(frozen=True)
class Run:
    """When each message was sent, was on each page's screen, and was read by each other reader."""

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
        push, polls, sample = ways(config)
        runs = {
            (count, way.name): steady(browser, way, count)
            for count in READERS
            for way in (push, polls, sample)
        }
        # a busy channel needs more processes of the functions
        push.send("lively-warm", 5 * max(LIVELY), max(LIVELY))
        lively_runs = {rate: lively(browser, push, polls, config, rate) for rate in LIVELY}
    return f"{steady_report(runs)}\n{lively_report(lively_runs)}"


def ways(config: ChatConfig) -> list[Way]:
    """The ways to compare: push, polls, the WebSocket sample."""
    sample, keys = SampleChat(), crowd.credentials(config, "Subscriber")[1]

    def subscribe(channel: str) -> Messages:
        with crowd.listen(config, keys, channel) as listener:
            yield []
            while True:
                _topic, payload = listener.heard(WAIT_S) or ("", b"{}")
                yield json.loads(payload).get("messages", [])

    def connect(_channel: str) -> Messages:
        with contextlib.closing(sample.connect()) as socket:
            yield []
            while True:
                try:
                    yield [json.loads(socket.receive(WAIT_S))]
                except TimeoutError:
                    yield []

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


def polling(config: ChatConfig, window: int = 0) -> Read:
    """Read the newest `window` messages (0: all) by a conditional GET each second."""
    s3 = boto3.client("s3", config=Config(max_pool_connections=max(READERS)))

    def poll(channel: str) -> Messages:
        yield []
        key, etag = f"{config.data_prefix}{channel}.json", "none"
        time.sleep(random.uniform(0, POLL_S))
        while True:
            messages = []
            try:
                answer = s3.get_object(Bucket=config.s3_bucket, Key=key, IfNoneMatch=etag)
                etag, messages = answer["ETag"], json.loads(answer["Body"].read())["messages"]
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (304, 403, 404):
                    raise
            yield messages[-window:]
            time.sleep(POLL_S)

    return poll


def steady(browser: Browser, way: Way, count: int) -> Run:
    """Write to `count` readers at a steady rate."""
    channel = f"steady-{way.name.split()[0].lower()}-{count}"
    pages = [way.open_page(browser, channel) for _ in range(count if count <= PAGES else 1)]
    return write(way, channel, STEADY, SECONDS, pages, [way.read] * (count - len(pages)))


def lively(browser: Browser, push: Way, polls: Way, config: ChatConfig, rate: int) -> Run:
    """Write to a busy channel, to pages with push, a page that polls, and a reader as in 2015."""
    channel = f"lively-{rate}"
    pages = [push.open_page(browser, channel) for _ in range(LIVELY_PAGES)]
    pages.append(polls.open_page(browser, channel))
    return write(push, channel, rate, LIVELY_SECONDS, pages, [polling(config, OLD_WINDOW)])


def write(
    way: Way, channel: str, rate: int, seconds: int, pages: list[Page], readers: list[Read]
) -> Run:
    """Send to a channel's pages and readers, which are threads; close the pages after."""
    seen: list[At] = [{} for _ in readers]
    ready, ended = threading.Barrier(1 + len(readers), timeout=READY_S), threading.Event()

    def follow(read: Read, seen: At) -> None:
        with contextlib.closing(read(channel)) as batches:
            next(batches)
            ready.wait()
            while not ended.is_set():
                for message in next(batches):
                    seen.setdefault(message["message"], time.time())

    with ThreadPoolExecutor(1 + len(readers)) as pool:
        running = [pool.submit(follow, *each) for each in zip(readers, seen, strict=True)]
        try:
            ready.wait()
            sent = way.send(channel, rate * seconds, rate)
            shown = settle(sent, pages, seen)
        except threading.BrokenBarrierError as error:
            raise KappaError("A reader did not connect.") from error
        finally:
            ended.set()
            for page in pages:
                page.context.close()
    for reader in running:
        reader.result()  # raises what ended it
    return Run(sent, shown, seen)


def settle(sent: At, pages: list[Page], seen: list[At]) -> list[At]:
    """Wait until all have everything, or get no more for QUIET_S; return what pages have shown."""
    known, since_s = 0, time.monotonic()
    while True:
        times_ms = [crowd.shown_ms(page) for page in pages]
        shown = [{text: at_ms / 1000 for text, at_ms in of.items()} for of in times_ms]
        count = sum(map(len, shown + seen))
        if count > known:
            known, since_s = count, time.monotonic()
        is_whole = all(sent.keys() <= texts.keys() for texts in shown + seen)
        if is_whole or time.monotonic() - since_s > QUIET_S:
            return shown
        pages[0].wait_for_timeout(200)


def delays_ms(sent: At, readers: list[At]) -> list[float]:
    """The milliseconds from each message's publish until each reader had it."""
    return [1000 * (seen[text] - sent[text]) for seen in readers for text in sent.keys() & seen]


def missed(sent: At, readers: list[At]) -> int:
    """How many messages the readers never had, all together."""
    return sum(len(sent.keys() - seen) for seen in readers)


def steady_report(runs: dict[tuple[int, str], Run]) -> str:
    """The delays until messages are on the screen, and until other readers have them."""
    rows: list[list[object]] = []
    for (count, way), run in runs.items():
        push = runs[count, "push"]
        for name, readers, base in (
            ("on the screen", run.shown, push.shown),
            ("read without a page", run.read, push.read),
        ):
            if readers:
                cuts = percentiles(delays_ms(run.sent, readers))
                ratio = cuts[0] / percentiles(delays_ms(push.sent, base))[0]
                lost = f"{missed(run.sent, readers):,} of {len(run.sent) * len(readers):,}"
                rows.append([count, way, name, *cuts, ratio, lost])
    heads = ["readers", "by", "publish until", "p50, ms", "p95, ms", "p99, ms", "x push", "missed"]
    return f"""\
## Delivery

{STEADY} messages a second for {SECONDS} s, the ways in turn. 1 or {PAGES} readers are pages in
Chromium; of 50, one is. Push and polls are the same page, with push and without. The WebSocket
sample's one function stores a message and posts it to each connection in a loop: it checks no
sender, keeps no order, and writes no transcript.

{table(heads, rows)}"""


def lively_report(runs: dict[int, Run]) -> str:
    """The messages that a busy channel's readers never see."""
    rows: list[list[object]] = []
    for rate, run in runs.items():
        reached = round((len(run.sent) - 1) / (max(run.sent.values()) - min(run.sent.values())))
        *pushed, polled = run.shown
        lost = [missed(run.sent, readers) for readers in (pushed, [polled], run.read)]
        share = f"{100 * lost[-1] / len(run.sent):.0f} %"
        p50, p95, _ = percentiles(delays_ms(run.sent, pushed))
        rows.append([rate, reached, *lost, share, p50, p95])
    heads = ["messages/s", "reached", f"lost by push, {LIVELY_PAGES} pages",
             "lost by polls", "lost in 2015", "of all", "push p50, ms", "p95, ms"]  # fmt: skip
    return f"""\
## Messages lost in a busy channel

One channel, {LIVELY_SECONDS} s at each rate, or at the rate that the emulator reached. The 2015
page polled every second and saw only the newest {OLD_WINDOW} messages.

{table(heads, rows)}"""
