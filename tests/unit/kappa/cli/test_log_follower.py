"""A log that is followed beside other work."""

import time
from types import SimpleNamespace

import pytest

from kappa.cli.console import Output
from kappa.cli.log_follower import LogFollower
from kappa.errors import Denied
from tests.support.waiting import wait_for


def following(pages, group="/aws/lambda/greeter"):
    aws = SimpleNamespace(pages=lambda *_: pages())
    config = SimpleNamespace(function=SimpleNamespace(log_group=group))
    session = SimpleNamespace(aws=aws, config=config)
    return LogFollower(session, Output("greeter | "), as_json=False)


def test_what_is_logged_is_printed_until_it_is_stopped(capsys):
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": "hello\n", "logStreamName": "s", "eventId": "1"}]
    follower, printed = following(lambda: events), []
    wait_for(lambda: printed.append(capsys.readouterr().out) or "hello" in "".join(printed))
    follower.stop()
    assert "".join(printed).startswith("greeter | ")
    assert not follower._thread.is_alive()
    follower.check()


def test_a_log_that_may_not_be_read_is_reported_once(capsys):
    def denied():
        raise Denied("AWS refused reading the log.")

    follower = following(denied)
    follower._thread.join(10)
    follower.check()
    assert capsys.readouterr().err == (
        "greeter | AWS refused reading the log.\ngreeter |   The log is not followed.\n"
    )


def test_a_closed_output_ends_the_command_too():
    def closed():
        raise BrokenPipeError

    follower = following(closed)
    follower._thread.join(10)
    with pytest.raises(BrokenPipeError):
        follower.check()
