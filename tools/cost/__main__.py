"""Estimate a month's cost of the chat, with polls or push, and of a WebSocket API, and the limits.

Usage:
  cost --users=N --messages-per-second=N --channels=N --poll-s=S [--hours-a-day=N] [--region=R]
  cost --table
  cost --help

A user is an open page. Users and messages are spread evenly over the channels. The limits assume
that new users write as much as the present ones, in the same channels. Prices are those of
us-east-1; docs/cost.md has the sources.

  python -m tools.cost --users 100 --messages-per-second 2 --channels 4 --poll-s 1

Options:
  --users=N                Open pages, at least 1.
  --messages-per-second=N  Messages from all users together.
  --channels=N             Channels.
  --poll-s=S               Seconds between polls: 1 active, 3 or 10 idle, 15 or 60 hidden.
  --hours-a-day=N          Hours a day that the pages are open [default: 24].
  --region=R               The region, for its SNS quota [default: us-east-1].
  --table                  Print the tables of docs/cost.md.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace

from docopt import DocoptExit, docopt

from tools.cost.limits import MOST_USERS, push_limits, s3_limits, users_at, websocket_limits
from tools.cost.model import (
    PRICES,
    QUICK_POLL_S,
    Load,
    bill,
    cost_per_second,
    crossovers,
    even_messages_s,
    push_even_messages_s,
    push_usage,
    reader_cost,
    s3_usage,
    websocket_usage,
)

PAGES = (10, 100, 1_000, 10_000)
POLLS_S = (1, 3, 10)
READERS = (10, 100)
HOURS = (("used", 1), ("idle for ten minutes", 10), ("hidden for ten minutes", 60))
TABLE_USERS = 100_000  # docs/cost.md leaves out limits beyond these


def read_load(arguments: Mapping[str, str]) -> Load:
    """Read the options. Raises: ValueError, with the option, its value and the allowed ones."""
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", arguments["--region"]):
        raise ValueError(f"--region={arguments['--region']}: use a region such as us-east-1.")
    channels = _number(arguments, "--channels", 1, 10**6)
    if channels != int(channels):
        raise ValueError(f"--channels={arguments['--channels']}: use a whole number.")
    return Load(
        users=_number(arguments, "--users", 1, MOST_USERS),
        messages_s=_number(arguments, "--messages-per-second", 0, 10**6),
        channels=int(channels),
        poll_s=_number(arguments, "--poll-s", QUICK_POLL_S, 3_600),
        hours_a_day=_number(arguments, "--hours-a-day", 0.01, 24),
        region=arguments["--region"],
    )


def _number(arguments: Mapping[str, str], option: str, least: float, most: float) -> float:
    try:
        value = float(arguments[option])
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        allowed = f"use a number from {least:,g} to {most:,.0f}."
        raise ValueError(f"{option}={arguments[option]}: {allowed}")
    return value


def details(load: Load) -> str:
    """The bills, the break-even points and the limits of one load, as Markdown."""
    bills = [bill(of(load), load.month_s) for of in (s3_usage, push_usage, websocket_usage)]
    lines = ["| a month | polls | push | WebSocket API |", "|---|---:|---:|---:|"]
    lines += [_row(name, *(_dollars(each.lines.get(name)) for each in bills)) for name in PRICES]
    lines += [_row("total", *(_dollars(each.total) for each in bills)), ""]
    lines += [push_text(load), crossover_text(load), "", limits_table(load)]
    return "\n".join(lines)


def push_text(load: Load) -> str:
    """Which of polls and push costs less at this load, and where both cost the same."""
    polls, push = (cost_per_second(usage_of(load)) for usage_of in (s3_usage, push_usage))
    cheaper = "polls cost" if polls < push else "push costs"
    rates = " and ".join(f"{messages_s:.2g}" for messages_s in push_even_messages_s(load))
    return (
        f"Polls and push: at this load, {cheaper} less; with these users, they cost the same at "
        f"{rates or 'no rate of'} messages a second per channel."
    )


def crossover_text(load: Load) -> str:
    """A sentence about the load at which polls and a WebSocket API cost the same."""
    users = " and ".join(f"{users:,.1f}" for users in crossovers(load))
    rates = " and ".join(f"{messages_s:.3g}" for messages_s in even_messages_s(load))
    chat, websocket = reader_cost(s3_usage, load), reader_cost(websocket_usage, load)
    equal = f"both cost the same at {users} users" if users else "the two never cost the same"
    cheaper = "polls" if chat < websocket else "a WebSocket API"
    return (
        f"Polls and a WebSocket API: with these messages, {equal}. One more reader costs less with "
        f"{cheaper}; it costs the same in both at {rates or 'no rate of'} messages a second per "
        "channel."
    )


def limits_table(load: Load, most_users: int | None = None) -> str:
    """The limits of all designs, by the users that reach them, up to `most_users` if given."""
    rows = [
        (users_at(limit, load), design, limit)
        for design, limits in (
            ("this chat", s3_limits(load)),
            ("push", push_limits()),
            ("WebSocket", websocket_limits()),
        )
        for limit in limits
    ]
    rows.sort(key=lambda row: row[0] or math.inf)
    if most_users is not None:
        rows = [row for row in rows if row[0] is not None and row[0] <= most_users]
    lines = [
        "| limit | of | now | quota | reached at users | then |",
        "|---|---|---:|---:|---:|---|",
    ]
    lines += [
        f"| {limit.name} | {design} | {_number_text(limit.rate(load))} | {limit.quota:,g} | "
        f"{'never' if users is None else f'{users:,}'} | {limit.then} |"
        for users, design, limit in rows
    ]
    return "\n".join(lines)


def table_load(users: int, poll_s: float) -> Load:
    """Return a load of the tables: a message a minute from each user, 50 users a channel."""
    return Load(users, users / 60, max(1, users // 50), poll_s)


def tables() -> str:
    """The tables of docs/cost.md."""
    limits = limits_table(table_load(1_000, 1), TABLE_USERS)
    return "\n\n".join((months_table(), even_table(), hours_table(), limits))


def months_table() -> str:
    """What a month of some loads costs."""
    heads = [f"polls {poll_s} s" for poll_s in POLLS_S] + ["push", "WebSocket API"]
    lines = [
        _row("users", "messages/s", "channels", *heads),
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for users in PAGES:
        load = table_load(users, POLLS_S[0])
        loads = [replace(load, poll_s=poll_s) for poll_s in POLLS_S]
        usages = [*map(s3_usage, loads), push_usage(load), websocket_usage(load)]
        costs = [_dollars(bill(usage, load.month_s).total) for usage in usages]
        rates = (f"{users:,}", f"{load.messages_s:.3g}", str(load.channels))
        lines.append(_row(*rates, *costs))
    return "\n".join(lines)


def even_table() -> str:
    """The messages per second in a chat with one channel from which polls cost less than push."""
    lines = [
        _row("readers", *(f"polls {poll_s} s" for poll_s in POLLS_S)),
        "|---:|---:|---:|---:|",
    ]
    for users in READERS:
        even = [push_even_messages_s(Load(users, 1, 1, poll_s)) for poll_s in POLLS_S]
        lines.append(_row(f"{users:,}", *(f"{rates[0]:.2g}" for rates in even)))
    return "\n".join(lines)


def hours_table() -> str:
    """What an hour of a page costs while nobody writes, in millionths of a dollar."""
    lines = [_row("a page", "polls", "push", "WebSocket API"), "|---|---:|---:|---:|"]
    for page, poll_s in HOURS:
        load = Load(1, 0, 2, poll_s)
        hours = [reader_cost(of, load) * 3.6e9 for of in (s3_usage, push_usage, websocket_usage)]
        lines.append(_row(page, *(f"{hour:,.0f}" for hour in hours)))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _dollars(amount: float | None) -> str:
    return "" if amount is None else f"${amount:,.2f}"


def _number_text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main(argv: list[str]) -> int:
    """Print; return 2 for invalid arguments."""
    try:
        arguments = docopt(__doc__ or "", argv)
        print(tables() if arguments["--table"] else details(read_load(arguments)))
        sys.stdout.flush()
    except DocoptExit as error:
        print(error, file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # the reader is gone, as with `head`; without this, Python complains again when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
