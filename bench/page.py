"""The cost of opening, polling and drawing the page, compared with the 2015 page.

Measured in a new chat in local mode. Google's platform script is counted for neither page.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from playwright.sync_api import Browser, Page, expect

from bench.page_harness import NOW_MS, harness, transcript
from bench.report import table
from kappa.errors import KappaError
from local import bootstrap
from local.testkit.chromium import at_google, browsing, sign_in
from local.testkit.environment import settings
from local.testkit.events import operator_record

STORE = "Lambda-Chat-store-message"
DATA = "/data/default.json"
PATIENCE_MS = 15_000
DRAWN = 20
ROUNDS = 20
# The files of the 2015 page, from their npm packages: bytes as text, and with gzip's best level.
ASSETS_2015 = {
    "bootstrap@3.3.4: dist/css/bootstrap.min.css": (117_305, 19_095),
    "bootstrap@3.3.4: dist/js/bootstrap.min.js": (35_951, 9_512),
    "jquery@1.11.2: dist/jquery.min.js": (95_966, 33_286),
    "aws-sdk@2.2.0: dist/aws-sdk.min.js": (443_011, 83_340),
    "lambda-chat.js, its own": (5_964, 0),  # only its size is known
}
NOTE_2015 = (
    "The page used aws-sdk 2.1.12, whose package has no built file and whose build tool can no "
    "longer be installed; 2.2.0 is the oldest release with one. The page's own script and HTML are "
    "not counted where their size is unknown."
)
TEXT = """\
## The page

Bytes are counted by Chromium on the wire, with the responses' headers.
"""


@dataclass
class Exchange:
    """A request and its response."""

    url: str = ""
    up_bytes: int = 0
    down_bytes: int = 0
    text_bytes: int = 0
    status: int = 0
    done: bool = False
    cached: bool = False

    def note(self, event: str, fields: dict[str, Any]) -> None:
        """Take what a network event of the browser adds."""
        if event == "requestWillBeSent":
            self.url = fields["request"]["url"]
            self.up_bytes += len(fields["request"].get("postData", ""))
        elif event == "requestWillBeSentExtraInfo":
            # each header is "name: value\r\n"
            headers = fields["headers"].items()
            self.up_bytes += sum(len(name) + len(text) + 4 for name, text in headers)
        elif event == "requestServedFromCache":
            self.cached = True
        elif event == "responseReceived":
            self.status = fields["response"]["status"]
            self.cached |= fields["response"]["fromDiskCache"]
        elif event == "dataReceived":
            self.text_bytes += fields["dataLength"]
        elif event == "loadingFinished":
            self.down_bytes = int(fields["encodedDataLength"])
            self.done = True


class Wire:
    """A page's requests and responses, from the browser's network events."""

    def __init__(self, page: Page, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._all: dict[str, Exchange] = defaultdict(Exchange)
        self._cdp = page.context.new_cdp_session(page)
        for name in ("requestWillBeSent", "requestWillBeSentExtraInfo", "requestServedFromCache",
                     "responseReceived", "dataReceived", "loadingFinished"):  # fmt: skip
            self._cdp.on(f"Network.{name}", partial(self._note, name))
        self._cdp.send("Network.enable")

    def _note(self, event: str, fields: dict[str, Any]) -> None:
        self._all[fields["requestId"]].note(event, fields)

    def exchanges(self) -> list[Exchange]:
        """The exchanges with the emulator so far that crossed the network."""
        transferred = [each for each in self._all.values() if each.done and not each.cached]
        return [each for each in transferred if each.url.startswith(self._endpoint_url)]

    def poll(self, status: int) -> Exchange | None:
        """The last poll of the transcript that got this status."""
        polls = [each for each in self.exchanges() if DATA in each.url and each.status == status]
        return polls[-1] if polls else None

    def clear(self) -> None:
        """Forget all exchanges so far."""
        self._all.clear()


def measure() -> str:
    """Open the page, sign in, poll and draw; return the tables.

    Raises: KappaError, if the chat does not start or there is no Chromium.
    """
    with (
        bootstrap.chat(report=lambda line: print(line, file=sys.stderr)) as chat,
        browsing() as browser,
    ):
        opened, polls = on_the_wire(browser, chat)
        drawn = drawn_lines(browser)
    heads = (f"of {DRAWN} messages", "the page, ms", "innerHTML of all, ms", "ratio")
    note = "\nThe time to parse, update and lay out; median of "
    note += f"{ROUNDS}, in turn. The plain list sets one string of HTML and scrolls to its end.\n"
    drawing = f"### Drawing a transcript\n\n{table(heads, drawn)}{note}"
    return "\n".join([TEXT, opened, polls, drawing])


def on_the_wire(browser: Browser, chat: bootstrap.Chat) -> tuple[str, str]:
    """The tables for opening and polling."""
    context = browser.new_context(locale="en-GB")
    try:
        page = context.new_page()
        wire = Wire(page, chat.env["AWS_ENDPOINT_URL"])
        first, again = (open_anew(page, wire, chat.url) for _ in range(2))
        wire.clear()
        enter(page)
        entered = wire.exchanges()
        polls = polled(page, wire, chat)
    finally:
        context.close()
    return opened_table(first, again, entered), polls_table(polls)


def open_anew(page: Page, wire: Wire, url: str) -> list[Exchange]:
    """Open the page anew; return its requests until the sign-in button is usable."""
    wire.clear()
    page.goto("about:blank")
    page.goto(url)
    at_google(page)
    page.wait_for_load_state("networkidle")
    return wire.exchanges()


def enter(page: Page) -> None:
    """Sign in, and wait until the channel is shown."""
    sign_in(page, "Ada Lovelace")
    expect(page.get_by_role("status")).to_have_text(
        "Connected as Ada Lovelace", timeout=PATIENCE_MS
    )
    log = page.get_by_role("log", name="Messages")
    expect(log).not_to_have_attribute("aria-busy", "true", timeout=PATIENCE_MS)


def polled(page: Page, wire: Wire, chat: bootstrap.Chat) -> dict[int, Exchange]:
    """By status: a poll that finds nothing new, and one that gets a full transcript."""
    announce(
        chat, [f"Message {number} of an operator, eighty letters or so." for number in range(20)]
    )
    lines = page.get_by_role("log", name="Messages").get_by_role("article")
    lines.filter(has_text="Message 19").wait_for(timeout=PATIENCE_MS)
    wire.clear()
    wait_until(page, lambda: wire.poll(304))
    announce(chat, ["One more message of an operator, as long as all of them."])
    lines.filter(has_text="One more").wait_for(timeout=PATIENCE_MS)
    wait_until(page, lambda: wire.poll(200))
    polls = {status: wire.poll(status) for status in (304, 200)}
    return {status: exchange for status, exchange in polls.items() if exchange}


def wait_until(page: Page, condition: Callable[[], object]) -> None:
    """Let the page run until the condition holds.

    Raises: KappaError, if it does not within PATIENCE_MS.
    """
    for _ in range(PATIENCE_MS // 100):
        if condition():
            return
        page.wait_for_timeout(100)
    raise KappaError("The page does not poll.")


def announce(chat: bootstrap.Chat, texts: list[str]) -> None:
    """Post these texts as an operator, in one event."""
    records = [operator_record({"message": text, "channel": "default"}) for text in texts]
    with settings(chat.env):
        functions = boto3.client("lambda")
        functions.invoke(FunctionName=STORE, Payload=json.dumps({"Records": records}))


def opened_table(first: list[Exchange], again: list[Exchange], entered: list[Exchange]) -> str:
    """Requests and bytes until the page is usable, compared with the 2015 page's files."""
    down = sum(exchange.down_bytes for exchange in first)
    plain, compressed = (sum(sizes) for sizes in zip(*ASSETS_2015.values(), strict=True))
    heads = ("until", "requests", "bytes, compressed", "bytes, as text", "/ 2015, compressed")
    lines = [
        line("this page: the sign-in button", first, compressed),
        line("this page: the same on a repeat visit", again, compressed),
        line("this page: the channel, after sign-in", entered, compressed),
        ("2015 page: its scripts and styles", len(ASSETS_2015), compressed, plain, 1.0),
    ]
    note = f"\n{NOTE_2015} In compressed bytes, it was {compressed / down:.1f} times as large.\n"
    return f"### Opening it\n\n{table(heads, lines)}{note}"


