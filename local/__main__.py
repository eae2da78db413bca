"""Run the whole chat on this machine, without an AWS account.

Usage:
  python -m local up [--port=N] [--push] [--no-browser]
  python -m local run [--port=N] [--push] [--quiet] -- COMMAND [ARG...]
  python -m local -h | --help

up    Start the emulated AWS, run the README's commands on it, open the page and
      follow the functions' logs. Ctrl-C stops everything. The chat's environment
      is in .local/env.
run   Set up the same chat without a browser, run COMMAND with its environment
      (AWS_ENDPOINT_URL, LAMBDA_CHAT_URL, LAMBDA_CHAT_IDP_URL, ...), stop
      everything and exit with COMMAND's exit code.

Options:
  --port=N      The emulator's port. Default: up uses 4566, or a free port if that
                is in use; run uses a free port.
  --push        Set `push: true`: the page gets messages by push.
  --no-browser  Do not open a browser.
  --quiet       Do not print the set-up's progress.
  -h, --help    Show this text.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import signal
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from docopt import DocoptExit, docopt

from kappa.errors import ConfigError, KappaError
from lambda_chat.config import ROOT
from local import bootstrap, logs
from local.command import ENDINGS, run_command

USAGE = __doc__ or ""
STATE = ROOT / ".local"
DEFAULT_PORT = 4566
SHOWN = ("AWS_", "LAMBDA_CHAT_")


def main(argv: list[str]) -> int:
    """Parse the command line, run it, and turn errors into exit codes.

    Only this module and logs.py print, all to stderr; bootstrap.py reports its progress here.
    """
    for number in ENDINGS:
        signal.signal(number, _interrupt)
    ours = argv[: argv.index("--")] if "--" in argv else argv
    if {"-h", "--help"} & set(ours):
        print(USAGE)
        return 0
    try:
        # docopt expects the program's name to be a single word
        arguments = docopt(USAGE.replace("python -m local", "local"), argv, default_help=False)
        port, push = _port(arguments["--port"]), arguments["--push"]
        if arguments["up"]:
            return up(port, push=push, browser=not arguments["--no-browser"])
        command = [arguments["COMMAND"], *arguments["ARG"]]
        return run(command, port, push=push, quiet=arguments["--quiet"])
    except DocoptExit:
        _print(f"Error: Wrong arguments: {' '.join(argv)}" if argv else "Error: Missing arguments.")
        _print(USAGE[USAGE.index("Usage:") : USAGE.index("\n\nup ")])
        return 2
    except KappaError as error:
        _print(f"Error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _print("stopped; nothing is left running")
        return 130


def up(port: int | None, *, push: bool, browser: bool) -> int:
    """Start the chat and follow its logs until interrupted."""
    with (
        _locked_checkout(),
        bootstrap.chat(
            port=port or DEFAULT_PORT,
            or_another_port=port is None,
            config_path=STATE / "config.yml",
            push=push,
            report=_print,
        ) as chat,
    ):
        env_file = STATE / "env"
        env_file.write_text(_exports(chat.env))
        try:
            _print(f"\nLambda Chat is ready: {chat.url}")
            _print("  to chat as a second person, open it in a private window under another name")
            _print(f"  commands in another terminal: source {_shown_path(env_file)}")
            _print("  Ctrl-C stops everything\n")
            if browser:
                _open(chat.url)
            logs.follow(chat.env, bootstrap.FUNCTION_CONFIGS)
        finally:
            env_file.unlink(missing_ok=True)
    return 0


def run(command: list[str], port: int | None, *, push: bool = False, quiet: bool) -> int:
    """Run one command with a new chat; return its exit code."""
    report = _silent if quiet else _print
    with bootstrap.chat(port=port, push=push, proxied=True, report=report) as chat:
        return run_command(command, chat.env)


@contextlib.contextmanager
def _locked_checkout() -> Iterator[None]:
    """Refuse a second `up` in this checkout: both would write the same files."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise KappaError(
                f"Local mode is already running in this checkout{_running_page()}.",
                "Use it, stop it with Ctrl-C in its terminal, or start another from a second "
                "clone.",
            ) from error
        yield


def _running_page() -> str:
    """The page's URL of the chat that is already running, after ": "; "" until it is ready."""
    with contextlib.suppress(OSError):
        for line in (STATE / "env").read_text().splitlines():
            if line.startswith("export LAMBDA_CHAT_URL="):
                return f": {line.partition('=')[2]}"
    return ""


def _exports(env: dict[str, str]) -> str:
    """The environment as lines that a shell can source."""
    names = sorted(name for name in env if name.startswith(SHOWN))
    lines = [f"export {name}={shlex.quote(env[name])}" for name in names]
    scripts = shlex.quote(env["PATH"].split(os.pathsep)[0])
    return "\n".join([*lines, f"export PATH={scripts}:$PATH", ""])


def _open(url: str) -> None:
    """Open a browser, unless there is no display."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)


def _shown_path(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Stop on the first signal and ignore later ones: they must not interrupt the clean-up."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _silent(_line: str) -> None:
    """Report nothing."""


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ConfigError(f"--port {text} is not a port.", "Use a number from 1 to 65535.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
