"""How a command of the chat is run: its arguments, its errors as one message and an exit code.

Owns what resources.py, update.sh, replay.py and republish.py have in common there. It must not know
what any of them does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from docopt import DocoptExit, docopt

from kappa import __version__
from kappa.errors import KappaError
from kappa.texts import shown


def run(
    usage: str | None,
    argv: list[str] | None,
    command: Callable[[dict[str, Any]], int],
    stopped: str,
) -> int:
    """Run a command on the arguments that its usage describes; return its exit code.

    `stopped` is said after Ctrl-C. Errors of kappa give their own code, wrong arguments 2.
    """
    try:
        code = command(docopt(usage or "", argv, version=f"Lambda Chat {__version__}"))
        sys.stdout.flush()
    except DocoptExit as error:
        given = " ".join(sys.argv[1:] if argv is None else argv) or "(none)"
        print(shown(f"Error: These arguments do not fit: {given}\n{error.usage}"), file=sys.stderr)
        return 2
    except KappaError as error:
        print(shown(f"Error: {error}"), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader went away, as `head` does; Python would complain again at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code
