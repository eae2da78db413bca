"""The cost of the open page as its channel grows, compared with a plain list of all messages."""

from __future__ import annotations

import statistics

from playwright.sync_api import Browser

from bench.page_harness import NOW_MS, harness, transcript
from bench.report import table
from local.testkit.chromium import browsing, heap_bytes

SIZES = (10, 100, 1_000, 5_000)
WINDOW = 20
MORE = 12
FRAMES = 40
RUNS = 3
MINUTE_MS = 60_000
HEADS = ("messages", "elements", "one more, ms", "plain: one more, ms",
         "longest frame while scrolling, ms", "heap, MB")  # fmt: skip


def measure() -> str:
    """Measure the page and the plain list at each size; return the table.

    Raises: KappaError, if there is no Chromium, or if a page misbehaves.
    """
    rows = []
    with browsing() as browser:
        for count in SIZES:
            elements, more_ms, frame_ms, heap_mb = of_size(browser, count, is_plain=False)
            _, plain_ms, *_ = of_size(browser, count, is_plain=True)
            rows.append((count, elements, more_ms, plain_ms, frame_ms, heap_mb))
    return f"""\
## Messages in the open channel

The page keeps at most 300 lines in the document and 5,000 messages in memory. The plain list sets
innerHTML to all messages whenever one arrives. Times are medians. Scrolling moves up 800 px per
frame for {FRAMES} frames; each frame counts with its fastest of {RUNS} runs.

{table(HEADS, rows)}"""


def of_size(browser: Browser, count: int, *, is_plain: bool) -> tuple[float, ...]:
    """Fill a page, add messages one by one, then scroll up.

    Returns: elements, milliseconds for one more message and for the longest frame, heap in MB.
    """
    with harness(browser) as page:
        page.evaluate("isPlain => begin(isPlain)", is_plain)
        cdp = page.context.new_cdp_session(page)
        cdp.send("Performance.enable")
        page.evaluate("given => times(...given)", [[transcript(-count, 0)], NOW_MS])
        first = -count if is_plain else -WINDOW
        texts = [transcript(max(first, -count) + more, more) for more in range(1, MORE + 1)]
        now_ms = NOW_MS + MORE * MINUTE_MS
        times = page.evaluate("given => times(...given)", [texts, now_ms])
        runs = [page.evaluate("count => scrollUp(count)", FRAMES) for _ in range(RUNS)]
        # each frame's fastest: the machine has other work
        longest_ms = max(map(min, zip(*runs, strict=True)))
        elements = page.evaluate("() => elements()")
        return elements, statistics.median(times), longest_ms, heap_bytes(cdp) / 1e6
