"""What of a function that ran on this machine is left: processes with its mark, and folders."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.waiting import wait_for


def environments():
    """The environment of each process of this user, by its id."""
    if sys.platform != "linux":
        pytest.skip("no /proc: processes cannot be told apart")
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(folder.name), (folder / "environ").read_bytes().split(b"\0")


def running(name):
    """The ids of the processes that see the variables of a function of this name."""
    setting = f"AWS_LAMBDA_FUNCTION_NAME={name}".encode()
    return {pid for pid, variables in environments() if setting in variables}


def temporary_of(pid):
    """The temporary folder of one of these processes."""
    variables = dict(environments())[pid]
    return Path(next(os.fsdecode(v[5:]) for v in variables if v.startswith(b"HOME=")))


def assert_gone(name, *folders):
    """Wait until no process of the function and none of these folders is left."""
    wait_for(lambda: not running(name), 10)
    wait_for(lambda: not any(map(Path.exists, folders)), 10)
