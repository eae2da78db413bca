"""The monthly cost of the chat, with polls or push, and of a WebSocket API.

Pure: a load goes in, units and dollars come out. It must not print or know quotas. docs/cost.md has
the sources of the prices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple


class Price(NamedTuple):
    """Dollars per unit, and the units per month that are always free."""

    dollars: float
    free: float = 0.0


PRICES = {
    "SNS publishes": Price(0.50e-6, 1e6),
    "Lambda requests": Price(0.20e-6, 1e6),
    "Lambda GB-s": Price(13.3334e-6, 400e3),
    "DynamoDB write units": Price(0.625e-6),
    "DynamoDB read units": Price(0.125e-6),
    "S3 PUTs": Price(5e-6),
    "S3 GETs": Price(0.4e-6),
    "WebSocket messages": Price(1e-6),
    "WebSocket minutes": Price(0.25e-6),
    "IoT messages": Price(1e-6),
    "IoT minutes": Price(0.08e-6),
    "Data out, GB": Price(0.09, 100),
    "Logs, GB": Price(0.50, 5),
    "Custom metrics": Price(0.30, 10),
    "Alarms": Price(0.10, 10),
}
Usage = dict[str, float]  # units per second, by the names of PRICES

DAYS, DAY_S = 30, 86_400
# CloudWatch: the metrics of ordinary messages, and those that the alarms watch; push adds one to
# each. Tests count both.
METRICS, ALARMS = 7, 9
# A message: docs/handlers.md
WRITE_UNITS = 8  # row, sending, count and check; doubled, as in any transaction
MESSAGE_B, ROWS_A_READ_UNIT = 420, 10
HISTORY, LIVELY_S, MAX_ROWS = 20, 5, 200
# Functions: 256 MB. The times are estimates for warm containers.
MEMORY_GB, STORE_S, BATCH_S, CHANNEL_S, CONNECT_S, LOG_B = 0.25, 0.12, 0.1, 0.1, 0.05, 1_000
SIDE_BY_SIDE = 8  # publish_transcript.py
SHARDS, BATCH_RECORDS, STREAM_READS_S = 4, 100, 4  # of a new on-demand table
# A page: s3-website/public/js
QUICK_FOR_S, QUICK_POLL_S, LIST_EVERY_S, HEAD_B = 3, 0.25, 60, 400
# Push: pace.js, reading.js, pushes.py, broker.js. A push is a message of IoT Core, and so is each
# delivery. The first three are for a page that is used, idle, hidden.
LIVE_STATS_S, LIVE_PROBE_S, LIVE_POLL_S = (5, 120, 300), (15, 120, 300), (120, 300, 300)
LIVE_LIST_S, BLIND_EVERY = 1_800, 8
# The statistics: stats.py. A test compares them with what it writes.
STATS_B, STATS_CHANNEL_B, STATS_CHANNELS, SEEN_B, MAX_SEEN_B = 350, 20, 50, 28, 1_368
PUSH_S, PUSH_HEAD_B, CONNECT_MESSAGES = 0.02, 150, 2
# A WebSocket API that verifies, limits and stores as the chat does, and sends a frame per batch to
# the channel's readers; what is unread in other channels, it does not tell
POST_S, CONNECTION_READ_UNITS, PING_EVERY_S, SESSION_S = 0.002, 0.0125, 540, 3_600


def batch_s(channels: float) -> float:
    """The seconds that the publisher takes for a batch with messages of `channels` channels."""
    return BATCH_S + CHANNEL_S * max(1.0, channels / SIDE_BY_SIDE)


@dataclass(frozen=True)
class Load:
    """The load of a chat, and the rates per second that follow from it."""

    users: float
    messages_s: float
    channels: int
    poll_s: float
    hours_a_day: float = 24.0
    region: str = "us-east-1"

    @property
    def month_s(self) -> float:
        """The seconds in a month of 30 days in which pages are open."""
        return DAYS * 3_600 * self.hours_a_day

    @property
    def watched(self) -> Usage:
        """CloudWatch: metrics are billed for the hours with data, alarms for all hours."""
        metrics = METRICS if self.messages_s else 0
        return {"Custom metrics": metrics / (DAYS * DAY_S), "Alarms": ALARMS / self.month_s}

    @property
    def shards(self) -> int:
        """The stream's shards that carry messages, if the channels are spread evenly."""
        return min(self.channels, SHARDS)

    @property
    def round_s(self) -> float:
        """The seconds that a shard's publisher needs for a batch of all the shard's channels."""
        return batch_s(min(self.channels / self.shards, BATCH_RECORDS))

    @property
    def batches_s(self) -> float:
        """Publisher calls per second: one at a time per shard, at most four a second."""
        return min(self.messages_s, self.shards / max(1 / STREAM_READS_S, self.round_s))

    @property
    def publishes_s(self) -> float:
        """Transcripts written per second: each batch writes each of its channels once."""
        touched = min(self.channels / self.shards, BATCH_RECORDS)
        return min(self.messages_s, self.shards * touched / max(1 / STREAM_READS_S, self.round_s))

    @property
    def rows(self) -> float:
        """Rows of a transcript: 20, or in a busy channel those of the last five seconds."""
        return min(MAX_ROWS, max(HISTORY, LIVELY_S * self.messages_s / self.channels))

    @property
    def deliveries_s(self) -> float:
        """What arrives at pages per second, one per reader and batch of the open channel.

        These are pushes, or frames of a WebSocket API.
        """
        return self.publishes_s * self.users / self.channels

    @property
    def probe_s(self) -> float:
        """The seconds between a page's polls of other channels; infinite without other channels."""
        if self.channels == 1:
            return math.inf
        return 10 if self.poll_s <= 1 else 30 if self.poll_s <= 10 else 60

    @property
    def gets_s(self) -> float:
        """GETs per second: polls, which are quicker after sending, other channels, the list."""
        each = 1 / self.poll_s + 1 / self.probe_s + 1 / LIST_EVERY_S
        quick = max(0.0, QUICK_FOR_S / QUICK_POLL_S - QUICK_FOR_S / self.poll_s)
        return self.users * each + self.messages_s * quick

    @property
    def bodies_s(self) -> float:
        """GETs per second that return a transcript rather than 304."""
        changes = self.publishes_s / self.channels
        others = changes * (self.channels - 1)
        return self.users * (min(changes, 1 / self.poll_s) + min(others, 1 / self.probe_s))

    @property
    def live_stats_s(self) -> float:
        """The seconds between readings of the statistics while pushes arrive."""
        return LIVE_STATS_S[self._use]

    @property
    def stats_b(self) -> float:
        """The bytes of the statistics when all users have written: counts and a bitmap of users.

        Compressed, the bitmap grows about with the square root of the users.
        """
        counts_b = STATS_B + STATS_CHANNEL_B * min(self.channels, STATS_CHANNELS)
        return counts_b + min(SEEN_B * math.sqrt(self.users), MAX_SEEN_B)

    @property
    def live_poll_s(self) -> float:
        """The seconds between polls of the open channel while pushes arrive."""
        return LIVE_POLL_S[self._use]

    @property
    def live_probe_s(self) -> float:
        """The seconds between polls of other channels that have news while pushes arrive."""
        return math.inf if self.channels == 1 else LIVE_PROBE_S[self._use]

    @property
    def _use(self) -> int:
        """Whether the page is used (0), idle (1) or hidden (2), by its pace without push."""
        return 0 if self.poll_s <= 1 else 1 if self.poll_s <= 10 else 2

    @property
    def _live_news_s(self) -> float:
        """A page's polls per second of other channels with news, which already show as unread."""
        others = self.publishes_s / self.channels * (self.channels - 1)
        return min(others, 1 / self.live_probe_s)

    @property
    def live_gets_s(self) -> float:
        """GETs per second while pushes arrive: statistics, news, what was lost, the list.

        Without news, one of eight polls of other channels is made.
        """
        blind = (1 / self.live_probe_s - self._live_news_s) / BLIND_EVERY
        rare = 1 / self.live_poll_s + 1 / LIVE_LIST_S
        return self.users * (1 / self.live_stats_s + self._live_news_s + blind + rare)

    @property
    def live_out_b(self) -> float:
        """The bytes per second of those answers; unchanged objects are 304s."""
        changes = min(self.publishes_s / self.channels, 1 / self.live_poll_s) + self._live_news_s
        stats = min(self.batches_s, 1 / self.live_stats_s)
        bodies_b = changes * self.rows * MESSAGE_B + stats * self.stats_b
        return self.live_gets_s * HEAD_B + self.users * bodies_b


