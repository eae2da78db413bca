"""The cost of opening, polling and drawing the page, compared with the 2015 page.

Measured in a new chat in local mode. Google's platform script is counted for neither page.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from playwright.sync_api import Browser, Page, expect

from bench.page_harness import NOW_MS, harness, transcript
from bench.report import table
from bench.timing import in_turn
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
# The files of the 2015 page, from their npm packages: bytes with gzip's best level, and as text.
ASSETS_2015 = {
    "bootstrap@3.3.4: dist/css/bootstrap.min.css": (19_095, 117_305),
    "bootstrap@3.3.4: dist/js/bootstrap.min.js": (9_512, 35_951),
    "jquery@1.11.2: dist/jquery.min.js": (33_286, 95_966),
    "aws-sdk@2.2.0: dist/aws-sdk.min.js": (83_340, 443_011),
    "lambda-chat.js, its own": (0, 5_964),  # only its size is known
}
NOTES = f"""
The 2015 page used aws-sdk 2.1.12, which can no longer be built; the oldest release with a built
file counts in its place. Its HTML does not count, nor its own script where its size is unknown. It
polled every second without a condition and got the whole transcript.

### Drawing a transcript

Parsing, updating and layout; median of {ROUNDS}, in turn. The plain list is one string of HTML.
"""


@dataclass
class Response:
    """A response; it has no `wire_bytes` until it is whole, or if it is from the cache."""

    url: str = ""
    status: int = 0
    wire_bytes: int = 0
    text_bytes: int = 0


class Wire:
    """A page's responses, from the browser's network events."""

    def __init__(self, page: Page, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._all: dict[str, Response] = defaultdict(Response)
        cdp = page.context.new_cdp_session(page)
        for name in ("responseReceived", "dataReceived", "loadingFinished"):
            cdp.on(f"Network.{name}", partial(self._note, name))
        cdp.send("Network.enable")

    def _note(self, event: str, fields: dict[str, Any]) -> None:
        response = self._all[fields["requestId"]]
        if event == "responseReceived":
            response.url, response.status = fields["response"]["url"], fields["response"]["status"]
        elif event == "dataReceived":
            response.text_bytes += fields["dataLength"]
        else:
            response.wire_bytes = int(fields["encodedDataLength"])

    def responses(self) -> list[Response]:
        """The emulator's responses so far that crossed the network."""
        crossed = [each for each in self._all.values() if each.wire_bytes]
        return [each for each in crossed if each.url.startswith(self._endpoint_url)]

    def poll(self, page: Page, status: int) -> Response:
        """Let the page run until a poll of the transcript gets this status; return its response.

        Raises: KappaError, if none does within PATIENCE_MS.
        """
        for _ in range(PATIENCE_MS // 100):
            for each in self.responses():
                if DATA in each.url and each.status == status:
                    return each
            page.wait_for_timeout(100)
        raise KappaError("The page does not poll.")

    def clear(self) -> None:
        """Forget all responses so far."""
        self._all.clear()


def measure() -> str:
    """Open the page, sign in, poll and draw; return the tables.

    Raises: KappaError, if the chat does not start or there is no Chromium.
    """
    expect.set_options(timeout=PATIENCE_MS)
    with (
        bootstrap.chat(report=lambda line: print(line, file=sys.stderr)) as chat,
        settings(chat.env),
        browsing() as browser,
    ):
        opened = on_the_wire(browser, chat)
        drawn = drawn_lines(browser)
    heads = ("page", "until", "responses", "compressed", "as text", "compressed / 2015")
    drawn_heads = (f"of {DRAWN} messages", "the page, ms", "innerHTML of all, ms", "ratio")
    return f"""\
## The page

Bytes are counted by Chromium on the wire, with the responses' headers.

{table(heads, opened)}{NOTES}
{table(drawn_heads, drawn)}"""


def on_the_wire(browser: Browser, chat: bootstrap.Chat) -> list[list[object]]:
    """The rows of the responses until the page is usable and of each poll."""
    compressed, as_text = (sum(sizes) for sizes in zip(*ASSETS_2015.values(), strict=True))

    def row(until: str, responses: list[Response]) -> list[object]:
        wire_bytes = sum(response.wire_bytes for response in responses)
        text_bytes = sum(response.text_bytes for response in responses)
        ratio = wire_bytes / compressed
        return ["this", until, len(responses), wire_bytes, text_bytes, ratio]

    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        wire = Wire(page, chat.env["AWS_ENDPOINT_URL"])
        rows = [["2015", "its scripts and styles", len(ASSETS_2015), compressed, as_text, 1.0]]
        for until in ("the sign-in button", "the same on a repeat visit"):
            page.goto("about:blank")
            wire.clear()
            page.goto(chat.url)
            at_google(page)
            page.wait_for_load_state("networkidle")
            rows.append(row(until, wire.responses()))
        wire.clear()
        sign_in(page, "Ada Lovelace")
        expect(page.get_by_role("status")).to_have_text("Connected as Ada Lovelace")
        log = page.get_by_role("log", name="Messages")
        expect(log).not_to_have_attribute("aria-busy", "true")
        rows.append(row("the channel, after sign-in", wire.responses()))
        announce(
            [f"Message {number} of an operator, eighty letters or so." for number in range(20)]
        )
        log.get_by_role("article").filter(has_text="Message 19").wait_for(timeout=PATIENCE_MS)
        wire.clear()
        rows.append(row("a poll finds nothing new: 304", [wire.poll(page, 304)]))
        announce(["One more message of an operator, as long as all of them."])
        rows.append(row("a poll finds 20 messages: 200", [wire.poll(page, 200)]))
    return rows


def announce(texts: list[str]) -> None:
    """Post these texts as an operator, in one event."""
    records = [operator_record({"message": text, "channel": "default"}) for text in texts]
    boto3.client("lambda").invoke(FunctionName=STORE, Payload=json.dumps({"Records": records}))


def drawn_lines(browser: Browser) -> list[tuple[object, ...]]:
    """The time to draw a transcript of DRAWN messages, in the page and as plain HTML."""
    whole, more = transcript(-DRAWN, 0), transcript(1 - DRAWN, 1)
    with harness(browser) as page:

        def drawn_ms(*, is_plain: bool) -> list[float]:
            page.evaluate("isPlain => begin(isPlain)", is_plain)
            given = [[whole, whole, more], NOW_MS]
            times_ms: list[float] = page.evaluate("given => times(...given)", given)
            return times_ms

        runs = {is_plain: partial(drawn_ms, is_plain=is_plain) for is_plain in (False, True)}
        ours_ms, plain_ms = in_turn(runs, ROUNDS).values()
    names = ("all are new", "nothing is new", "one is new")
    columns = zip(names, ours_ms, plain_ms, strict=True)
    return [(name, ours, plain, ours / plain) for name, ours, plain in columns]
