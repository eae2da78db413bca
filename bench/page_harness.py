"""Open the page's files in Chromium with page_harness.js in place of main.js; make transcripts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page

from local.testkit.page_files import GOOGLE, ORIGIN, answer

MAIN = Path(__file__).with_suffix(".js")
NOW = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
SIZE = {"width": 1280, "height": 800}
# a cross-origin isolated page has a clock that counts microseconds
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
PEOPLE = {"grace": "Grace Hopper", "karen": "Karen Jones", "ada": "Ada Lovelace"}
WORDS = "And some more words, as people write them. "


@contextlib.contextmanager
def harness(browser: Browser) -> Iterator[Page]:
    """Open the page with the harness; close it after."""
    # the page's content security policy forbids innerHTML, which the plain list needs
    with browser.new_context(
        viewport=SIZE, locale="en-GB", timezone_id="UTC", bypass_csp=True
    ) as context:
        page = context.new_page()
        page.route(f"{ORIGIN}/**", lambda route: answer(route, MAIN, ISOLATED))
        page.route(f"{GOOGLE}/**", lambda route: route.abort())
        page.goto(f"{ORIGIN}/index.html")
        page.wait_for_function("() => window.ready")
        yield page


def transcript(first: int, last: int) -> str:
    """A transcript with the messages first to last - 1."""
    messages = [message(number) for number in range(first, last)]
    content = {"channel": "default", "messages": messages, "changes": []}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def message(number: int) -> dict[str, str]:
    """A transcript's message. Message 0 is from now; each number is one minute later."""
    sent_at = (NOW + timedelta(minutes=number)).isoformat(timespec="milliseconds")[:23] + "Z"
    user = tuple(PEOPLE)[number // 4 % 3]
    return {
        "id": f"{sent_at}#c{number}",
        "name": PEOPLE[user],
        "message": f"Message {number}. {WORDS * (abs(number) % 5)}",
        "user": user,
        "sent_at": sent_at,
        "client_id": f"c{number}",
        "kind": "user",
    }
