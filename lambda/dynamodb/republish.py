#!/usr/bin/env python3
"""Write transcripts again from the table, after a stream batch was given up.

Usage:
  republish.py [--region=R] [--profile=P] [CHANNEL...]
  republish.py -h | --help

Invokes publish_transcript for the channels that you name, or for all of
data/channels.json, some at a time, and waits for its answers. It writes what
the table holds, so you may repeat it; a channel costs one read and one write. A
channel that you name must be listed or have messages, so a mistyped name
creates no channel. Prints the outcome of each channel; the exit code is 1 if
one was not published.

Options:
  CHANNEL      The channels. Default: all that are listed.
  --region=R   The AWS region. Default: config.yml's `region`.
  --profile=P  The profile in ~/.aws/config. Default: config.yml's `profile`.
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
# The functions' zips need these modules flat, so they are not in a package.
sys.path.insert(0, str(ROOT / "lambda/shared"))

try:
    from contract import CHANNEL, RESERVED_CHANNELS
    from kappa.aws import Aws
    from kappa.errors import AwsError, ConfigError, Denied, NotFound
    from lambda_chat import command
    from lambda_chat.config import ChatConfig, check_region, read_config, require
except ModuleNotFoundError as missing:
    sys.exit(
        f"Error: Python package {missing.name} is missing: run `pip install -r requirements.txt`."
    )

BATCH = 50  # takes some seconds; the function may run for sixty
TIMEOUT_S = 90.0


def check_channels(names: Sequence[str]) -> list[str]:
    """Return the named channels, each once.

    Raises: ConfigError, for an invalid name.
    """
    for name in names:
        if name in RESERVED_CHANNELS:
            raise ConfigError(f"{name!r} is reserved: it is not a channel.")
        if not CHANNEL.fullmatch(name):
            raise ConfigError(
                f"{name!r} is not a channel: use at most 64 lower-case letters, digits and dashes."
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
        raise AwsError(f"{key} of {config.s3_bucket} is not a list of channels.", hint) from error


def without_messages(aws: Aws, config: ChatConfig, channels: Sequence[str]) -> list[str]:
    """Return the channels that are neither listed nor have a message in the table.

    Without the right to look, there are none. Raises: AwsError.
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
    """Return a batch of the stream with a record for each channel.

    A record's sequence number is the index of its channel, from 1.
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
    """Let the function publish these channels; return the reason of each failed one."""
    params = {"FunctionName": function, "Payload": json.dumps(event_of(channels))}
    answer = aws.call_once("lambda", "invoke", f"invoking {function}", params, TIMEOUT_S)
    content = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or not isinstance(content, dict):
        kind = content.get("errorType") if isinstance(content, dict) else None
        return dict.fromkeys(channels, str(kind or answer.get("FunctionError")))
    failed = [failure["itemIdentifier"] for failure in content.get("batchItemFailures", [])]
    return {channels[int(place) - 1]: "see the function's log" for place in failed}


def republish(aws: Aws, function: str, channels: Sequence[str]) -> int:
    """Publish all channels, some at a time; print a line for each, return how many failed."""
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
    """Publish; return the exit code: 1 if something failed, 2 for wrong usage."""
    return command.run(__doc__, argv, _republish, "Stopped. You can run it again.")


def _republish(given: dict[str, Any]) -> int:
    check_region(given["--region"])
    named = check_channels(given["CHANNEL"])
    config = read_config()
    aws = command.aws_of(given, config)
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
