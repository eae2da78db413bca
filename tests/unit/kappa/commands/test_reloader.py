"""What is made of files is made anew when they change, and a mistake in them ends nothing."""

import threading

import pytest

from kappa.commands.reloader import Reloader
from kappa.config.inputs import depends_on
from kappa.errors import ArchiveError, ConfigError, KappaError
from kappa.plan.step import Clock


class Files:
    """Two files that are read one after the other, as a config and its code are."""

    def __init__(self, folder):
        self.config, self.code = folder / "config.yml", folder / "app.py"
        self.config.write_text("config")
        self.code.write_text("code")
        self.loads, self.failures, self.is_out_of_luck = 0, [], False
        self.makes = None
        self.now_s = 0.0
        clock = Clock(now=self.now, sleep=lambda _: None)
        self.reloader = Reloader(self.load, self.failures.append, clock)

    def now(self):
        self.now_s += 0.01
        return self.now_s

    def load(self, _before):
        self.loads += 1
        if self.makes:
            self.makes.write_text(f"made {self.loads} times")
        if self.is_out_of_luck:
            raise KappaError("no answer")
        for file, error in ((self.config, ConfigError), (self.code, ArchiveError)):
            depends_on(file)
            if file.read_text().startswith("bad"):
                raise error(file.read_text())
        return f"{self.config.read_text()} {self.code.read_text()}"

    def current(self):
        self.now_s += 1.0  # as long after the last look as a person needs to save
        return self.reloader.current()


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def test_files_that_stay_are_read_once(files):
    assert files.reloader.start() == "config code"
    assert files.current() == files.current() == "config code"
    assert files.loads == 1


def test_a_change_is_in_the_next_value(files):
    files.reloader.start()
    files.code.write_text("new code")
    assert files.current() == "config new code"
    assert files.reloader.last() == "config new code"
    assert files.loads == 2


def test_a_mistake_is_reported_once_and_ends_with_its_correction(files):
    files.reloader.start()
    files.code.write_text("bad code")
    assert [str(files.current()), str(files.current())] == ["bad code", "bad code"]
    assert [str(error) for error in files.failures] == ["bad code"]
    assert files.reloader.last() == "config code"
    files.code.write_text("good code")
    assert files.current() == "config good code"


def test_files_that_a_failed_reading_did_not_come_to_count_still(files):
    files.reloader.start()
    files.config.write_text("bad config")
    assert isinstance(files.current(), ConfigError)
    files.code.write_text("more code")
    files.current()
    assert files.loads == 3
    assert isinstance(files.current(), ConfigError)
    assert files.loads == 3
    files.config.write_text("config")
    assert files.current() == "config more code"


def test_an_error_that_is_not_of_the_files_passes(files):
    files.reloader.start()
    files.is_out_of_luck = True
    files.code.write_text("new code")
    assert str(files.current()) == "no answer"
    files.is_out_of_luck = False
    assert str(files.current()) == "no answer"
    files.now_s += 3.0
    assert files.current() == "config new code"
    assert len(files.failures) == 1


def test_what_a_failing_build_has_made_is_no_reason_to_build_again(files):
    files.reloader.start()
    files.makes = files.code
    files.config.write_text("bad config")
    assert str(files.current()) == str(files.current()) == "bad config"
    assert files.loads == 2
    files.code.write_text("corrected")
    files.current()
    assert files.loads == 3


def test_a_mistake_at_the_start_is_raised(files):
    files.config.write_text("bad config")
    with pytest.raises(KappaError, match="bad config"):
        files.reloader.start()
    assert files.failures == []


def test_the_files_are_not_looked_at_more_often_than_it_is_cheap(files):
    files.reloader.start()
    files.current()
    files.code.write_text("new code")
    assert files.reloader.current() == "config code"
    assert files.current() == "config new code"


def test_many_threads_load_a_change_once(files):
    files.reloader.start()
    files.code.write_text("new code")
    files.now_s += 100.0
    values = []
    threads = [
        threading.Thread(target=lambda: values.append(files.reloader.current())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == ["config new code"] * 8
    assert files.loads == 2
