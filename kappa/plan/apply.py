"""Carry out a plan: call, wait, and retry what retries.py names, each with a deadline.

It decides nothing: the plan has what is to be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from kappa.errors import AwsError, Conflict, NotFound, WaitTimeout
from kappa.plan.retries import passing_error
from kappa.plan.step import Call, Clock, Guard, Look, Note, Plan, Report, Step, Wait

Filled = TypeVar("Filled", Step, Wait)
# How often is written what another writes at the same time.
_MERGES = 6
# Source: AWS Lambda API reference, "PreconditionFailedException".
_STALE = "PreconditionFailedException"
# How long after a write it is looked at for the last time: another may have read before it.
_OVERWRITTEN_S = 1.0
_FRESH_S = 30.0
# IAM takes no more versions of a policy: the last one may be ours, of which the answer was lost.
_FULL = "LimitExceeded"
_GERUNDS = {
    "attached": "attaching",
    "created": "creating",
    "detached": "detaching",
    "marked": "marking",
    "published": "publishing",
    "removed": "removing",
    "updated": "updating",
}


def apply(
    plan: Plan,
    call: Call,
    report: Callable[[Report], None],
    clock: Clock | None = None,
    *,
    wait: bool = False,
) -> None:
    """Carry out a plan in order, and report the result of each item.

    With `wait`, the last step waits too, even if its wait is only for a next one.

    Raises: AwsError of the first step that fails, WaitTimeout.
    """
    clock = clock or Clock()
    answer: dict[str, Any] = {}
    merged: dict[str, tuple[Step, float]] = {}
    made = False
    last = [item for item in plan if isinstance(item, Step)][-1:]
    for item in plan:
        if isinstance(item, Step) and item.unless is not None:
            item = item.unless() or item
        if isinstance(item, Note):
            report(Report(item.mark, item.message))
            continue
        started = clock.now()
        filled = _filled(item, answer)
        try:
            carry_out = _merge if item.merge else _guarded if item.guard else _carry_out
            mark, answer = carry_out(filled, call, report, clock)
            if item.wait is not None and (wait or item is not last[0] or not item.wait.for_next):
                _await(item, item.wait, answer, call, clock)
        except KeyboardInterrupt:
            report(Report("stopped", item.message))
            raise
        except AwsError as error:
            if made:
                _undo(item, error, call, report, clock)
            raise
        made = mark == item.mark
        if item.merge and mark == item.mark:
            merged[str(item.merge.params)] = filled, clock.now()
        report(Report(mark, _message(filled, answer), clock.now() - started))
    _look_again(merged.values(), call, report, clock)


def _undo(
    step: Step, error: AwsError, call: Call, report: Callable[[Report], None], clock: Clock
) -> None:
    """Put back what a step that failed was to replace; where that fails too, the hint says so."""
    if step.undo is None:
        return
    try:
        _carry_out(step.undo, call, report, clock)
    except AwsError as second:
        lost = f"The {step.undo.message} could not be put back: {second.message}"
        error.hint = f"{error.hint} {lost}".strip()
        return
    report(Report("restored", step.undo.message))


def _message(step: Step, answer: Mapping[str, Any]) -> str:
    """The step's message, with what only its answer knows, or the answer of the step before."""
    message = step.message
    for words, path in step.fills.items():
        value = look_up(answer, path) or look_up(step.params, path)
        message = message.replace(words, str(value or words))
    return message


def _filled(call: Filled, answer: Mapping[str, Any]) -> Filled:
    taken = {param: look_up(answer, path) for param, path in call.takes.items()}
    return replace(call, params={**call.params, **taken}) if taken else call


