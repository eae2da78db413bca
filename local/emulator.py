"""The embedded AWS: MiniStack as a child process on 127.0.0.1, behind the gate.

Owns its start, health check, stop and temporary folder, and leaves nothing behind. It must not know
what runs on it.
"""

from __future__ import annotations

import contextlib
import errno
import json
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
from http import HTTPStatus
from pathlib import Path

from kappa.errors import KappaError, WaitTimeout
from lambda_chat.config import ROOT
from local.gate import HOST, origins_at

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 10.0
POLL_S = 0.05
REGION = "us-east-1"
# The user's, which nothing that uses an emulator may see; but the browser's path is only a path.
SETTINGS = ("AWS_", "LAMBDA_CHAT_")
BROWSER = "LAMBDA_CHAT_CHROMIUM"


class PortInUse(KappaError):
    """Another program listens on the port."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator. `folder` is its temporary folder, removed when it stops."""

    port: int
    folder: Path

    @property
    def endpoint_url(self) -> str:
        """The value of AWS_ENDPOINT_URL."""
        return f"http://{HOST}:{self.port}"


def environment(endpoint_url: str, account: str) -> dict[str, str]:
    """A complete environment for a command that uses an emulator, as this account's root user."""
    inherited = {k: v for k, v in os.environ.items() if k == BROWSER or not k.startswith(SETTINGS)}
    return inherited | {
        "AWS_ACCESS_KEY_ID": account,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@contextlib.contextmanager
def running(
    port: int | None = None,
    *,
    or_another: bool = False,
    page: str | None = None,
    proxied: bool = False,
) -> Iterator[Emulator]:
    """Start the emulator on a port (by default a free one); stop it and remove its files after.

    `or_another` replaces a port in use by a free one. `page` is a path that other pages may link
    to. `proxied` lets a proxy forward requests to the emulator.
    Raises: PortInUse; KappaError, if the emulator ends at once; WaitTimeout, if it does not answer.
    """
    with _listen(port, or_another=or_another) as listener:
        port = listener.getsockname()[1]
        folder = Path(tempfile.mkdtemp(prefix="lambda-chat-"))
        emulator = Emulator(port, folder)
        gate = {
            "port": port,
            "origins": sorted(origins_at(port)),
            "links": [page] if page else [],
            "proxied": proxied,
        }
        try:
            with (folder / "emulator.log").open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "local.ministack", str(listener.fileno()),
                     json.dumps(gate)],
                    cwd=ROOT,
                    env=_own_environment(emulator),
                    pass_fds=[listener.fileno()],
                    # closes when this process ends, however that happens: the emulator then stops
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # its own group: Ctrl-C reaches only us, and we end its workers with it
                    start_new_session=True,
                )  # fmt: skip
            try:
                listener.close()
                _wait_until_healthy(emulator, process)
                yield emulator
            finally:
                _stop(process)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _listen(port: int | None, *, or_another: bool) -> socket.socket:
    """Open the port now, so that two emulators started together cannot take the same one."""
    try:
        return socket.create_server((HOST, port or 0))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise KappaError(
                f"Port {port} cannot be opened on {HOST}: {os.strerror(error.errno or 0)}.",
                "Choose a port above 1023.",
            ) from error
        if or_another:
            return socket.create_server((HOST, 0))
        raise PortInUse(
            f"Port {port} is in use on {HOST}.",
            "Stop the program that uses it, or choose another port.",
        ) from error


def _own_environment(emulator: Emulator) -> dict[str, str]:
    """The emulator's own environment: without the user's settings or any extra listener."""
    others = (*SETTINGS, "MINISTACK_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(others)}
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
        "USE_SSL": "0",
    }


def _wait_until_healthy(emulator: Emulator, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log = (emulator.folder / "emulator.log").read_text(errors="replace")
            raise KappaError(f"The emulator exited with code {process.returncode}:\n{log[-2000:]}")
        if _status(emulator) == HTTPStatus.OK:
            if _status(emulator, "rebound.test") != HTTPStatus.FORBIDDEN:
                raise KappaError("The gate in front of the emulator does not work.")
            return
        time.sleep(POLL_S)
    raise WaitTimeout(f"The emulator did not answer within {START_DEADLINE_S:.0f} s.")


def _status(emulator: Emulator, host: str = "") -> int | None:
    """The HTTP status of a request with this Host header; None without an answer."""
    url = f"{emulator.endpoint_url}/_ministack/health"
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    except OSError:
        return None


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the emulator, then the rest of its process group (the functions' workers)."""
    process.terminate()
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
