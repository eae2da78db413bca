"""Log group and events."""

from kappa import logs
from kappa.logs import Event, LogGroup
from kappa.steps import Already
from tests.builders import assert_valid, kappa_config


def test_without_a_retention_nothing_is_planned():
    assert logs.plan_retention(kappa_config(), None) == []


def test_a_retention_makes_the_group():
    plan = logs.plan_retention(kappa_config({"log_retention_days": 14}), None)
    assert_valid(plan)
    assert [step.operation for step in plan] == ["create_log_group", "put_retention_policy"]


def test_another_retention_is_changed():
    plan = logs.plan_retention(kappa_config({"log_retention_days": 14}), LogGroup())
    assert_valid(plan)
    assert [step.operation for step in plan] == ["put_retention_policy"]


def test_an_equal_retention_stays():
    plan = logs.plan_retention(kappa_config({"log_retention_days": 14}), LogGroup(14))
    assert plan == [Already("unchanged", "log group /aws/lambda/greeter")]


def test_delete_says_that_the_logs_stay():
    assert logs.plan_delete(kappa_config())[0].mark == "kept"


def test_an_event_tells_its_time_in_utc():
    assert Event(1_767_268_800_123, "hi").time == "2026-01-01T12:00:00.123Z"


class FakeAws:
    """Answers each reading of the log with the next list of events."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.since = []

    def pages(self, service, operation, doing, key, params):
        self.since.append(params["startTime"])
        return self.answers.pop(0)


def raw(at_ms, message, event_id):
    return {"timestamp": at_ms, "message": message + "\n", "eventId": event_id}


def test_events_come_oldest_first():
    aws = FakeAws([raw(2, "b", "2"), raw(1, "a", "1")])
    assert [event.message for event in logs.read_events(aws, "greeter", 0)] == ["a", "b"]


def test_following_gives_each_event_once_even_a_late_one():
    first = [raw(20_000, "b", "2")]
    aws = FakeAws(first, [raw(15_000, "late", "1"), *first, raw(21_000, "c", "3")])
    events = logs.follow_events(aws, "greeter", 5_000, _clock())
    assert [next(events).message for _ in range(3)] == ["b", "late", "c"]
    assert aws.since == [5_000, 10_000]


def _clock():
    from kappa.steps import Clock

    return Clock(now=lambda: 0.0, sleep=lambda _: None)