@dataclass(frozen=True)
class Bill:
    """A month's cost in dollars, by the names of PRICES."""

    lines: dict[str, float]

    @property
    def total(self) -> float:
        """Return the sum."""
        return math.fsum(self.lines.values())


def s3_usage(load: Load) -> Usage:
    """Return the chat's usage with polls."""
    touched = load.publishes_s / load.batches_s if load.batches_s else 0.0
    busy_s = load.messages_s * STORE_S + load.batches_s * batch_s(touched)
    body_b = load.rows * MESSAGE_B
    return {
        "SNS publishes": load.messages_s,
        "Lambda requests": load.messages_s + load.batches_s,
        "Lambda GB-s": busy_s * MEMORY_GB,
        "DynamoDB write units": load.messages_s * WRITE_UNITS,
        "DynamoDB read units": load.publishes_s * load.rows / ROWS_A_READ_UNIT,
        "S3 PUTs": load.publishes_s
        + load.batches_s,  # transcripts, and the statistics once per batch
        "S3 GETs": load.gets_s,
        "Data out, GB": (load.gets_s * HEAD_B + load.bodies_s * body_b) / 1e9,
        "Logs, GB": (load.messages_s + load.batches_s) * LOG_B / 1e9,
        **load.watched,
    }


def push_usage(load: Load) -> Usage:
    """Return the chat's usage with push: transcripts as with polls, pushes, few readings."""
    polled = s3_usage(load)
    per_push = load.messages_s / load.publishes_s if load.publishes_s else 0.0
    touched = load.publishes_s / load.batches_s if load.batches_s else 0.0
    pushing_s = load.batches_s * PUSH_S * max(1.0, touched / SIDE_BY_SIDE)
    connects_s = load.users / SESSION_S
    out_b = load.live_out_b + load.deliveries_s * (per_push * MESSAGE_B + PUSH_HEAD_B)
    return {
        **polled,
        "Lambda GB-s": polled["Lambda GB-s"] + pushing_s * MEMORY_GB,
        "S3 GETs": load.live_gets_s,
        "IoT messages": load.publishes_s + load.deliveries_s + connects_s * CONNECT_MESSAGES,
        "IoT minutes": load.users / 60,
        "Data out, GB": out_b / 1e9,
        "Custom metrics": polled["Custom metrics"] * (METRICS + 1) / METRICS,
        "Alarms": polled["Alarms"] * (ALARMS + 1) / ALARMS,
    }


