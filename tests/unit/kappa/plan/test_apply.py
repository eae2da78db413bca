"""apply: calls in order, retries of named codes, waits with a deadline."""

import pytest
from msgspec.structs import replace

from kappa.errors import AwsError, Conflict, NotFound, WaitTimeout
from kappa.plan.apply import apply
from kappa.plan.step import Clock, Note, Recheck, Report, Step, Wait

CREATE = Step("lambda", "create_function", {"FunctionName": "f"}, "created", "function f")
READY = Wait("lambda", "get_function", {}, "State", until=("Active",), failed=("Failed",))


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self):
        self.now_s = 0.0
        self.clock = Clock(now=lambda: self.now_s, sleep=self.sleep)

    def sleep(self, seconds):
        self.now_s += seconds


def answering(*answers):
    """A call that gives one answer after the other, the last one again and again."""
    left = list(answers)
    calls = []

    def call(service, operation, doing, params):
        calls.append((operation, doing))
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    call.calls = calls
    return call


def run(plan, call):
    reports = []
    apply(plan, call, reports.append, Time().clock)
    return reports


def step(**changes):
    return replace(CREATE, **changes)


def test_steps_are_carried_out_in_order_and_told():
    call = answering({})
    reports = run([Note("exists", "role r"), CREATE], call)
    assert reports == [Report("exists", "role r"), Report("created", "function f")]
    assert call.calls == [("create_function", "creating function f")]


def test_a_named_error_is_tried_again():
    fresh = AwsError("cannot be assumed by Lambda.", code="InvalidParameterValueException")
    call = answering(fresh, fresh, {})
    marks = [report.mark for report in run([CREATE], call)]
    assert marks == ["waiting", "created"]


def test_another_error_of_the_same_code_is_not_tried_again():
    other = AwsError("the handler is bad.", code="InvalidParameterValueException")
    call = answering(other)
    with pytest.raises(AwsError, match="handler is bad"):
        run([CREATE], call)
    assert len(call.calls) == 1


def test_trying_again_ends_at_its_deadline():
    fresh = AwsError("cannot be assumed by Lambda.", code="InvalidParameterValueException")
    call = answering(fresh)
    with pytest.raises(AwsError, match="cannot be assumed"):
        run([CREATE], call)
    assert len(call.calls) < 40


def test_a_settled_code_is_reported_as_gone():
    gone = NotFound("no such role", code="NoSuchEntity")
    assert run([step(settled=("NoSuchEntity",))], answering(gone))[0].mark == "gone"


def test_a_conflict_gets_the_steps_hint():
    taken = Conflict("taken", code="EntityAlreadyExists")
    with pytest.raises(Conflict) as error:
        run([step(conflict_hint="Take another name.")], answering(taken))
    assert error.value.hint == "Take another name."


def test_a_wait_polls_until_the_field_says_so():
    call = answering({}, {"State": "Pending"}, {"State": "Pending"}, {"State": "Active"})
    assert run([step(wait=READY)], call)[0].seconds == pytest.approx(0.2)


def test_a_wait_for_what_failed_says_why():
    wait = Wait("lambda", "get_function", {}, "State", ("Active",), ("Failed",), "StateReason")
    call = answering({}, {"State": "Failed", "StateReason": "no image"})
    with pytest.raises(AwsError, match="ended as Failed: no image"):
        run([step(wait=wait)], call)


def test_a_wait_ends_at_its_deadline_with_what_to_do():
    with pytest.raises(WaitTimeout, match="still Pending after 300 s") as error:
        run([step(wait=READY)], answering({}, {"State": "Pending"}))
    assert "again" in error.value.hint


def test_a_wait_for_removal_ends_when_it_is_not_found():
    wait = Wait("lambda", "get_event_source_mapping", {}, "State", gone=True)
    call = answering({}, {"State": "Deleting"}, NotFound("gone"))
    assert [report.mark for report in run([step(wait=wait)], call)] == ["created"]


def test_a_wait_looks_into_lists():
    wait = Wait("lambda", "list_event_source_mappings", {}, "Found.0.State", until=("Enabled",))
    call = answering({}, {"Found": []}, {"Found": [{"State": "Enabled"}]})
    assert len(run([step(wait=wait)], call)) == 1


def test_nothing_after_a_failure_is_called():
    call = answering(AwsError("no"))
    with pytest.raises(AwsError):
        run([CREATE, CREATE], call)
    assert len(call.calls) == 1


def test_a_step_takes_its_value_from_the_answer_before():
    params = []

    def call(_service, operation, _doing, given):
        params.append(given)
        return {"Version": "7"} if operation == "publish_version" else {}

    publish = step(operation="publish_version")
    alias = step(operation="update_alias", takes={"FunctionVersion": "Version"})
    run([publish, Note("exists", "role r"), alias], call)
    assert params[1] == {"FunctionName": "f", "FunctionVersion": "7"}


def test_no_call_waits_for_what_the_answer_says_already():
    call = answering({"State": "Active"})
    run([step(wait=READY)], call)
    assert len(call.calls) == 1


def test_ctrl_c_says_which_step_was_underway():
    reports = []

    def call(*_args):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply([CREATE], call, reports.append, Time().clock)
    assert reports == [Report("stopped", "function f")]


@pytest.mark.parametrize("for_next", [True, False])
@pytest.mark.parametrize("wait", [True, False])
def test_a_wait_for_the_next_step_is_left_out_at_the_end_unless_it_is_wanted(for_next, wait):
    call = answering({}, {"State": "Active"})
    ready = replace(READY, for_next=for_next)
    apply([step(wait=ready)], call, lambda _report: None, Time().clock, wait=wait)
    assert len(call.calls) == (1 if for_next and not wait else 2)


def test_a_wait_for_the_next_step_comes_before_that_one():
    call = answering({}, {"State": "Active"}, {})
    ready = replace(READY, for_next=True)
    run([step(wait=ready), step(operation="add_permission"), Note("exists", "x")], call)
    names = [operation for operation, _ in call.calls]
    assert names == ["create_function", "get_function", "add_permission"]


def test_what_was_made_just_now_may_be_unknown_for_a_while():
    unknown = NotFound("Function not found: f", code="ResourceNotFoundException")
    plan = [step(wait=READY)]
    assert run(plan, answering({}, unknown, unknown, {"State": "Active"}))[0].mark == "created"
    with pytest.raises(NotFound):
        run(plan, answering({}, unknown))


ALREADY = Conflict("exists", code="ResourceConflictException", text="a mapping already exists")
MAPPED = step(
    operation="create_event_source_mapping",
    recheck=Recheck("list_event_source_mappings", {}, lambda has, _: has["Mappings"] == [7]),
)


def test_a_step_whose_answer_was_lost_is_found_done():
    call = answering(ALREADY, {"Mappings": [7]})
    assert [report.mark for report in run([MAPPED], call)] == ["exists"]
    assert len(call.calls) == 2


@pytest.mark.parametrize(
    "has", [{"Mappings": [8]}, NotFound("gone", code="ResourceNotFoundException")]
)
def test_a_conflict_with_others_is_tried_again(has):
    call = answering(ALREADY, has, {})
    assert [report.mark for report in run([MAPPED], call)] == ["waiting", "created"]


def test_an_error_says_where_in_the_config_its_step_comes_from():
    call = answering(AwsError("AWS refused it"))
    with pytest.raises(AwsError) as caught:
        apply([CREATE], call, lambda _: None, Time().clock, place=lambda *_: "c.yml:3: lambda")
    assert caught.value.message == "c.yml:3: lambda: AWS refused it"
    assert "run the same command again" in caught.value.hint
