"""Leave the page open for some minutes, and count its polls.

Usage:
  polls [--minutes=N]

Three users have the page open: one is active, one is idle, one has hidden the tab. An operator
posts a message every three minutes. Prints each page's requests, bytes and heap.

  python -m local run -- python -m tests.soak.polls

Options:
  --minutes=N  Minutes to poll [default: 10].
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from typing import Any

import boto3
from docopt import docopt
from playwright.sync_api import Browser, CDPSession, Page, expect

from kappa.errors import KappaError
from local.testkit.chromium import browsing, heap_bytes, sign_in
from local.testkit.events import operator_record

STORE = "Lambda-Chat-store-message"
MOVE_EACH_S = 20
POST_EACH_S = 180
SAMPLES = 6
HIDE = """
Object.defineProperty(document, 'hidden', { get: () => true });
Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
document.dispatchEvent(new Event('visibilitychange'));
"""


class Visitor:
    """A user with the page open, and the requests of their page since `start`."""

    def __init__(self, browser: Browser, name: str) -> None:
        self.name = name
        self.page: Page = browser.new_context().new_page()
        self.requests: Counter[str] = Counter()
        self.received = 0
        self._sign_in()
        self.cdp: CDPSession = self.page.context.new_cdp_session(self.page)
        self.cdp.send("Network.enable")
        self.cdp.send("Performance.enable")

    def _sign_in(self) -> None:
        self.page.goto(os.environ["LAMBDA_CHAT_URL"])
        sign_in(self.page, self.name)
        expect(self.page.locator("#status")).to_have_text(f"Connected as {self.name}")

    def start(self) -> None:
        """Count from now on."""
        self.cdp.on("Network.responseReceived", self._count)
        self.cdp.on("Network.loadingFinished", self._add)
        self.heaps = [heap_bytes(self.cdp)]

    def _count(self, event: dict[str, Any]) -> None:
        self.requests[str(event["response"]["status"])] += 1

    def _add(self, event: dict[str, Any]) -> None:
        self.received += int(event["encodedDataLength"])


def measure(browser: Browser, minutes: float) -> list[Visitor]:
    """Let the three pages poll."""
    visitors = [Visitor(browser, name) for name in ("At the page", "Visible, idle", "Hidden")]
    active, _, hidden = visitors
    hidden.page.evaluate(HIDE)
    active.page.wait_for_timeout(5_000)
    for visitor in visitors:
        visitor.start()
    functions = boto3.client("lambda")
    started_at = sampled_at = time.monotonic()
    ends_at = started_at + 60 * minutes
    posted_at = 0.0
    while time.monotonic() < ends_at:
        if time.monotonic() - sampled_at >= 60 * minutes / SAMPLES:
            sampled_at = time.monotonic()
            for visitor in visitors:
                visitor.heaps.append(heap_bytes(visitor.cdp))
        active.page.mouse.move(100 + time.monotonic() % 50, 100)
        active.page.keyboard.press("Shift")
        if time.monotonic() - posted_at >= POST_EACH_S:
            record = operator_record({"message": "three minutes have passed", "channel": "default"})
            functions.invoke(FunctionName=STORE, Payload=json.dumps({"Records": [record]}))
            posted_at = time.monotonic()
        active.page.wait_for_timeout(min(MOVE_EACH_S, max(0, ends_at - time.monotonic())) * 1000)
    return visitors


def report(visitors: list[Visitor], minutes: float) -> str:
    """A Markdown table."""
    lines = [
        f"\n## Polling for {minutes:g} minutes, one message every three minutes\n",
        "| page | requests | of these 304 | a minute | received, kB | heap over time, kB |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for visitor in visitors:
        total = visitor.requests.total()
        heaps = ", ".join(f"{heap / 1e3:.0f}" for heap in [*visitor.heaps, heap_bytes(visitor.cdp)])
        lines.append(
            f"| {visitor.name} | {total} | {visitor.requests['304']} | {total / minutes:.0f} | "
            f"{visitor.received / 1e3:.0f} | {heaps} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print."""
    arguments = docopt(__doc__ or "")
    minutes = float(arguments["--minutes"])
    if "LAMBDA_CHAT_URL" not in os.environ:
        sys.exit(
            "Error: no chat is running. Run: python -m local run -- python -m tests.soak.polls"
        )
    expect.set_options(timeout=15_000)
    try:
        with browsing() as browser:
            print(report(measure(browser, minutes), minutes))
    except KappaError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
