"""Compare kappa with the bare boto3 script where each request takes longer, as over a network.

A command that makes its calls side by side waits for few of them.
"""

from __future__ import annotations

import os
import time
from functools import partial

from bench import peers
from bench.commands import PHASES, one_round
from bench.emulated import emulated
from bench.kappa_tools import boto3_script, kappa
from bench.report import table, with_ratio
from bench.timing import in_turn
from local.testkit.environment import settings

DELAY_S, ROUNDS = 0.040, 7


def measure() -> str:
    """Run both in turn, behind a proxy that delays each request.

    Raises: KappaError, if boto3 is not installed, or a command fails.
    """
    peers.require("boto3")
    with emulated() as (root, between):
        between.before = lambda _: time.sleep(DELAY_S)
        with settings(os.environ | {"AWS_ENDPOINT_URL": between.url}):
            tools = {tool.name: partial(one_round, tool, root) for tool in (boto3_script, kappa)}
            seconds = in_turn(tools, ROUNDS)
    rows = [
        [name, *map(with_ratio, of, seconds[boto3_script.name])] for name, of in seconds.items()
    ]
    return f"""\
## Deploying one function over a network

As above, but each request takes {1000 * DELAY_S:.0f} ms longer; {ROUNDS} rounds.

{table(["tool", *PHASES.values()], rows)}"""
