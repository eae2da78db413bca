"""Running a command of the chat: arguments, one message for each error, exit codes.

Owns what resources.py, update.sh, replay.py and republish.py share in this. It must not know what
any of them does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from docopt import DocoptExit, docopt

from kappa import __version__
from kappa.aws import Aws
from kappa.errors import KappaError
from kappa.texts import shown
from lambda_chat.config import ChatConfig


def run(
    usage: str | None,
    argv: list[str] | None,
    command: Callable[[dict[str, Any]], int],
    stopped: str,
) -> int:
    """Run a command with arguments as in its usage; return its exit code.

    A KappaError has its own exit code, wrong arguments give 2. `stopped` is printed after Ctrl-C.
    """
    try:
        code = command(docopt(usage or "", argv, version=f"Lambda Chat {__version__}"))
        sys.stdout.flush()
    except DocoptExit as error:
        given = " ".join(sys.argv[1:] if argv is None else argv)
        problem = f"Wrong arguments: {given}" if given else "Missing arguments."
        print(shown(f"Error: {problem}\n{error.usage}"), file=sys.stderr)
        return 2
    except KappaError as error:
        print(shown(f"Error: {error}"), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader has gone, as with `head`; without this, Python complains again when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def aws_of(given: Mapping[str, Any], config: ChatConfig) -> Aws:
    """Return the AWS that a command works in: its --region and --profile, else the config's."""
    region, profile = given["--region"] or config.region, given["--profile"] or config.profile
    return Aws(region or None, profile or None)
