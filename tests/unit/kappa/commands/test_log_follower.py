"""A log that is followed beside other work."""

import time
from types import SimpleNamespace

import pytest

from kappa.commands.console import Output
from kappa.commands.log_follower import LogFollower
from kappa.errors import Denied
from tests.support.waiting import wait_for


def following(pages, group="/aws/lambda/greeter"):
    aws = SimpleNamespace(pages=pages)
    config = SimpleNamespace(function=SimpleNamespace(log_group=group))
    session = SimpleNamespace(aws=aws, config=config)
    return LogFollower(session, Output("greeter | "), as_json=False)


def test_what_is_logged_is_printed_until_it_is_stopped(capsys):
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": "hello\n", "logStreamName": "s", "eventId": "1"}]
    follower, printed = following(lambda *_: events), []
    wait_for(lambda: printed.append(capsys.readouterr().out) or "hello" in "".join(printed))
    follower.stop()
    assert "".join(printed).startswith("greeter | ")
    assert not follower._thread.is_alive()
    follower.check()


def test_a_log_that_may_not_be_read_is_reported_once(capsys):
    def denied(*_):
        raise Denied("AWS refused reading the log.")

    follower = following(denied)
    follower._thread.join(10)
    follower.check()
    assert capsys.readouterr().err == (
        "greeter | AWS refused reading the log.\n"
        "greeter |   The log is not followed. The next update tries again.\n"
    )


def test_a_log_that_was_refused_is_followed_again_from_there(capsys):
    answers, asked = [Denied("expired"), Denied("expired"), []], []

    def pages(*call):
        asked.append(call[-1]["startTime"])
        answer = answers[0] if len(answers) == 1 else answers.pop(0)
        if isinstance(answer, Denied):
            raise answer
        return answer

    follower = following(pages)
    for _ in range(2):
        follower._thread.join(10)
        follower.resume()
    wait_for(lambda: len(asked) > 2)
    follower.resume()
    follower.stop()
    assert capsys.readouterr().err.count("expired") == 1
    assert len(set(asked)) == 1


def test_a_closed_output_ends_the_command_too():
    def closed(*_):
        raise BrokenPipeError

    follower = following(closed)
    follower._thread.join(10)
    with pytest.raises(BrokenPipeError):
        follower.check()
