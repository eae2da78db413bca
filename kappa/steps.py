"""A step is one AWS call, planned as data; apply() makes the calls, in order.

Owns doing: calls, retries of named codes, waits, each with a deadline. It decides nothing:
what to do stands in the plan. A plan can be printed, compared and checked without AWS.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from kappa.errors import AwsError, Conflict, NotFound, WaitTimeout

RETRY_DEADLINE_S = 60.0
WAIT_DEADLINE_S = 300.0
_GERUNDS = {
    "attached": "attaching",
    "created": "creating",
    "detached": "detaching",
    "published": "publishing",
    "removed": "removing",
    "updated": "updating",
}


def _empty(*, compare: bool = True) -> Any:  # noqa: ANN401 - dataclasses' own way
    return field(default_factory=dict, compare=compare)


@dataclass(frozen=True)
class Retry:
    """An error that passes by itself: its code, and a part of its text where the code is broad."""

    code: str
    text: str = ""

    def fits(self, error: AwsError) -> bool:
        """Whether the error is this one."""
        return error.code == self.code and self.text.lower() in error.message.lower()


# IAM tells its other regions of a new role or policy within seconds, not at once.
# Source: AWS IAM guide, "Changes that I make are not always immediately visible".
FRESH_ROLE = Retry("InvalidParameterValueException", "cannot be assumed by Lambda")
FRESH_ROLE_KEY = Retry("InvalidParameterValueException", "KMS key is invalid for CreateGrant")
FRESH_POLICY = Retry("InvalidParameterValueException", "does not have permissions")
FRESH_STREAM_POLICY = Retry("InvalidParameterValueException", "ensure the role can perform")
FRESH_ENTITY = Retry("NoSuchEntity")
STILL_ATTACHED = Retry("DeleteConflict")
# Source: AWS Lambda guide, "Lambda function states".
BUSY = (
    Retry("ResourceConflictException", "in progress"),
    Retry("ResourceConflictException", "state: Pending"),
)
BUSY_MAPPING = Retry("ResourceInUseException")
MAPPING_BEING_DELETED = Retry("ResourceConflictException", "already exists")
# S3 asks Lambda whether it may invoke, and the permission may be a moment old.
FRESH_PERMISSION = Retry("InvalidArgument", "Unable to validate the following destination")


@dataclass(frozen=True)
class Wait:
    """A condition to poll: `field` of the answer becomes one of `until`, or the thing is gone.

    `takes` is as a Step's, but of the answer that is waited for, e.g. the new version's number.
    One that is only `for_next` is for the steps that come after: the last one does not wait.
    Shape: field is a dotted path, e.g. "EventSourceMappings.0.State".
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    field: str
    until: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reason: str = ""
    gone: bool = False
    deadline_s: float = WAIT_DEADLINE_S
    takes: Mapping[str, str] = _empty()
    for_next: bool = False


@dataclass(frozen=True)
class Step:
    """One AWS call. `params` are the SDK's own; `settled` are codes that say it is so already.

    `takes` names params whose value the answer of the step before gives, by a dotted path:
    only AWS knows a new version's number. `before` holds what AWS has now under the keys of
    `params` that change, for diff to show. `refused` is the dotted path of a refusal in an
    answer that is else a success; `expected` are dotted paths of it with what must be there.
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    mark: str
    message: str
    wait: Wait | None = None
    retry: tuple[Retry, ...] = ()
    settled: tuple[str, ...] = ()
    conflict_hint: str = ""
    refused: str = ""
    takes: Mapping[str, str] = _empty()
    before: Mapping[str, Any] = _empty(compare=False)
    expected: Mapping[str, Any] = _empty()
    unexpected_hint: str = ""


@dataclass(frozen=True)
class Already:
    """Nothing to do for this one, and why: it exists, is unchanged, gone or kept."""

    mark: str
    message: str


Plan = Sequence[Step | Already]
Filled = TypeVar("Filled", Step, Wait)


@dataclass(frozen=True)
class Report:
    """What became of one item of a plan."""

    mark: str
    message: str
    seconds: float = 0.0


class Call(Protocol):
    """How a step reaches AWS: Aws.call."""

    def __call__(
        self, service: str, operation: str, doing: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make one call."""