def line(name: str, exchanges: list[Exchange], base: int) -> tuple[object, ...]:
    """A row of the table for opening."""
    down = sum(exchange.down_bytes for exchange in exchanges)
    text = sum(exchange.text_bytes for exchange in exchanges)
    return name, len(exchanges), down, text, down / base


def polls_table(polls: dict[int, Exchange]) -> str:
    """The bytes of one poll, by its result."""
    names = {304: "nothing new: 304", 200: "a transcript of 20 messages: 200"}
    down = polls[200].down_bytes
    rows = [
        (names[status], 1, poll.up_bytes, poll.down_bytes, poll.down_bytes / down)
        for status, poll in polls.items()
    ]
    heads = ("a poll that finds", "requests", "bytes up", "bytes down", "down / of a whole one")
    note = "\nThe 2015 page polled every second without a condition and got the whole transcript.\n"
    return f"### Polling\n\n{table(heads, rows)}{note}"


def drawn_lines(browser: Browser) -> list[tuple[object, ...]]:
    """The time to draw a transcript of DRAWN messages, in the page and as plain HTML."""
    whole, more = transcript(-DRAWN, 0), transcript(1 - DRAWN, 1)
    texts = [whole, whole, more]
    with harness(browser) as page:

        def of(*, is_plain: bool) -> list[float]:
            page.evaluate("isPlain => begin(isPlain)", is_plain)
            times: list[float] = page.evaluate("given => times(...given)", [texts, NOW_MS])
            return times

        runs = [(of(is_plain=False), of(is_plain=True)) for _ in range(ROUNDS)]
    lines: list[tuple[object, ...]] = []
    for place, name in enumerate(("all are new", "nothing is new", "one is new")):
        ours, plain = (statistics.median(run[side][place] for run in runs) for side in (0, 1))
        lines.append((name, ours, plain, ours / plain))
    return lines