def websocket_usage(load: Load) -> Usage:
    """Return a WebSocket API's usage: one frame per reader and batch of a channel."""
    connects_s = 2 * load.users / SESSION_S  # and disconnects; each writes a row
    calls_s = load.messages_s + load.batches_s + connects_s
    busy_s = load.messages_s * STORE_S + load.batches_s * BATCH_S + load.deliveries_s * POST_S
    sent_b = load.messages_s * load.users / load.channels * MESSAGE_B
    return {
        "Lambda requests": calls_s,
        "Lambda GB-s": (busy_s + connects_s * CONNECT_S) * MEMORY_GB,
        "DynamoDB write units": load.messages_s * WRITE_UNITS + connects_s,
        "DynamoDB read units": load.deliveries_s * CONNECTION_READ_UNITS,
        "WebSocket messages": load.messages_s + load.deliveries_s + load.users / PING_EVERY_S,
        "WebSocket minutes": load.users / 60,
        "Data out, GB": sent_b / 1e9,
        "Logs, GB": calls_s * LOG_B / 1e9,
        **load.watched,
    }


def bill(usage: Usage, month_s: float) -> Bill:
    """Price a month of this usage beyond the free units."""
    return Bill(
        {
            name: max(0.0, units_s * month_s - PRICES[name].free) * PRICES[name].dollars
            for name, units_s in usage.items()
        }
    )


