"""Reading a CloudFormation stack and following its changes.

Owns the meaning of CloudFormation's statuses and error texts. It must not print or know the
template.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec

from kappa.aws import Aws, translated
from kappa.errors import AwsError, Conflict, NotFound, WaitTimeout

WAIT_S = 1800.0
POLL_S = (0.25, 2.0)  # the first pause and the longest

LAUNCH = "Launch it with `./resources.py launch --wait`."
RELAUNCH = "Remove what is left with `./resources.py delete --wait`, then launch again."
WAIT = "Wait until it has ended: `./resources.py status` shows its progress."
WHOSE = (
    "Is it your chat's? If not, choose another stack_name in config.yml, as an update would break "
    "the other chat. If it is, `./resources.py update --wait` gives it these values."
)


class Stack(msgspec.Struct, frozen=True):
    """A stack, from DescribeStacks. `outputs` maps each output's description to its value."""

    id: str
    name: str
    status: str
    reason: str
    outputs: dict[str, str]
    parameters: dict[str, str] = {}

    @property
    def account(self) -> str:
        """The id of the account that has the stack."""
        return account_of(self.id)

    @property
    def busy(self) -> bool:
        """Is a change to the stack under way?"""
        return self.status.endswith("_IN_PROGRESS")

    @property
    def usable(self) -> bool:
        """Do the resources exist, and are the outputs final?"""
        gone = ("ROLLBACK_COMPLETE", "DELETE_COMPLETE")
        return self.status.endswith("_COMPLETE") and self.status not in gone


class Resource(msgspec.Struct, frozen=True):
    """One resource of the stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str


class Event(msgspec.Struct, frozen=True):
    """One event of the stack."""

    id: str
    at: datetime
    logical_id: str
    physical_id: str
    stack_id: str
    status: str
    reason: str

    @property
    def of_stack(self) -> bool:
        """Is it about the stack itself rather than one of its resources?"""
        return self.physical_id == self.stack_id

    @property
    def is_cause(self) -> bool:
        """Did this resource fail by itself, rather than because another one did?"""
        failed = self.status.endswith("_FAILED") and not self.of_stack
        return failed and "cancelled" not in self.reason


def account_of(stack_id: str) -> str:
    """Return the id of the account that has the stack."""
    return stack_id.split(":")[4]


def read_stack(aws: Aws, name: str) -> Stack | None:
    """Return the stack with that name or id, None if there is none."""
    try:
        with asking(f"describing the stack {name}"):
            answer = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except NotFound:
        return None
    return Stack(
        id=answer["StackId"],
        name=answer["StackName"],
        status=answer["StackStatus"],
        reason=answer.get("StackStatusReason", ""),
        outputs={
            output.get("Description", ""): output["OutputValue"]
            for output in answer.get("Outputs", [])
        },
        parameters={
            parameter["ParameterKey"]: parameter.get("ParameterValue", "")
            for parameter in answer.get("Parameters", [])
        },
    )


def read_resources(aws: Aws, stack: Stack) -> list[Resource]:
    """Return the stack's resources, sorted by name."""
    with asking(f"listing the resources of {stack.name}"):
        pages = aws.client("cloudformation").get_paginator("list_stack_resources")
        resources = [
            Resource(
                logical_id=item["LogicalResourceId"],
                physical_id=item.get("PhysicalResourceId", ""),
                type=item["ResourceType"],
                status=item["ResourceStatus"],
                reason=item.get("ResourceStatusReason", ""),
            )
            for page in pages.paginate(StackName=stack.id)
            for item in page["StackResourceSummaries"]
        ]
    return sorted(resources, key=lambda resource: resource.logical_id)


def read_events(aws: Aws, stack_id: str, after: str = "") -> list[Event]:
    """Return the events after the one with the id `after`, oldest first."""
    events: list[Event] = []
    with asking("reading the stack's events"):
        pages = aws.client("cloudformation").get_paginator("describe_stack_events")
        for page in pages.paginate(StackName=stack_id):
            for item in page["StackEvents"]:
                if item["EventId"] == after:
                    return events[::-1]
                events.append(_event(item))
    return events[::-1]


def read_last_event_id(aws: Aws, stack_id: str) -> str:
    """Return the id of the newest event; later ones belong to the next change."""
    with asking("reading the stack's events"):
        page = aws.client("cloudformation").describe_stack_events(StackName=stack_id)
    return str(page["StackEvents"][0]["EventId"])


