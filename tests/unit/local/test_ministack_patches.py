"""When the emulator ends a function's workers, and how it serves streams and logs side by side."""

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc

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


class Streams:
    """Two streams' mappings and records; a call of "hangs" takes until `answer`."""

    def __init__(self):
        self.mappings = [mapping_of("hangs"), mapping_of("answers")]
        self.records = {"hangs": 0, "answers": 0}
        self.served = []
        self.answer = threading.Event()
        self.running = {"hangs": 0, "answers": 0}

    def poll(self):
        processed = False
        for _account, _region, mapping in lambda_svc._iter_all_esms():
            table = mapping["EventSourceArn"].split("/")[1]
            if not mapping["Enabled"] or not self.records[table]:
                continue
            assert not self.running[table], "two calls of one stream at once"
            self.running[table] += 1
            if table == "hangs":
                self.answer.wait()
            self.records[table] -= 1
            self.served.append(mapping["UUID"])
            self.running[table] -= 1
            processed = True
        return processed

    def write(self, table, count=1):
        self.records[table] += count
        dynamodb._emit_stream_event(table, "INSERT", None, {})


def stream_of(table):
    return f"arn:aws:dynamodb:us-east-1:1:table/{table}/stream/1"


def mapping_of(table, uuid=""):
    return {"UUID": uuid or table, "EventSourceArn": stream_of(table), "Enabled": True}


def threads_of_streams():
    return [thread for thread in threading.enumerate() if thread.name.endswith("(serve)")]


@pytest.fixture
def streams(monkeypatch):
    """Streams that are served; MiniStack's own thread has found them."""
    streams = Streams()
    tables = {table: {"LatestStreamArn": stream_of(table)} for table in streams.records}
    monkeypatch.setattr(dynamodb, "_tables", tables)
    monkeypatch.setattr(dynamodb, "_emit_stream_event", lambda *_: None)
    monkeypatch.setattr(
        lambda_svc, "_iter_all_esms", lambda: [("a", "r", m) for m in list(streams.mappings)]
    )
    monkeypatch.setattr(lambda_svc, "_poll_dynamodb_streams", streams.poll)
    monkeypatch.setattr(ministack_patches, "POLL_S", 0.05)
    ministack_patches.serve_streams_side_by_side()
    lambda_svc._poll_dynamodb_streams()
    yield streams
    streams.answer.set()
    streams.mappings.clear()
    wait_for(lambda: not threads_of_streams())


def test_a_function_that_hangs_delays_no_other_stream(streams):
    streams.write("hangs")
    streams.write("answers", 2)
    wait_for(lambda: streams.served == ["answers", "answers"])
    streams.write("answers")
    wait_for(lambda: len(streams.served) == 3)
    streams.answer.set()
    wait_for(lambda: streams.served[3:] == ["hangs"])


def test_a_stream_is_served_by_one_thread_for_as_long_as_it_has_a_mapping(streams):
    served_by = set(threads_of_streams())
    assert len(served_by) == 2
    for _ in range(3):
        streams.write("answers")
        lambda_svc._poll_dynamodb_streams()
    wait_for(lambda: len(streams.served) == 3)
    assert set(threads_of_streams()) == served_by
    del streams.mappings[1]
    wait_for(lambda: len(threads_of_streams()) == 1)
    streams.write("answers")
    streams.mappings.append(mapping_of("answers", "again"))
    lambda_svc._poll_dynamodb_streams()
    wait_for(lambda: streams.served[3:] == ["again"])


def test_a_mapping_that_is_made_again_during_a_call_waits_for_its_end(streams):
    streams.write("hangs", 2)
    wait_for(lambda: streams.running["hangs"])
    streams.mappings[0] = mapping_of("hangs", "again")
    lambda_svc._poll_dynamodb_streams()
    assert len(threads_of_streams()) == 2
    streams.answer.set()
    wait_for(lambda: streams.served == ["hangs", "again"])


def test_a_mapping_that_was_disabled_is_served_once_it_is_enabled(streams):
    streams.mappings[1]["Enabled"] = False
    streams.write("answers")
    streams.write("hangs")
    streams.answer.set()
    wait_for(lambda: streams.served == ["hangs"])
    streams.mappings[1]["Enabled"] = True
    wait_for(lambda: streams.served == ["hangs", "answers"])


def test_a_stream_that_could_not_be_served_is_served_again(streams, monkeypatch):
    failed = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    streams.records["answers"] = "one"  # which cannot be counted down
    wait_for(lambda: failed)
    streams.records["answers"], streams.running["answers"] = 1, 0
    wait_for(lambda: not lambda_svc._poll_dynamodb_streams() and streams.served == ["answers"])