def _carry_out(
    step: Step,
    call: Call,
    report: Callable[[Report], None],
    clock: Clock,
    read: Callable[[], Mapping[str, Any] | None] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Call until it is done. `read` makes the params anew for each try; None: nothing to send."""
    doing = f"{_GERUNDS.get(step.mark, step.mark)} {step.message}"
    started = clock.now()
    pause_s = 0.25
    while True:
        params = read() if read else step.params
        if params is None:
            return "exists", {}
        try:
            answer = call(step.service, step.operation, doing, params)
            _check_accepted(step, doing, answer)
            _check_expected(step, answer)
            return step.mark, answer
        except AwsError as error:
            if error.code in step.settled:
                return "gone" if isinstance(error, NotFound) else "exists", {}
            if step.look and (isinstance(error, Conflict) or error.code == _FULL):
                existing = _find(step, step.look, call)
                if existing is not None:
                    return "exists", existing
            passes = passing_error(step.service, step.operation, error)
            if passes is None or clock.now() - started >= passes.deadline_s:
                conflict_hint = step.conflict_hint if isinstance(error, Conflict) else ""
                error.hint = error.hint or conflict_hint or step.hint
                raise
            if pause_s == 0.25:
                report(Report("waiting", f"{step.message}: {error.code}, trying again"))
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 4.0)


def _find(step: Step, look: Look, call: Call) -> dict[str, Any] | None:
    """Return what exists, if it is what the step would make."""
    try:
        answer = call(step.service, look.operation, f"looking for {step.message}", look.params)
    except NotFound:
        # AWS says that it exists, and does not know it everywhere yet.
        return None
    return answer if look.fits(answer, step.params) else None


def _merge(
    step: Step, call: Call, report: Callable[[Report], None], clock: Clock
) -> tuple[str, dict[str, Any]]:
    read, is_written, pause_s = partial(_merged, step, call), False, 0.25
    for _ in range(_MERGES):
        try:
            if is_written and read() is None:
                return step.mark, {}
            if is_written:
                report(Report("waiting", f"{step.message}: overwritten by another, trying again"))
                clock.sleep(pause_s)
                pause_s *= 2
            mark, _ = _carry_out(step, call, report, clock, read)
        except AwsError as error:
            if error.code in step.settled:
                return "gone", {}
            raise
        if mark != step.mark:
            return step.mark if is_written and mark == "exists" else mark, {}
        is_written = True
    raise Conflict(
        f"{step.message} is overwritten by another again and again.",
        "When the other is done, run the same command again.",
    )


def _guarded(
    step: Step, call: Call, report: Callable[[Report], None], clock: Clock
) -> tuple[str, dict[str, Any]]:
    """Write only if nobody else has changed it since the plan; refused as stale, read it again."""
    assert step.guard is not None
    guard, pause_s = step.guard, 0.25
    for _ in range(_MERGES):
        now = _fresh(step, guard, call, clock)
        if not guard.check(now, step.params):
            return "exists", {**step.params, **now}
        taken = {param: look_up(now, path) for param, path in guard.takes.items()}
        params = {**step.params, **{param: value for param, value in taken.items() if value}}
        try:
            return _carry_out(replace(step, params=params), call, report, clock)
        except AwsError as error:
            if error.code != _STALE:
                raise
        report(Report("waiting", f"{step.message}: changed by another, looking again"))
        clock.sleep(pause_s)
        pause_s *= 2
    raise Conflict(
        f"Another command changes it again and again: {step.message}.",
        "When the other is done, run the same command again.",
    )


def _fresh(step: Step, guard: Guard, call: Call, clock: Clock) -> dict[str, Any]:
    """Read what a write relies on. AWS may not know everywhere yet what was made just now."""
    doing = f"reading what {step.message} would change"
    started, pause_s = clock.now(), 0.25
    while True:
        try:
            return call(step.service, guard.operation, doing, guard.params)
        except NotFound:
            if clock.now() - started >= _FRESH_S:
                raise
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 2.0)


def _merged(step: Step, call: Call) -> Mapping[str, Any] | None:
    """Read the document, and return what is to be written; None, if nothing is."""
    assert step.merge is not None
    merge, doing = step.merge, f"reading what {step.message} is a part of"
    return merge.into(call(step.service, merge.operation, doing, merge.params))


def _look_again(
    merged: Iterable[tuple[Step, float]],
    call: Call,
    report: Callable[[Report], None],
    clock: Clock,
) -> None:
    """Write once more what another overwrote with a document that it had read before our write."""
    for step, written_at in merged:
        clock.sleep(max(0.0, written_at + _OVERWRITTEN_S - clock.now()))
        started = clock.now()
        mark, _ = _merge(step, call, report, clock)
        if mark == step.mark:
            message = f"{step.message} again, which another had overwritten"
            report(Report(mark, message, clock.now() - started))


def _check_accepted(step: Step, doing: str, answer: Mapping[str, Any]) -> None:
    refusal = look_up(answer, step.refused)
    if isinstance(refusal, dict):
        code, text = refusal.get("ErrorCode", ""), refusal.get("ErrorMessage", "")
        raise AwsError(f"AWS refused {doing}: {text} ({code})", code=code, text=text)


def _check_expected(step: Step, answer: Mapping[str, Any]) -> None:
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
    started = clock.now()
    pause_s = 0.1
    while True:
        try:
            answer = call(wait.service, wait.operation, f"waiting for {step.message}", wait.params)
        except NotFound:
            if wait.gone:
                return
            # What was made just now may not be known everywhere: terraform-provider-aws#25440.
            if clock.now() - started >= _FRESH_S:
                raise
            answer = {}
        state = look_up(answer, wait.field)
        if state in wait.until:
            return
        if state in wait.failed:
            reason = look_up(answer, wait.reason) or "AWS gives no reason"
            raise AwsError(f"{step.message} ended as {state}: {reason}.")
        if clock.now() - started >= wait.deadline_s:
            raise WaitTimeout(
                f"{step.message} is still {state} after {wait.deadline_s:.0f} s.",
                "Run the same command again: it goes on from here.",
            )
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 2.0)


def look_up(answer: object, path: str) -> object:
    """Return what a dotted path names in an answer; None, if it names nothing."""
    value = answer
    for part in path.split(".") if path else ():
        if isinstance(value, list):
            index = int(part)
            value = value[index] if index < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value if path else None
