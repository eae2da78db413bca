"""The embedded AWS: MiniStack as a child process on 127.0.0.1.

Owns its start, its health, its stop and its temporary folder, so that nothing is left behind.
It must not know what runs on it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kappa.errors import KappaError, WaitTimeout

HOST = "127.0.0.1"
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 10.0
POLL_S = 0.05


@dataclass(frozen=True)
class Emulator:
    """A running emulator. `folder` is its own temporary folder, gone when it stops."""

    port: int
    folder: Path

    @property
    def endpoint_url(self) -> str:
        """The value of AWS_ENDPOINT_URL that leads to it."""
        return f"http://{HOST}:{self.port}"


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(port: int | None = None) -> Iterator[Emulator]:
    """Start the emulator on a port (a free one by default); stop and remove all of it after.

    Raises: KappaError, if the port is in use or the emulator ends at once; WaitTimeout, if it
    does not answer.
    """
    port = port or free_port()
    if _listening(port):
        raise KappaError(
            f"Port {port} is in use on {HOST}.",
            "Stop the program that listens there, or choose another port with --port=N.",
        )
    folder = Path(tempfile.mkdtemp(prefix="lambda-chat-"))
    emulator = Emulator(port, folder)
    try:
        with (folder / "emulator.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                cwd=folder,
                env=_environment(emulator),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # its own group: Ctrl-C reaches us first, and we stop its workers with it
                start_new_session=True,
            )
        try:
            _wait_until_healthy(emulator, process)
            yield emulator
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(emulator: Emulator) -> dict[str, str]:
    """The emulator's environment: none of the user's AWS settings, and no other listener."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAMBDA_CHAT_"))}
    return inherited | {
        "AUTH": "true",
        "AWS_ENDPOINT_URL": emulator.endpoint_url,
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(emulator.port),
        "IOT_MTLS_ENABLED": "0",
        "S3_DATA_DIR": str(emulator.folder / "s3"),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(emulator.folder / "state"),
        "TMPDIR": str(emulator.folder),
    }


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _wait_until_healthy(emulator: Emulator, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log = (emulator.folder / "emulator.log").read_text(errors="replace")
            raise KappaError(f"The emulator ended with code {process.returncode}:\n{log[-2000:]}")
        if _healthy(emulator):
            return
        time.sleep(POLL_S)
    raise WaitTimeout(f"The emulator did not answer within {START_DEADLINE_S:.0f} s.")


def _healthy(emulator: Emulator) -> bool:
    try:
        url = f"{emulator.endpoint_url}/_ministack/health"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the emulator, then whatever of its group is left (the functions' workers)."""
    process.terminate()
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