@dataclass(frozen=True)
class Clock:
    """Time, so that tests need not wait."""

    now: Callable[[], float] = field(default=time.monotonic)
    sleep: Callable[[float], None] = field(default=time.sleep)


def apply(
    plan: Plan,
    call: Call,
    tell: Callable[[Report], None],
    clock: Clock | None = None,
    *,
    wait: bool = False,
) -> None:
    """Carry out a plan in order, telling what became of each item.

    With `wait` the last step waits too, even if its wait is only for a next one.

    Raises: AwsError of the first step that fails, WaitTimeout.
    """
    clock = clock or Clock()
    answer: dict[str, Any] = {}
    last = [item for item in plan if isinstance(item, Step)][-1:]
    for item in plan:
        if isinstance(item, Already):
            tell(Report(item.mark, item.message))
            continue
        started = clock.now()
        try:
            mark, answer = _carry_out(_filled(item, answer), call, tell, clock)
            if item.wait is not None and (wait or item is not last[0] or not item.wait.for_next):
                _await(item, item.wait, answer, call, clock)
        except KeyboardInterrupt:
            tell(Report("stopped", item.message))
            raise
        tell(Report(mark, item.message, clock.now() - started))


def _filled(call: Filled, answer: Mapping[str, Any]) -> Filled:
    taken = {param: look_up(answer, path) for param, path in call.takes.items()}
    return replace(call, params={**call.params, **taken}) if taken else call


def _carry_out(
    step: Step, call: Call, tell: Callable[[Report], None], clock: Clock
) -> tuple[str, dict[str, Any]]:
    doing = f"{_GERUNDS.get(step.mark, step.mark)} {step.message}"
    deadline = clock.now() + RETRY_DEADLINE_S
    pause_s = 0.25
    while True:
        try:
            answer = call(step.service, step.operation, doing, step.params)
            if step.refused and look_up(answer, step.refused):
                raise AwsError(f"AWS refused {doing}: {look_up(answer, step.refused)}.")
            _check_answer(step, answer)
            return step.mark, answer
        except AwsError as error:
            if error.code in step.settled:
                return "gone" if isinstance(error, NotFound) else "exists", {}
            if not any(retry.fits(error) for retry in step.retry) or clock.now() >= deadline:
                if isinstance(error, Conflict):
                    error.hint = error.hint or step.conflict_hint
                raise
            if pause_s == 0.25:
                tell(Report("waiting", f"{step.message}: {error.code}, trying again"))
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 4.0)


def _check_answer(step: Step, answer: Mapping[str, Any]) -> None:
    for path, value in step.expected.items():
        if look_up(answer, path) != value:
            raise AwsError(
                f"AWS has another {path} for the {step.message} than was sent: "
                f"{look_up(answer, path)}, not {value}.",
                step.unexpected_hint,
            )


def _await(step: Step, wait: Wait, answer: Mapping[str, Any], call: Call, clock: Clock) -> None:
    if look_up(answer, wait.field) in wait.until:
        return
    wait = _filled(wait, answer)
    deadline = clock.now() + wait.deadline_s
    pause_s = 0.1
    while True:
        try:
            answer = call(wait.service, wait.operation, f"waiting for {step.message}", wait.params)
        except NotFound:
            if wait.gone:
                return
            raise
        found = look_up(answer, wait.field)
        if found in wait.until:
            return
        if found in wait.failed:
            reason = look_up(answer, wait.reason) or "AWS gives no reason"
            raise AwsError(f"{step.message} ended as {found}: {reason}.")
        if clock.now() >= deadline:
            raise WaitTimeout(
                f"{step.message} is still {found} after {wait.deadline_s:.0f} s.",
                "Run the same command again: it goes on from here.",
            )
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 2.0)


def look_up(answer: object, path: str) -> object:
    """Find what a dotted path names in an answer; None where there is nothing."""
    found = answer
    for part in path.split(".") if path else ():
        if isinstance(found, list):
            index = int(part)
            found = found[index] if index < len(found) else None
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return found if path else None
