"""When the emulator ends a function's workers, and how it serves streams and logs side by side."""

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local import ministack_patches
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
    ministack_patches.spare_busy_workers()
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
    ministack_patches.log_one_by_one()
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(lambda_svc._emit_lambda_logs, "f", text=str(number)) for number in range(4)
        ]
    assert [call.result() for call in calls] == [None] * 4
    assert len(written) == 4


def test_a_log_that_is_read_late_is_whole(monkeypatch):
    monkeypatch.setattr(
        lambda_runtime.Worker, "_drain_stderr_bounded", lambda_runtime.Worker._drain_stderr_bounded
    )
    ministack_patches.log_whole()
    worker = lambda_runtime.Worker("f", {}, b"")
    command = ["sh", "-c", "echo line >&2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        process.wait()
        worker._proc = process
        reader = threading.Timer(0.2, worker._read_stderr)
        reader.start()
        assert worker._drain_stderr_bounded() == "line"
        reader.join()


def test_a_function_that_hangs_delays_no_other_stream(monkeypatch):
    stream = {"EventSourceArn": "arn:aws:dynamodb:us-east-1:1:table/t/stream/1"}
    mappings = [stream | {"UUID": "hangs"}, stream | {"UUID": "answers"}]
    records = {"hangs": 1, "answers": 2}
    served, answer = [], threading.Event()

    def poll():
        processed = False
        for _account, _region, mapping in lambda_svc._iter_all_esms():
            uuid = mapping["UUID"]
            if records[uuid]:
                records[uuid] -= 1
                served.append(uuid)
                processed = True
            if uuid == "hangs":
                answer.wait()
        return processed

    monkeypatch.setattr(lambda_svc, "_iter_all_esms", lambda: [("a", "r", m) for m in mappings])
    monkeypatch.setattr(lambda_svc, "_poll_dynamodb_streams", poll)
    ministack_patches.serve_streams_side_by_side()
    lambda_svc._poll_dynamodb_streams()
    wait_for(lambda: sorted(served) == ["answers", "answers", "hangs"])
    records |= {"hangs": 1, "answers": 1}
    wait_for(lambda: not lambda_svc._poll_dynamodb_streams() and not records["answers"])
    assert records["hangs"], "called again before it had answered"
    answer.set()
    wait_for(lambda: not records["hangs"])
