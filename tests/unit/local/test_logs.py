"""The logs of local mode: whenever Ctrl-C comes, what follows them ends."""

import os
import signal
import subprocess
import sys

import pytest

# `follow` with a kappa that never ends by itself, interrupted around the start of a reader.
INTERRUPTED = """
import os, threading
from local import logs

start = threading.Thread.start

late = []

def interrupted(thread):
    if WHEN == "after":
        start(thread)
    if WHEN == "late":
        late.append(thread)
    raise KeyboardInterrupt

threading.Thread.start = interrupted
try:
    logs.follow(dict(os.environ), ["lambda/sns/config.yml"])
except KeyboardInterrupt:
    for thread in late:
        start(thread)
        thread.join()
    print("ended")
"""


@pytest.mark.parametrize("when", ["before", "after", "late"])
def test_an_interruption_while_a_reader_starts_ends_what_it_reads(tmp_path, when):
    kappa = tmp_path / "kappa"
    kappa.write_text("#!/bin/sh\nexec sleep 60\n")
    kappa.chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with subprocess.Popen(
        [sys.executable, "-c", f"WHEN = {when!r}\n{INTERRUPTED}"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail("the interrupted command did not end")
    assert (out, err) == ("ended\n", "")
