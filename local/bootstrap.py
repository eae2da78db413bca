"""Set up the chat on the emulator with the user's own commands, in the README's order.

It builds environments and runs commands; it must not do a command's work itself. It prints nothing:
progress goes to the caller's `report`.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kappa.errors import KappaError
from lambda_chat.config import ROOT, build_folder
from local import emulator, google
from local.emulator import REGION
from local.gate import origins_at

ACCOUNT = "000000000000"
BUCKET = "lambda-chat-local"
PAGE = f"/{BUCKET}/index.html"
CLIENT_ID = "000000000000-local.apps.googleusercontent.com"
CONFIG = f"""\
# Written by local mode: the config.yml of a chat that runs on this machine only.
s3_bucket: {BUCKET}
google_oauth_client_id: {CLIENT_ID}
region: {REGION}
"""
# (folder, command): what the README tells a user to type
COMMANDS = (
    (".", f"./resources.py launch --region={REGION} --wait"),
    (".", f"./resources.py output --region={REGION} --save"),
    ("lambda/sns", "kappa config.yml create"),
    ("lambda/sns", "kappa config.yml invoke"),
    ("lambda/sns", "kappa config.yml add_event_sources"),
    ("lambda/dynamodb", "kappa config.yml create"),
    ("lambda/dynamodb", "kappa config.yml invoke"),
    ("lambda/dynamodb", "kappa config.yml add_event_sources"),
    ("s3-website", "./update.sh"),
)
FUNCTION_CONFIGS = ("lambda/sns/config.yml", "lambda/dynamodb/config.yml")

Report = Callable[[str], None]


@dataclass(frozen=True)
class Chat:
    """A running chat; a command run with `env` works on it."""

    env: dict[str, str]
    emulator: emulator.Emulator

    @property
    def url(self) -> str:
        """The page's URL."""
        return self.env["LAMBDA_CHAT_URL"]


@contextlib.contextmanager
def chat(
    *,
    config_path: Path | None = None,
    push: bool = False,
    port: int | None = None,
    or_another_port: bool = False,
    proxied: bool = False,
    report: Report,
) -> Iterator[Chat]:
    """Start the emulator and the Google stand-in, run every set-up command; stop all of it after.

    Writes `config_path`, by default in the emulator's temporary folder; `push` adds `push: true`.
    `or_another_port` replaces a port in use by a free one. `proxied` lets a proxy forward requests
    to the emulator. `report` gets each line of progress.
    Raises: KappaError, if a port is in use, a program is missing or a command fails.
    """
    if not shutil.which("npm"):
        raise KappaError(
            "npm is not installed; it provides the page's one library.",
            "Install Node.js 18 or newer, with npm, from your system's packages.",
        )
    started = time.monotonic()
    with (
        emulator.running(port, or_another=or_another_port, page=PAGE, proxied=proxied) as aws,
        google.running(CLIENT_ID, origins_at(aws.port)) as identity,
    ):
        if port not in (None, aws.port):
            report(f"port {port} is in use; using port {aws.port}")
        report(f"emulator  {aws.endpoint_url}   sign-in stand-in  {identity.url}")
        config_path = (config_path or aws.folder / "config.yml").resolve()
        config_path.parent.mkdir(parents=True, exist_ok=True)
        config_path.write_text(f"{CONFIG}push: true\n" if push else CONFIG)
        running = Chat(_environment(aws, identity, config_path), aws)
        try:
            for folder, command in COMMANDS:
                _run(folder, command, running.env, report)
            _check_page(running.url)
            report(f"set up in {time.monotonic() - started:.1f} s")
            yield running
        finally:
            shutil.rmtree(build_folder(config_path), ignore_errors=True)


def _environment(
    aws: emulator.Emulator, identity: google.Identity, config_path: Path
) -> dict[str, str]:
    """The environment that makes a command use this chat instead of AWS."""
    scripts = sysconfig.get_path("scripts")
    return emulator.environment(aws.endpoint_url, ACCOUNT) | {
        "LAMBDA_CHAT_CONFIG": str(config_path),
        "LAMBDA_CHAT_IDP_URL": identity.url,
        "LAMBDA_CHAT_URL": f"{aws.endpoint_url}{PAGE}",
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
    }


def _run(folder: str, command: str, env: dict[str, str], report: Report) -> None:
    where = "" if folder == "." else f"cd {folder} && "
    started = time.monotonic()
    done = subprocess.run(
        shlex.split(command),
        cwd=ROOT / folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise KappaError(
            f"`{where}{command}` failed with exit code {done.returncode}:\n{done.stdout.rstrip()}"
        )
    report(f"{time.monotonic() - started:5.1f} s  $ {where}{command}")


def _check_page(url: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise KappaError(f"The page does not answer at {url}: {error}") from error