def _event(item: dict[str, Any]) -> Event:
    return Event(
        id=item["EventId"],
        at=item["Timestamp"],
        logical_id=item.get("LogicalResourceId", ""),
        physical_id=item.get("PhysicalResourceId", ""),
        stack_id=item["StackId"],
        status=item.get("ResourceStatus", ""),
        reason=item.get("ResourceStatusReason", ""),
    )


def read_failure(aws: Aws, stack_id: str) -> str:
    """Return why the newest change failed: the first failing resource and its reason, or "".

    Source: CloudFormation API reference, DescribeEvents: failures before anything is created, such
    as a bucket name that is taken, are reported only there.
    """
    events = read_events(aws, stack_id)
    starts = [n for n, event in enumerate(events) if event.reason == "User Initiated"]
    newest = events[starts[-1] :] if starts else events
    for event in newest:
        if event.is_cause:
            return f"{event.logical_id}: {event.reason}"
    reasons = [event.reason for event in newest if event.of_stack and event.reason]
    if any("DescribeEvents" in reason for reason in reasons):
        return _read_validation_error(aws, stack_id)
    return reasons[-1] if reasons else ""


def _read_validation_error(aws: Aws, stack_id: str) -> str:
    with asking("reading why the stack is not valid"):
        answer = aws.client("cloudformation").describe_events(
            StackName=stack_id, Filters={"FailedEvents": True}
        )
    for item in answer["OperationEvents"]:
        if item.get("EventType") == "VALIDATION_ERROR":
            return f"{item.get('LogicalResourceId')}: {item.get('ValidationStatusReason')}"
    return ""


def follow(
    aws: Aws,
    stack_id: str,
    after: str,
    report: Callable[[Event], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Report each event after the one with the id `after`, until the change has ended.

    Raises: AwsError with the first failing resource's reason, if the change failed; WaitTimeout
    after WAIT_S.
    """
    deadline = clock() + WAIT_S
    pause_s, longest_s = POLL_S
    ended = False
    while clock() < deadline:
        # read before the events, so that an ended change has all of its events
        stack = read_stack(aws, stack_id)
        for event in read_events(aws, stack_id, after):
            report(event)
            after = event.id
            ended = event.of_stack and not event.status.endswith("_IN_PROGRESS")
        if ended and (stack is None or not stack.busy):
            _refuse_failure(aws, stack_id, stack.status if stack else "DELETE_COMPLETE")
            return
        sleep(pause_s)
        pause_s = min(2 * pause_s, longest_s)
    raise WaitTimeout(f"The stack is still busy after {WAIT_S / 60:.0f} minutes.", WAIT)


def _refuse_failure(aws: Aws, stack_id: str, status: str) -> None:
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
        return
    hints = {
        "CREATE_FAILED": RELAUNCH,
        "ROLLBACK_COMPLETE": RELAUNCH,
        "ROLLBACK_FAILED": RELAUNCH,
        "DELETE_FAILED": "Fix the cause, then run `./resources.py delete --wait` again.",
    }
    reason = read_failure(aws, stack_id)
    hint = blocked(reason, stack_id) or hints.get(status, "")
    raise AwsError(f"The stack ended as {status}: {reason}", hint)


def blocked(reason: str, stack_id: str) -> str:
    """Return what to do if the account allows no public buckets, "" for other reasons.

    Source: S3 guide, "Blocking public access to your Amazon S3 storage".
    """
    if not reason.startswith("WebsiteS3BucketPolicy: ") or "denied" not in reason.lower():
        return ""
    return (
        "S3 Block Public Access of the account or its organisation may forbid public pages: see "
        f"`aws s3control get-public-access-block --account-id {account_of(stack_id)}`. "
        "BlockPublicPolicy and RestrictPublicBuckets have to be false. Then run "
        "`./resources.py delete --wait` and launch again."
    )


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """Translate AWS errors as kappa.aws.translated does, and tell CloudFormation's own ones apart.

    CloudFormation says nearly everything with the one code ValidationError.
    """
    try:
        with translated(doing):
            yield
    except AwsError as error:
        raise _explained(error) from error.__cause__


def _explained(error: AwsError) -> AwsError:
    text = error.message
    if error.code == "AlreadyExistsException":
        return Conflict(text, "Bring it up to date with `./resources.py update`.", error.code)
    if error.code != "ValidationError":
        return error
    if "does not exist" in text:
        return NotFound(text, LAUNCH, error.code)
    if "ROLLBACK_COMPLETE state" in text and "UPDATE_ROLLBACK" not in text:
        return Conflict(text, RELAUNCH, error.code)
    if "_IN_PROGRESS state" in text:
        return Conflict(text, WAIT, error.code)
    return error
