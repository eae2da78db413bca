"""Send many messages at a steady rate; check that each is stored, published and shown once.

Usage:
  load [--messages=N] [--rate=N]

Eight senders write to four channels, each open in a page in Chromium. In the end, every message
must be in the table once; each transcript must equal the window of a consistent Query's rows; and
each page must have shown every message of its channel, never two copies at a time. The emulator,
unlike AWS, delivers a message to its function only once. So a message that is not stored is sent
again with its client id, as "Retry" does, and counted. Prints the rate, the latencies and the
counts; the exit code is 1 after any fault.

  python -m local run -- python -m tests.soak.load

Options:
  --messages=N  Messages to send [default: 5000].
  --rate=N      Messages a second [default: 25].
"""

import os
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from docopt import docopt
from playwright.sync_api import expect

from bench.report import percentiles
from kappa.errors import KappaError
from lambda_chat.config import read_config
from local.testkit import crowd
from local.testkit.chromium import browsing
from tests.soak.stored import published, stored, window

CHANNELS = 4
SETTLE_S, RETRY_AFTER_S = 90.0, 15.0


@dataclass
class Outcome:
    """How many messages were stored, published and shown, and every fault."""

    stored: int = 0
    published: int = 0
    shown: int = 0
    faults: list = field(default_factory=list)


def send_again(config, sent):
    """Send each message that is not stored again, as its sender would."""
    for channel, at_ms in sent.at_ms.items():
        texts = {text for _, text, _, _ in stored(config, channel)}
        for text in at_ms.keys() - texts:
            sent.send_again(text)


def read_outcome(config, sent, pages):
    """Look for every message in the table, in the transcripts and on the pages."""
    outcome = Outcome(faults=list(sent.errors))
    for channel, at_ms in sent.at_ms.items():
        rows = stored(config, channel)
        counts = Counter(text for _, text, _, _ in rows)
        wrong = [f"not stored: {text}" for text in at_ms if not counts[text]]
        wrong += [f"stored {n} times: {text}" for text, n in counts.items() if n > 1]
        entries = published(config, channel)
        if entries != window(rows, config.history):
            wrong.append("the transcript is not the window of a consistent Query")
        shown, at_once = crowd.shown_ms(pages[channel]), crowd.most_at_once(pages[channel])
        wrong += [f"not shown: {text}" for text in at_ms if text not in shown]
        wrong += [f"shown {n} times: {text}" for text, n in at_once.items() if n > 1]
        outcome.stored += sum(counts[text] > 0 for text in at_ms)
        outcome.published += len(entries)
        outcome.shown += sum(text in shown for text in at_ms)
        outcome.faults += [f"{channel}: {fault}" for fault in wrong]
    return outcome


def settle(config, sent, pages):
    """Wait for an outcome without faults, up to SETTLE_S; send missing messages again meanwhile."""
    deadline, again_at = time.monotonic() + SETTLE_S, time.monotonic() + RETRY_AFTER_S
    while (outcome := read_outcome(config, sent, pages)).faults and time.monotonic() < deadline:
        if time.monotonic() > again_at:
            again_at += RETRY_AFTER_S
            send_again(config, sent)
        for page in pages.values():
            page.wait_for_timeout(500)
    return outcome


def report(sent, pages, outcome):
    """A Markdown table, the counts and the first faults."""
    count = sum(len(at_ms) for at_ms in sent.at_ms.values())
    shown = {channel: crowd.shown_ms(page) for channel, page in pages.items()}
    delays_s = [
        (shown[channel][text] - at) / 1000
        for channel, at_ms in sent.at_ms.items()
        for text, at in at_ms.items()
        if text in shown[channel]
    ]
    lines = [
        f"\n## {count} messages, {crowd.SENDERS} senders, {CHANNELS} channels, "
        f"{count / sent.seconds:.1f} a second\n",
        "| publish until | p50, ms | p95, ms | p99, ms |",
        "|---|---:|---:|---:|",
    ]
    for name, seconds in {"SNS answered": sent.answered_s, "shown in the page": delays_s}.items():
        cuts = [f"{1000 * cut:.0f}" for cut in percentiles(seconds)]
        lines.append(f"| {name} | {' | '.join(cuts)} |")
    lines.append(
        f"\n{count} sent, {outcome.stored} stored, {outcome.shown} shown; {outcome.published} "
        f"published in {len(pages)} transcripts; {len(sent.again)} sent again; "
        f"{len(outcome.faults)} faults"
    )
    return "\n".join([*lines, *outcome.faults[:20]])


def run(count, rate):
    """Send, wait and print; return true if there was no fault."""
    config = read_config(Path(os.environ["LAMBDA_CHAT_CONFIG"]))
    crowd.lift_the_rate_limit()
    prefix = f"load-{uuid.uuid4().hex[:6]}"
    channels = [f"{prefix}-{number}" for number in range(CHANNELS)]
    with browsing() as browser:
        pages = {channel: crowd.open_page(browser, channel) for channel in channels}
        crowd.warm_up(config, prefix)
        sent = crowd.send_all(config, channels, count, rate)
        outcome = settle(config, sent, pages)
        print(report(sent, pages, outcome))
    return not outcome.faults


def main():
    """Run; exit with code 1 if a message was lost or duplicated."""
    arguments = docopt(__doc__)
    if "LAMBDA_CHAT_URL" not in os.environ:
        sys.exit("Error: no chat is running. Run: python -m local run -- python -m tests.soak.load")
    expect.set_options(timeout=15_000)
    try:
        sys.exit(not run(int(arguments["--messages"]), float(arguments["--rate"])))
    except KappaError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
