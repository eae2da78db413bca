"""Which of a function's workers the emulator ends at once, and which after their calls."""

import threading

import pytest
from ministack.core import lambda_runtime

from local import ministack
from tests.support.waiting import wait_for


class Worker:
    """A worker that is leased; with `call` held, it runs one."""

    in_use = True

    def __init__(self):
        self._lock = threading.Lock()

    @property
    def call(self):
        return self._lock


@pytest.fixture
def ended(monkeypatch):
    """The workers that have been ended; lambda_runtime spares the busy ones."""
    workers = []
    monkeypatch.setattr(lambda_runtime, "kill_workers", workers.extend)
    ministack._spare_busy_workers()
    return workers


def test_a_worker_that_runs_a_call_is_ended_after_it(ended):
    busy, idle = Worker(), Worker()
    with busy.call:
        lambda_runtime.kill_workers([busy, idle, None])
        assert ended == [idle]
    wait_for(lambda: ended == [idle, busy])


def test_a_worker_whose_start_failed_is_ended_although_its_lease_stays(ended):
    failed = Worker()
    lambda_runtime.kill_workers([failed])
    assert ended == [failed]