def million_refused(by_transaction: bool) -> float:
    """Return the dollars of a million refused messages, once the free units are used up.

    The transaction's refusals (`too_fast`, `blocked`) cost as much as its writes. Earlier ones
    (bad token, not allowed) do not call DynamoDB.
    """
    each = {"SNS publishes": 1.0, "Lambda requests": 1.0, "Lambda GB-s": STORE_S * MEMORY_GB}
    each |= {"Logs, GB": LOG_B / 1e9, "DynamoDB write units": WRITE_UNITS if by_transaction else 0}
    return math.fsum(units * PRICES[name].dollars for name, units in each.items()) * 1e6


def crossovers(load: Load) -> list[float]:
    """Return the numbers of users at which both cost the same, for the load's messages.

    Each line of a bill is linear in the users, with one bend where its free units end. So the
    difference is linear between two bends, where its zeros are solved for.
    """
    bends = [bend for of in (s3_usage, websocket_usage) for bend in _bends(of, load)]

    def difference(users: float) -> float:
        at = replace(load, users=users)
        s3, websocket = (bill(of(at), at.month_s).total for of in (s3_usage, websocket_usage))
        return s3 - websocket

    return _zeros(difference, bends)


def even_messages_s(load: Load) -> list[float]:
    """Return the messages per second and channel at which one more reader costs the same in both.

    A WebSocket API is cheaper up to the first, the chat from there to the second, and so on.
    """

    def difference(messages_s: float) -> float:
        at = replace(load, messages_s=messages_s * load.channels)
        return reader_cost(s3_usage, at) - reader_cost(websocket_usage, at)

    busiest = replace(load, messages_s=math.inf).publishes_s / load.channels
    probed = 1 / (load.probe_s * (load.channels - 1)) if load.channels > 1 else 0.0
    bends = [1 / load.poll_s, probed, busiest, HISTORY / LIVELY_S, MAX_ROWS / LIVELY_S]
    return _zeros(difference, bends)


def push_even_messages_s(load: Load) -> list[float]:
    """Return the messages per second and channel at which polls and push cost the same.

    Which costs less changes at each. What is free is used up.
    """

    def difference(messages_s: float) -> float:
        at = replace(load, messages_s=messages_s * load.channels)
        return cost_per_second(s3_usage(at)) - cost_per_second(push_usage(at))

    busy = replace(load, messages_s=math.inf)
    bends = [1 / load.poll_s, 1 / load.live_poll_s, HISTORY / LIVELY_S, MAX_ROWS / LIVELY_S]
    bends += [busy.publishes_s / load.channels, busy.batches_s / load.channels]
    bends.append(1 / (load.live_stats_s * load.channels))
    if load.channels > 1:
        bends += [
            1 / (every_s * (load.channels - 1)) for every_s in (load.probe_s, load.live_probe_s)
        ]
    return _zeros(difference, bends)


def cost_per_second(usage: Usage) -> float:
    """Return a usage's dollars per second, once the free units are used up."""
    return math.fsum(units * PRICES[name].dollars for name, units in usage.items())


def reader_cost(usage_of: Callable[[Load], Usage], load: Load) -> float:
    """Return the dollars per second of one more reader, once the free units are used up."""
    with_reader, without = usage_of(replace(load, users=1)), usage_of(replace(load, users=0))
    return cost_per_second({name: with_reader[name] - without[name] for name in with_reader})


def _bends(usage_of: Callable[[Load], Usage], load: Load) -> list[float]:
    with_reader, without = usage_of(replace(load, users=1)), usage_of(replace(load, users=0))
    return [
        (PRICES[name].free / load.month_s - without[name]) / (with_reader[name] - without[name])
        for name in with_reader
        if with_reader[name] != without[name]
    ]


def _zeros(difference: Callable[[float], float], bends: Iterable[float]) -> list[float]:
    """Return the positive zeros of a function that is linear between bends."""
    starts = [0.0, *sorted({bend for bend in bends if 0 < bend < math.inf})]
    zeros = []
    for start, end in zip(starts, [*starts[1:], math.inf], strict=True):
        other = end if end < math.inf else 2 * start + 1
        at_start = difference(start)
        slope = (difference(other) - at_start) / (other - start)
        zero = start - at_start / slope if slope else -1.0
        if zero > 0 and start <= zero < end:
            zeros.append(zero)
    return zeros
