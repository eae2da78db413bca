#!/usr/bin/env python3
"""Store failed messages again, from the records in FailuresTopic.

Usage:
  replay.py --queue=URL [--operator] [--dry-run] [--region=R] [--profile=P]
  replay.py [--operator] [--dry-run] [--region=R] [--profile=P] FILE
  replay.py -h | --help

Invokes the function with each failed event as SNS sent it, and waits for its
answer. Messages that are stored already count as duplicates, so you may repeat
a replay. Every sender is verified again: a token expires within an hour, and
older messages are left. Stored records are deleted from the queue; others stay
there, with the reason printed. Only events that came through SNS, of this
account's own function, are replayed, so that write access to the queue or the
file does not make anybody an operator.

Options:
  --queue=URL  The SQS queue that is subscribed to FailuresTopic.
  FILE         A file of such records instead, one JSON object a line; - reads
               standard input.
  --operator   Also replay operators' events. They need no token, so check each
               record first.
  --dry-run    Print what would be replayed. Invokes nothing, deletes nothing.
  --region=R   The AWS region. Default: config.yml's `region`.
  --profile=P  The profile in ~/.aws/config. Default: config.yml's `profile`.
  -h --help    Print this text.

Example:
  lambda/sns/replay.py --queue=https://sqs.REGION.amazonaws.com/ACCOUNT/failures
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# The functions' zips need these modules flat, so they are not in a package.
sys.path.insert(0, str(ROOT / "lambda/shared"))

try:
    from contract import dig
    from kappa.aws import Aws
    from kappa.errors import AwsError, ConfigError
    from lambda_chat import command
    from lambda_chat.config import check_region, read_config
except ModuleNotFoundError as missing:
    sys.exit(
        f"Error: Python package {missing.name} is missing: run `pip install -r requirements.txt`."
    )

TIMEOUT_S = 120.0  # the function's own, and some for the network
HIDDEN_S = 900  # how long received records are hidden at a time; more than twice TIMEOUT_S
SNS, OPERATOR = "aws:sns", "lambda-chat:operator"
OUTCOMES = ("stored", "changed", "duplicate")


class NotReplayed(Exception):
    """A record was not replayed, or its replay failed: the message gives the reason."""


class Failure(NamedTuple):
    """One record: its text, and its id in the queue, if it came from one."""

    text: str
    name: str


def read_event(text: str, function: str, now_s: float, operator: bool = False) -> dict[str, Any]:
    """Return a record's event, as SNS sent it to the function with that ARN.

    Shape: Lambda's invocation record, bare or as SNS wraps it for a queue without raw delivery.
    Raises: NotReplayed, if it cannot be replayed.
    Source: AWS Lambda guide, "Capturing records of Lambda asynchronous invocations".
    """
    record = _record(text)
    if dig(record, "DDBStreamBatchInfo") is not None:
        raise NotReplayed("a batch of the stream: run lambda/dynamodb/republish.py")
    arn = dig(record, "requestContext", "functionArn")
    if not isinstance(arn, str) or arn.count(":") < 6:
        raise NotReplayed("not a record of a failed invocation")
    if arn.split(":")[:7] != function.split(":"):
        raise NotReplayed(f"it belongs to {arn}, not to {function}")
    event = dig(record, "requestPayload")
    records = dig(event, "Records")
    if not isinstance(event, dict) or not isinstance(records, list) or not records:
        raise NotReplayed("its event is missing: it was too large for SNS")
    if not {str(dig(item, "EventSource")) for item in records} <= {SNS, *([OPERATOR] * operator)}:
        raise NotReplayed("it did not come through SNS: an operator's events need --operator")
    ends = [token_end(item) for item in records]
    if all(end is not None and end <= now_s for end in ends):
        ended = datetime.fromtimestamp(max(end or 0 for end in ends), UTC)
        raise NotReplayed(
            f"its token expired at {ended:%Y-%m-%d %H:%M:%S} UTC: nothing proves its sender"
        )
    return event


def token_end(record: object) -> float | None:
    """Return when a record's token expires (epoch s), None if that cannot be read."""
    token = dig(record, "Sns", "MessageAttributes", "id_token", "Value")
    try:
        payload = str(token).split(".")[1]
        end = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return end if isinstance(end, int) and 0 < end < 2**33 else None


def name_of(text: str) -> str:
    """Return the ids that identify a record and its log lines, without any message text."""
    try:
        record = _record(text)
    except NotReplayed:
        return "?"
    records = dig(record, "requestPayload", "Records")
    items = records if isinstance(records, list) else []
    ids = [dig(item, "Sns", "MessageId") for item in items]
    return ", ".join(text for text in ids if isinstance(text, str)) or str(
        dig(record, "requestContext", "requestId") or "?"
    )


def replay(aws: Aws, function: str, event: dict[str, Any]) -> str:
    """Invoke the function with an event; return its outcome.

    Raises: NotReplayed, if not all of it is stored; AwsError.
    """
    params = {"FunctionName": function, "Payload": json.dumps(event), "LogType": "Tail"}
    answer = aws.call_once("lambda", "invoke", f"invoking {function}", params, TIMEOUT_S)
    counts = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or not isinstance(counts, dict):
        raise NotReplayed(
            f"failed again: {dig(counts, 'errorType') or answer.get('FunctionError')}"
        )
    if counts.get("refused"):
        raise NotReplayed(
            f"refused: {', '.join(reasons(answer.get('LogResult', ''))) or 'see the log'}"
        )
    return ", ".join(word for word in OUTCOMES if counts.get(word))


