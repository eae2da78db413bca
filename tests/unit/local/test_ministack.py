"""When the emulator ends a function's workers, and how calls that end at once write their logs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

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


def test_calls_that_end_at_once_write_their_logs_one_by_one(monkeypatch):
    busy, written = threading.Lock(), []

    def write(function, *, text):
        assert busy.acquire(blocking=False), "two logs at once"
        time.sleep(0.01)
        written.append((function, text))
        busy.release()

    monkeypatch.setattr(lambda_svc, "_emit_lambda_logs", write)
    ministack._log_one_by_one()
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(lambda_svc._emit_lambda_logs, "f", text=str(number)) for number in range(4)
        ]
    assert [call.result() for call in calls] == [None] * 4
    assert len(written) == 4
