"""The processor time of both functions, at start and per event, compared with minimal handlers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from bench.containers import container, insert, make_resources
from bench.emulated import emulated
from bench.report import table, with_ratio
from bench.timing import in_turn
from local.testkit.events import Event, id_token, sns_record

ROUNDS = 9
EVENTS = 40
CHANNELS = [f"channel-{number}" for number in range(10)]
TOKEN = id_token()
# In pairs: a minimal handler, then the chat's; each with its module and a function for an event.
HANDLERS: dict[str, tuple[str, Callable[[], Event]]] = {
    "plain boto3, SNS to table": ("plain_store", lambda: delivery()),
    "store_message": ("store_message", lambda: delivery()),
    "plain boto3, stream to S3": ("plain_publish", lambda: batch(1)),
    "publish_transcript": ("publish_transcript", lambda: batch(1)),
    "plain, 100 records of 10 channels": ("plain_publish", lambda: batch(100)),
    "publish_transcript, the same": ("publish_transcript", lambda: batch(100)),
}


def measure() -> str:
    """Run the handlers in turn, each time in a new container; return the table."""
    with emulated() as (root, between):
        make_resources(CHANNELS, 30)
        modules = {module for module, _ in HANDLERS.values()}
        containers = {module: container(module, root) for module in modules}
        calls, runs = {}, {}
        for name, (module, event) in HANDLERS.items():
            calls[name] = containers[module].calls(event, between)
            runs[name] = partial(containers[module].run, event, 1 + EVENTS)
        times_ms = in_turn(runs, ROUNDS)
    return report(times_ms, calls)


def delivery() -> Event:
    """An event with one new message."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"message": "Hello there", "channel": "lobby", "client_id": uuid.uuid4().hex}
    return {"Records": [sns_record(body, TOKEN, MessageId=str(uuid.uuid4()), Timestamp=now)]}


def batch(records: int) -> Event:
    """A stream event with this many new messages, in as many channels as there are."""
    channels = len(CHANNELS)
    return {"Records": [insert(CHANNELS[number % channels], number) for number in range(records)]}


def report(times_ms: dict[str, list[float]], calls: dict[str, str]) -> str:
    """A table of medians, with the ratio of the chat's handlers to the minimal ones."""
    names = list(times_ms)
    rows = [
        [name, *map(with_ratio, times_ms[name], times_ms[names[place - place % 2]]), calls[name]]
        for place, name in enumerate(names)
    ]
    heads = ["handler", "init", "first event", "each event", "calls of each event"]
    return f"""\
## Handlers

Milliseconds of processor time in a container: start-up, the first event, and each of {EVENTS} more;
median of {ROUNDS} containers, taken in turn. In brackets: the ratio to the plain boto3 handler
above, which checks nothing, has no limits, keeps no statistics and writes unconditionally.

{table(heads, rows)}"""
