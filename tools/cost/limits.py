"""Which limit of AWS, or of the design, growing numbers of users reach first.

Pure; it must not print or know prices. docs/cost.md has the sources of the quotas.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from tools.cost.model import (
    BATCH_RECORDS,
    BATCH_S,
    PING_EVERY_S,
    POST_S,
    SESSION_S,
    STORE_S,
    Load,
    batch_s,
)

RUSH_S = 300  # all users arrive within five minutes
MOST_USERS = 10**9
SNS_PUBLISHES_S = {
    **dict.fromkeys(("us-east-2", "us-west-1", "eu-central-1", "ap-south-1"), 1_500),
    **dict.fromkeys(("ap-northeast-1", "ap-northeast-2", "ap-southeast-1"), 1_500),
    "ap-southeast-2": 1_500,
    "us-west-2": 9_000,
    "eu-west-1": 9_000,
    "us-east-1": 30_000,
}
SNS_ELSEWHERE_S = 300


class Limit(NamedTuple):
    """A quota per second of AWS or of the design; `rate` must not fall as users grow."""

    name: str
    quota: float
    rate: Callable[[Load], float]
    then: str


def s3_limits(load: Load) -> list[Limit]:
    """Return the limits of this chat, in the load's region."""
    publishes = SNS_PUBLISHES_S.get(load.region, SNS_ELSEWHERE_S)
    return [
        Limit(
            "S3 GETs of a prefix partition",
            5_500,
            lambda load: load.gets_s,
            "poll less often; CloudFront in front of `data/`",
        ),
        Limit(
            "S3 PUTs of a prefix partition",
            3_500,
            lambda load: load.publishes_s + load.batches_s,
            "write the statistics less often",
        ),
        Limit(
            "DynamoDB writes to one channel",
            1_000,
            lambda load: 2 * load.messages_s / load.channels,
            "split the channel over several hash keys",
        ),
        Limit(
            "DynamoDB writes to the new rate table",
            4_000,
            lambda load: 6 * load.messages_s,
            "set its warm throughput",
        ),
        Limit(
            "Publisher of one shard",
            1.0,
            lambda load: load.messages_s / load.shards * batch_s(1),
            f"nothing breaks: transcripts are up to {load.round_s:.2g} s behind",
        ),
        Limit(
            "Stream records of one shard",
            1.0,
            lambda load: load.messages_s / load.shards * load.round_s / BATCH_RECORDS,
            "a larger `batch_size`",
        ),
        Limit(
            "Lambda concurrency",
            1_000,
            lambda load: load.messages_s * STORE_S + load.shards,
            "raise the quota",
        ),
        Limit(
            f"SNS publishes in {load.region}",
            publishes,
            lambda load: load.messages_s,
            "raise the quota",
        ),
        Limit(
            "STS, all signing in within 5 minutes",
            600,
            lambda load: load.users / RUSH_S + _verified_s(load),
            "raise the quota; the page retries",
        ),
    ]


def _verified_s(load: Load) -> float:
    """Token verifications per second: each container verifies a sender at most once an hour."""
    containers = math.ceil(load.messages_s * STORE_S)
    return min(load.messages_s, load.users * containers / SESSION_S)


def push_limits() -> list[Limit]:
    """Return push's own limits; those of the tables apply as well."""
    return [
        Limit(
            "IoT Core connections, all within 5 minutes",
            500,
            lambda load: load.users / RUSH_S,
            "raise the quota; the page retries",
        ),
        Limit(
            "IoT Core deliveries",
            20_000,
            lambda load: load.deliveries_s,
            "raise the quota",
        ),
    ]


def websocket_limits() -> list[Limit]:
    """Return the WebSocket API's own limits; those of the tables apply as well."""
    return [
        Limit(
            "WebSocket connections, all within 5 minutes",
            500,
            lambda load: load.users / RUSH_S,
            "raise the quota; spread reconnects",
        ),
        Limit(
            "API Gateway requests",
            10_000,
            lambda load: load.messages_s + load.deliveries_s + load.users / PING_EVERY_S,
            "raise the quota",
        ),
        Limit(
            "Fan-out of one shard",
            1.0,
            lambda load: (load.batches_s * BATCH_S + load.deliveries_s * POST_S) / load.shards,
            "split the readers over several functions",
        ),
    ]


def users_at(limit: Limit, load: Load) -> int | None:
    """Return the fewest users that reach the limit, or None; each writes as much as now."""

    def reached(users: int) -> bool:
        grown = replace(load, users=users, messages_s=load.messages_s * users / load.users)
        return limit.rate(grown) >= limit.quota

    if not reached(MOST_USERS):
        return None
    low, high = 0, MOST_USERS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
