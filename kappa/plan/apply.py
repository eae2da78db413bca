"""Carry out a plan: make each call, wait for it, retry the errors that retries.py lists.

It owns deadlines and pauses. It makes no decision: the plan holds everything to be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from kappa.errors import AwsError, Conflict, NotFound, WaitTimeout
from kappa.plan.retries import transient_error
from kappa.plan.step import Call, Clock, Guard, Note, Plan, Recheck, Report, Step, Wait

Filled = TypeVar("Filled", Step, Wait)
# Attempts at a write that competes with another writer.
_ATTEMPTS = 6
# Source: AWS Lambda API reference, "PreconditionFailedException".
_STALE = "PreconditionFailedException"
# Delay of the last check after a write: another writer may have read the old document.
_OVERWRITTEN_S = 1.0
# Between two looks at what a step waits for.
_MIN_PAUSE_S, _MAX_PAUSE_S = 0.1, 2.0
# How long AWS may take to know a new resource everywhere.
_PROPAGATION_S = 30.0
# A managed policy is full. Its newest version may be ours, if the answer to our call was lost.
_FULL = "LimitExceeded"
_CORRECT = "Correct it, then run the same command again: completed steps stay."
_GERUNDS = {
    "attached": "attaching",
    "created": "creating",
    "detached": "detaching",
    "adopted": "adopting",
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
    place: Callable[[Step, AwsError], str] = lambda _step, _error: "",
) -> None:
    """Carry out a plan in order, and report the result of each item.

    `place` names where in the config a step comes from that AWS refused. `wait` makes the last step
    wait too, even if its wait only serves a following step.

    Raises: AwsError of the first step that fails, WaitTimeout.
    """
    clock = clock or Clock()
    answer: dict[str, Any] = {}
    merged: dict[str, tuple[Step, float]] = {}
    previous_was_carried_out = False
    last = [item for item in plan if isinstance(item, Step)][-1:]
    for item in plan:
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
            if where := place(filled, error):
                error.message = f"{where}: {error.message}"
                error.hint = error.hint or _CORRECT
            if previous_was_carried_out:
                _undo(item, error, call, report, clock)
            raise
        previous_was_carried_out = mark == item.mark
        if item.merge and mark == item.mark:
            merged[str(item.merge.params)] = filled, clock.now()
        report(Report(mark, _message(filled, answer), clock.now() - started))
    _rewrite_overwritten(merged.values(), call, report, clock)


def _undo(
    step: Step, error: AwsError, call: Call, report: Callable[[Report], None], clock: Clock
) -> None:
    """Restore what was removed before a failed step. If that fails too, add it to the hint."""
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
    """Fill in the step's message with values from its answer or its params."""
    message = step.message
    for placeholder, path in step.fills.items():
        value = look_up(answer, path) or look_up(step.params, path)
        message = message.replace(placeholder, str(value or placeholder))
    return message


def _filled(call: Filled, answer: Mapping[str, Any]) -> Filled:
    values = {param: look_up(answer, path) for param, path in call.takes.items()}
    return replace(call, params={**call.params, **values}) if values else call


def _carry_out(
    step: Step,
    call: Call,
    report: Callable[[Report], None],
    clock: Clock,
    read: Callable[[], Mapping[str, Any] | None] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Call until it succeeds. `read` makes new params for each attempt, or None to send nothing."""
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
            if step.recheck and (isinstance(error, Conflict) or error.code == _FULL):
                existing = _find(step, step.recheck, call)
                if existing is not None:
                    return "exists", existing
            transient = transient_error(step.service, step.operation, error)
            if transient is None or clock.now() - started >= transient.deadline_s:
                conflict_hint = step.conflict_hint if isinstance(error, Conflict) else ""
                error.hint = error.hint or conflict_hint or step.hint
                raise
            if pause_s == 0.25:
                report(Report("waiting", f"{step.message}: {error.code}, trying again"))
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 4.0)


def _find(step: Step, recheck: Recheck, call: Call) -> dict[str, Any] | None:
    """Return what exists, if it matches what the step would create."""
    try:
        answer = call(
            step.service, recheck.operation, f"looking for {step.message}", recheck.params
        )
    except NotFound:
        # The conflict shows that it exists, but AWS does not know it everywhere yet.
        return None
    return answer if recheck.fits(answer, step.params) else None


def _merge(
    step: Step, call: Call, report: Callable[[Report], None], clock: Clock
) -> tuple[str, dict[str, Any]]:
    read, is_written, pause_s = partial(_read_merged, step, call), False, 0.25
    for _ in range(_ATTEMPTS):
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
    """Write only if nobody has changed it since the plan. Read it again if AWS calls it stale."""
    assert step.guard is not None
    guard, known, pause_s = step.guard, step.guard.known, 0.25
    for _ in range(_ATTEMPTS):
        current = known or _read_guarded(step, guard, call, clock)
        known = None
        if not guard.check(current, step.params):
            return "exists", {**step.params, **current}
        values = {param: look_up(current, path) for param, path in guard.takes.items()}
        params = {**step.params, **{param: value for param, value in values.items() if value}}
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


def _read_guarded(step: Step, guard: Guard, call: Call, clock: Clock) -> dict[str, Any]:
    """Read what a write relies on. A new resource may not be known everywhere yet."""
    doing = f"reading what {step.message} would change"
    started, pause_s = clock.now(), 0.25
    while True:
        try:
            return call(step.service, guard.operation, doing, guard.params)
        except NotFound:
            if clock.now() - started >= _PROPAGATION_S:
                raise
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 2.0)


def _read_merged(step: Step, call: Call) -> Mapping[str, Any] | None:
    """Read the document and return the params of the write; None, if nothing differs."""
    assert step.merge is not None
    merge, doing = step.merge, f"reading what {step.message} is a part of"
    return merge.into(call(step.service, merge.operation, doing, merge.params))


def _rewrite_overwritten(
    merged: Iterable[tuple[Step, float]],
    call: Call,
    report: Callable[[Report], None],
    clock: Clock,
) -> None:
    """Repeat a write that another writer undid with a document read before our write."""
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
    while True:
        try:
            answer = call(wait.service, wait.operation, f"waiting for {step.message}", wait.params)
        except NotFound:
            if wait.gone:
                return
            # A new resource may not be known everywhere: terraform-provider-aws#25440.
            if clock.now() - started >= _PROPAGATION_S:
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
        # The end is seen within a quarter of the time that it takes.
        clock.sleep(min(max(_MIN_PAUSE_S, (clock.now() - started) / 4), _MAX_PAUSE_S))


def look_up(answer: object, path: str) -> object:
    """Return the value at a dotted path of an answer; None, if there is none."""
    value = answer
    for part in path.split(".") if path else ():
        if isinstance(value, list):
            index = int(part)
            value = value[index] if index < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value if path else None
