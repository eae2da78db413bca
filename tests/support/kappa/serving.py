"""`kappa CONFIG serve` as a process, until its Ctrl-C; and what it printed."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.waiting import wait_for


class Serving:
    """A running serve: its URL, its process, and its output as far as it has come."""

    def __init__(self, config, *args):
        self.config = Path(config)
        self.output = self.config.with_name("serve.out")
        self.errors = self.config.with_name("serve.err")
        with self.output.open("w") as out, self.errors.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kappa", config, "serve", "--port", "0", *args],
                stdout=out,
                stderr=err,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                # A shell ignores Ctrl-C for what it runs in the background; children would too.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
        match = wait_for(self._answers, 30)
        self.url = match[1]

    def _answers(self):
        assert self.process.poll() is None, self.errors.read_text()
        return re.search(r"answers at (http://\S+/)\n", self.errors.read_text())

    def edit(self, name, old, new):
        file = self.config.parent / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


@contextmanager
def serving(config, *args):
    """Serve until the block ends; then Ctrl-C must end it, as the normal way to."""
    running = Serving(config, *args)
    try:
        yield running
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(10) == 0
    finally:
        running.process.kill()
        running.process.wait()


def copy_packages(names, folder):
    """Copy installed packages and what they require, as pip would install them into a folder."""
    waiting, copied = list(names), set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in copied:
            continue
        copied.add(name)
        package = distribution(name)
        for file in package.files:
            if file.suffix != ".pyc" and ".." not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(package.locate_file(file), target)
        required = (Requirement(text) for text in package.requires or ())
        waiting += [
            each.name
            for each in required
            if each.marker is None or each.marker.evaluate({"extra": ""})
        ]
