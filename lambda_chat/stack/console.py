"""What resources.py prints and asks.

A hint that names a command repeats the given --region and --profile; without them the command would
work on the stack of config.yml. It must not talk to AWS.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable

import msgspec

from kappa.errors import ConfigError, KappaError
from lambda_chat.stack.progress import Event


class Console(msgspec.Struct, frozen=True, kw_only=True):
    """The user's terminal; `region` and `profile` are the command line's."""

    region: str = ""
    profile: str = ""
    yes: bool = False

    def complete(self, text: str) -> str:
        """Add the given options to each command in a text; kappa and aws get only the profile."""
        region = [" " + shlex.quote(f"--region={self.region}")] if self.region else []
        profile = [" " + shlex.quote(f"--profile={self.profile}")] if self.profile else []
        text = re.sub(
            r"`\./resources\.py \w+", lambda match: "".join([match[0], *region, *profile]), text
        )
        # commands that already name a profile stay as they are
        knows = r"`(?:kappa|aws)(?= )(?![^`]* --profile[ =])"
        return re.sub(knows, lambda match: "".join([match[0], *profile]), text)

    def print(self, text: str) -> None:
        """Print a result."""
        print(self.complete(text))  # noqa: T201

    def note(self, lines: Iterable[str]) -> None:
        """Print notes, apart from the result."""
        for line in lines:
            print(self.complete(line), file=sys.stderr)  # noqa: T201

    def report(self, event: Event) -> None:
        """Print an event of the stack immediately."""
        line = f"{event.at:%H:%M:%S}  {event.status:28} {event.logical_id}  {event.reason}"
        print(line.rstrip(), file=sys.stderr, flush=True)  # noqa: T201

    def refuse_silence(self, doing: str) -> None:
        """Refuse to continue if a question cannot be answered, for lack of a terminal.

        Raises: ConfigError; `doing` names what needs the answer.
        """
        if not self.yes and not sys.stdin.isatty():
            raise ConfigError(f"Without a terminal, {doing} needs --yes.", "Nothing was changed.")

    def confirm(self, question: str) -> None:
        """Ask, unless --yes was given.

        Raises: KappaError, if the answer is not yes.
        """
        if self.yes:
            return
        try:
            answer = input(f"{question} [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise KappaError("Nothing was changed.")


PLAIN = Console()
