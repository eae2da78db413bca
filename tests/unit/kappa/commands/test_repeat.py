"""Many calls and what they come to."""

import threading

import pytest

from kappa.commands import repeat
from kappa.commands.invoke import LOST, Answer
from kappa.commands.log_lines import Report
from kappa.commands.repeat import Call, Spread
from kappa.errors import AwsError, Denied

COLD = Report("1", 30, 31, 128, 40, init_ms=200)
WARM = Report("2", 3.2, 4, 128, 44)


def answers(*given):
    """A send that gives or raises one after the other."""
    left = list(given)

    def send():
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return send


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, Spread(1, 1, 1, 1)),
        (2, Spread(1, 1, 2, 2)),
        (20, Spread(1, 10, 19, 20)),
        (100, Spread(1, 50, 95, 100)),
    ],
)
def test_p95_is_what_95_of_100_do_not_exceed(count, expected):
    assert repeat.spread(range(count, 0, -1)) == expected


def test_no_numbers_have_no_spread():
    assert repeat.spread([]) is None


def test_calls_are_summed_up_with_their_reports():
    calls = [Call(50, report=COLD), Call(10, report=WARM), Call(12, "KeyError: x"), Call(1, "no")]
    found = repeat.summary([*calls, Call(12, "KeyError: x")], 2.0)
    assert (found.calls, found.failed, found.cold_starts) == (5, 3, 1)
    assert list(found.problems.items()) == [("KeyError: x", 2), ("no", 1)]
    assert (found.memory_mb, found.max_memory_used_mb) == (128, 44)
    assert found.billed_ms == Spread(4, 4, 31, 31)
    assert repeat.table(found, 2) == [
        "calls       5 in 2.0 s, 2 at once: 2/s",
        "failed      3",
        "         2  KeyError: x",
        "         1  no",
        "                  min     median        p95        max",
        "answered         1 ms      12 ms      50 ms      50 ms",
        "billed           4 ms       4 ms      31 ms      31 ms",
        "memory      44 of 128 MB at most",
        "cold starts 1",
    ]


def test_without_reports_the_table_says_so():
    table = repeat.table(repeat.summary([Call(1)], 0), 1)
    assert table[-1] == "billed time and memory: no call answered with its report"


def test_for_scripts_there_are_plain_numbers():
    data = repeat.data(repeat.summary([Call(1)], 1))
    assert data["client_ms"] == {"min": 1, "median": 1, "p95": 1, "max": 1}
    assert data["billed_ms"] is None


def test_failing_and_throttled_calls_are_counted():
    failed = Answer(200, {"errorType": "KeyError", "errorMessage": "x"}, error="Unhandled")
    throttled = AwsError("slow", code="TooManyRequestsException")
    calls = list(repeat.run(answers(failed, throttled, Answer(200, 1)), 3, 1))
    assert sorted(call.problem for call in calls) == ["", "KeyError: x", "throttled"]


def test_any_other_error_ends_it_all():
    send = answers(Answer(200, 1), Denied("no"), *[Answer(200, 1)] * 98)
    with pytest.raises(Denied):
        list(repeat.run(send, 100, 1))


def test_so_many_run_at_once():
    together = threading.Barrier(3)

    def send():
        together.wait(5)
        return Answer(200, 1)

    assert len(list(repeat.run(send, 6, 3))) == 6


def test_a_lost_answer_is_one_failed_call_and_the_others_are_summed_up():
    lost = AwsError("cut", code=LOST)
    calls = list(repeat.run(answers(Answer(200, 1), lost, Answer(200, 1)), 3, 1))
    problems = sorted(call.problem for call in calls)
    assert problems == ["", "", "the answer did not come whole"]