def reasons(log: str) -> list[str]:
    """Return the reasons of refusals in the tail of a log, which is in Base64."""
    listed = []
    for line in base64.b64decode(log).decode(errors="replace").splitlines():
        if '"event": "refused"' in line and line.startswith("{") and line.endswith("}"):
            listed.append(str(json.loads(line).get("reason")))
    return listed


def read_file(file: str) -> list[Failure]:
    """Return each record of the file."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error
    return [Failure(line, "") for line in text.splitlines() if line.strip()]


class Queue:
    """A queue's records, each received once and hidden until it is deleted or given back."""

    def __init__(self, aws: Aws, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._aws, self._url, self._clock = aws, url, clock
        self._held: dict[str, str] = {}  # handles, by the ids of the messages
        self._hidden_until_s: dict[str, float] = {}

    def failures(self) -> Iterator[Failure]:
        """Yield each record, and keep all received ones hidden.

        Source: SQS API reference, ReceiveMessage, ChangeMessageVisibility: after 12 hours at most,
        a message is received again.
        """
        params = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 2, "VisibilityTimeout": HIDDEN_S}
        while messages := self._call("receive_message", params, "reading").get("Messages"):
            known = set(self._held)
            for message in messages:
                self._held[message["MessageId"]] = message["ReceiptHandle"]
                self._hidden_until_s[message["MessageId"]] = self._clock() + HIDDEN_S
            for message in messages:
                if message["MessageId"] not in known:
                    self._stay_hidden()
                    yield Failure(message["Body"], message["MessageId"])

    def delete(self, name: str) -> None:
        """Delete a replayed message."""
        self._call("delete_message", {"ReceiptHandle": self._held.pop(name)})

    def give_back(self) -> None:
        """Make the remaining messages visible again. Raises: AwsError."""
        self._hide(list(self._held), 0)

    def _stay_hidden(self) -> None:
        soon_s = self._clock() + HIDDEN_S / 2
        self._hide([name for name in self._held if self._hidden_until_s[name] <= soon_s], HIDDEN_S)

    def _hide(self, names: list[str], seconds: int) -> None:
        """Hide messages for so many seconds; one that is visible already is not an error."""
        for start in range(0, len(names), 10):
            entries = [
                {"Id": str(n), "ReceiptHandle": self._held[name], "VisibilityTimeout": seconds}
                for n, name in enumerate(names[start : start + 10])
            ]
            self._call("change_message_visibility_batch", {"Entries": entries})
        self._hidden_until_s |= dict.fromkeys(names, self._clock() + seconds)

    def _call(
        self, operation: str, params: dict[str, Any], doing: str = "changing"
    ) -> dict[str, Any]:
        params = {"QueueUrl": self._url, **params}
        return self._aws.call("sqs", operation, f"{doing} {self._url}", params)


def replay_all(
    aws: Aws,
    function: str,
    failures: Iterable[Failure],
    queue: Queue | None,
    clock: Callable[[], float] = time.time,
    *,
    operator: bool,
    dry_run: bool,
) -> int:
    """Replay every record; print a line for each, and always a summary.

    Returns how many are left.
    """
    left = 0
    done: Counter[str] = Counter()
    try:
        for failure in failures:
            left += 1
            try:
                event = read_event(failure.text, function, clock(), operator)
                outcome = "to replay" if dry_run else replay(aws, function, event)
            except NotReplayed as reason:
                _print(f"left  {name_of(failure.text)}: {reason}")
                continue
            left -= 1
            done[outcome] += 1
            _print(f"{outcome}  {name_of(failure.text)}")
            if queue and not dry_run:
                queue.delete(failure.name)
    finally:
        counted = [f"{number} {outcome}" for outcome, number in sorted(done.items())]
        print(f"{', '.join([*counted, f'{left} left'])}.", file=sys.stderr)  # noqa: T201
        if queue:
            _give_back(queue)
    return left


def _give_back(queue: Queue) -> None:
    try:
        queue.give_back()
    except AwsError as error:  # must not hide the reason why the replay ended
        again = f"within {HIDDEN_S // 60} minutes"
        print(f"The rest is visible in the queue again {again}: {error}", file=sys.stderr)  # noqa: T201


def main(argv: list[str] | None = None) -> int:
    """Replay; return the exit code: 1 if records are left or AWS refused, 2 for wrong usage."""
    return command.run(__doc__, argv, _replay, "Stopped. The other records were not replayed.")


def _replay(given: dict[str, Any]) -> int:
    check_region(given["--region"])
    config = read_config()
    aws = command.aws_of(given, config)
    queue = Queue(aws, given["--queue"]) if given["--queue"] else None
    failures = queue.failures() if queue else read_file(given["FILE"])
    name = f"{config.stack_name}-store-message"
    function = f"arn:{aws.partition}:lambda:{aws.region}:{aws.account}:function:{name}"
    how = {"operator": given["--operator"], "dry_run": given["--dry-run"]}
    return 1 if replay_all(aws, function, failures, queue, **how) else 0


def _record(text: str) -> object:
    """Return a record without SNS's envelope. Raises: NotReplayed."""
    record = _json(text)
    return _json(str(dig(record, "Message"))) if dig(record, "Type") == "Notification" else record


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotReplayed("not a record of a failed invocation") from error


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
