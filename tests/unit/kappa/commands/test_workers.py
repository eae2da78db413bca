"""Processes that requests share, played by objects that only know whether they were closed."""

import threading

import pytest

from kappa.commands.workers import Retired, Workers
from kappa.errors import KappaError


class Worker:
    def __init__(self):
        self.is_closed = False

    def close(self):
        self.is_closed = True


class Pool:
    def __init__(self, count):
        self.made = []
        self.workers = Workers(self.make, count)

    def make(self):
        self.made.append(Worker())
        return self.made[-1]


def test_the_process_that_ran_last_runs_next():
    pool = Pool(2)
    with pool.workers.worker() as first, pool.workers.worker() as second:
        assert first is not second
    with pool.workers.worker() as again:
        assert again is first
    assert len(pool.made) == 2


def test_a_request_waits_for_an_idle_process():
    pool, got = Pool(1), []

    def wait():
        with pool.workers.worker() as worker:
            got.append(worker)

    with pool.workers.worker() as worker:
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.05)
        assert got == []
    thread.join(5)
    assert got == [worker]


def test_retired_processes_end_when_they_are_done():
    pool = Pool(2)
    with pool.workers.worker() as busy:
        with pool.workers.worker() as idle:
            pass
        pool.workers.retire()
        assert (idle.is_closed, busy.is_closed) == (True, False)
    assert busy.is_closed
    with pytest.raises(Retired), pool.workers.worker():
        pass


def test_requests_that_wait_learn_of_the_retirement():
    pool, ended = Pool(1), threading.Event()

    def wait():
        with pytest.raises(Retired), pool.workers.worker():
            pass
        ended.set()

    with pool.workers.worker():
        threading.Thread(target=wait).start()
        pool.workers.retire()
        assert ended.wait(5)


def test_close_ends_also_those_that_run():
    pool = Pool(1)
    with pool.workers.worker() as busy:
        pool.workers.close()
        assert busy.is_closed


def test_a_process_that_is_being_made_at_the_end_runs_nothing():
    made, begun, go, ended = [], threading.Event(), threading.Event(), threading.Event()

    def make():
        made.append(Worker())
        if len(made) > 1:
            begun.set()
            go.wait(5)
        return made[-1]

    def ask():
        with pytest.raises(Retired), workers.worker():
            pass
        ended.set()

    workers = Workers(make, 2)
    with workers.worker():
        threading.Thread(target=ask).start()
        assert begun.wait(5)
        workers.close()
        go.set()
        assert ended.wait(5)
    assert made[1].is_closed


def test_what_cannot_run_fails_at_once_and_takes_no_place_later():
    def fail():
        raise KappaError("no such runtime")

    with pytest.raises(KappaError):
        Workers(fail, 1)
    made = [Worker()]
    workers = Workers(lambda: made.pop(), 2)
    with workers.worker():
        for _ in range(3):
            with pytest.raises(IndexError), workers.worker():
                pass
    with workers.worker() as worker:
        assert isinstance(worker, Worker)
