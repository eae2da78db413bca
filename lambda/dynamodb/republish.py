#!/usr/bin/env python3
"""Publish transcripts anew from the table: after a batch of the stream was given up.

Usage:
  republish.py [--region=R] [--profile=P] [CHANNEL...]
  republish.py -h | --help

Invokes publish_transcript for the channels that are named, or for all of data/channels.json, some
at a time, and waits for its answers. It writes what the table holds, so it may be repeated, and
costs one read and one write a channel. A channel that is named and not listed must have messages:
a mistyped name makes no channel. Prints each channel with what became of it; the exit code is 1
when one was not published.

Options:
  CHANNEL      The channels; all that are listed when absent.
  --region=R   The AWS region; config.yml's `region` when absent.
  --profile=P  The profile of ~/.aws/config; config.yml's `profile` when absent.
  -h --help    Print this text.

Example:
  lambda/dynamodb/republish.py default tea
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# The functions' zips need these modules flat, so no package holds them.
sys.path.insert(0, str(ROOT / "lambda/shared"))

try:
    from contract import CHANNEL, RESERVED_CHANNELS
    from kappa.aws.client import Aws
    from kappa.errors import AwsError, ConfigError, Denied, NotFound
    from lambda_chat import command
    from lambda_chat.config import ChatConfig, check_region, read_config, require
except ModuleNotFoundError as missing:
    sys.exit(f"Python package {missing.name} is missing: run `pip install -r requirements.txt`.")

BATCH = 50  # the function takes some seconds for them, and has sixty
TIMEOUT_S = 90.0


def check_channels(names: Sequence[str]) -> list[str]:
    """Return the channels that are named, each once.

    Raises: ConfigError, for what is no channel's name.
    """
    for name in names:
        if not CHANNEL.fullmatch(name) or name in RESERVED_CHANNELS:
            raise ConfigError(
                f"{name!r} is no channel: small letters, digits and dashes, 64 at the most."
            )
    return list(dict.fromkeys(names))


def read_listed(aws: Aws, config: ChatConfig) -> list[str]:
    """Return the channels of data/channels.json.

    Raises: AwsError.
    """
    key = f"{config.data_prefix}channels.json"
    where = {"Bucket": config.s3_bucket, "Key": key}
    hint = "Name the channels: republish.py CHANNEL..."
    try:
        answer = aws.call("s3", "get_object", f"reading {key} of {config.s3_bucket}", where)
        return check_channels(json.loads(answer["Body"].read())["channels"])
    except NotFound as error:
        raise AwsError(f"There is no {key} in {config.s3_bucket}.", hint) from error
    except (ValueError, KeyError, TypeError, ConfigError) as error:
        raise AwsError(f"{key} of {config.s3_bucket} is no list of channels.", hint) from error


def without_messages(aws: Aws, config: ChatConfig, channels: Sequence[str]) -> list[str]:
    """Return which of these channels are neither listed nor have a message in the table.

    A caller that may not look gets none. Raises: AwsError.
    """
    try:
        listed = read_listed(aws, config)
    except AwsError:  # no list yet, as after a change of s3_bucket
        listed = []
    others = [name for name in channels if name not in listed]
    try:
        return [name for name in others if not _has_messages(aws, config.dynamodb_table, name)]
    except Denied:
        return []


def _has_messages(aws: Aws, table: str, channel: str) -> bool:
    params = {
        "TableName": table,
        "KeyConditionExpression": "channel = :channel",
        "ExpressionAttributeValues": {":channel": {"S": channel}},
        "ProjectionExpression": "id",
        "Limit": 1,
    }
    answer = aws.call("dynamodb", "query", f"looking for messages of {channel}", params)
    return bool(answer["Items"])


def event_of(channels: Sequence[str]) -> dict[str, Any]:
    """Return a batch of the stream that touches these channels, one record each.

    A record's sequence number is the place of its channel, from 1.
    """
    return {
        "Records": [
            {
                "eventName": "MODIFY",
                "dynamodb": {
                    "Keys": {"channel": {"S": name}},
                    "SequenceNumber": str(place),
                },
            }
            for place, name in enumerate(channels, 1)
        ]
    }


def publish(aws: Aws, function: str, channels: Sequence[str]) -> dict[str, str]:
    """Let the function publish these channels; returns why one failed, by its name."""
    params = {"FunctionName": function, "Payload": json.dumps(event_of(channels))}
    answer = aws.call_once("lambda", "invoke", f"invoking {function}", params, TIMEOUT_S)
    content = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or not isinstance(content, dict):
        kind = content.get("errorType") if isinstance(content, dict) else None
        return dict.fromkeys(channels, str(kind or answer.get("FunctionError")))
    failed = [failure["itemIdentifier"] for failure in content.get("batchItemFailures", [])]
    return {channels[int(place) - 1]: "see the function's log" for place in failed}


def republish(aws: Aws, function: str, channels: Sequence[str]) -> int:
    """Publish all, some at a time, and print a line for each; returns how many failed."""
    failed = 0
    for start in range(0, len(channels), BATCH):
        batch = channels[start : start + BATCH]
        reasons = publish(aws, function, batch)
        failed += len(reasons)
        for name in batch:
            reason = reasons.get(name)
            print(f"failed  {name}: {reason}" if reason else f"published  {name}", flush=True)  # noqa: T201
    print(f"{len(channels) - failed} published, {failed} failed.", file=sys.stderr)  # noqa: T201
    return failed


def main(argv: list[str] | None = None) -> int:
    """Publish; return the exit code: 1 when something failed, 2 for wrong usage."""
    return command.run(__doc__, argv, _republish, "Stopped. Run it again: that is safe.")


def _republish(given: dict[str, Any]) -> int:
    check_region(given["--region"])
    named = check_channels(given["CHANNEL"])
    config = read_config()
    aws = Aws(
        given["--region"] or config.region or None, given["--profile"] or config.profile or None
    )
    if named:
        require(config, ("dynamodb_table",))
    skipped = without_messages(aws, config, named)
    for name in skipped:
        print(f"skipped  {name}: no messages; is it mistyped?", flush=True)  # noqa: T201
    channels = (
        [name for name in named if name not in skipped] if named else read_listed(aws, config)
    )
    failed = republish(aws, f"{config.stack_name}-publish-transcript", channels)
    return 1 if failed or skipped else 0


if __name__ == "__main__":
    sys.exit(main())
