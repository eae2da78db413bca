"""The exception tree and its exit codes.

KappaError            1
  ConfigError         2   the user's file or command line
  ArchiveError        1   the code cannot be packed
  AwsError            1   AWS refused or failed
    NotFound              the resource does not exist
    Denied                the credentials are missing, expired or not allowed
    Conflict              it exists already, or is busy
    Unavailable           unreachable, overloaded or failing; a later call may succeed
  FunctionFailed      1   the function itself raised
  WaitTimeout         1   a condition did not come true before its deadline
  Interrupted       130   Ctrl-C

A message tells what kappa was doing, to which resource, and what went wrong; a hint tells what to
try. This module must not print or exit.
"""


class KappaError(Exception):
    """An error that the user can act on: `message` is what happened, `hint` what to do."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message, then the hint if there is one."""
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigError(KappaError):
    """The config file or the command line is wrong; nothing has been changed.

    `keys` is the path of the wrong key in the file, if there is one.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "", keys: tuple[str | int, ...] = ()) -> None:
        super().__init__(message, hint)
        self.keys = keys


class ArchiveError(KappaError):
    """The source cannot be packed into a deployment package."""


class AwsError(KappaError):
    """AWS refused a call or could not be reached. `code` and `text` come from AWS."""

    def __init__(self, message: str, hint: str = "", code: str = "", text: str = "") -> None:
        super().__init__(message, hint)
        self.code = code
        self.text = text or message


class NotFound(AwsError):
    """The resource does not exist."""


class Denied(AwsError):
    """The credentials are missing or expired, or lack a permission."""


class Conflict(AwsError):
    """The resource exists already, or another change to it is under way."""


class Unavailable(AwsError):
    """AWS was not reached, throttled the call or failed it; a later call may succeed.

    `sent`: AWS may have received the request, and only the answer was lost.
    """

    unreachable = False
    sent = False


class FunctionFailed(KappaError):
    """The function was invoked and failed; its own traceback has been shown."""


class WaitTimeout(KappaError):
    """A condition did not come true before its deadline."""


class Interrupted(KappaError):
    """The user pressed Ctrl-C; no further call is made."""

    exit_code = 130
