"""The function's environment variables, validated.

Pure: one error names every variable that is missing or wrong. A list of who may write that cannot
be read is an error, never an empty list that admits everyone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

TABLE_NAME = r"[A-Za-z0-9_.-]{3,255}"
RULES = {
    "TABLE_NAME": (TABLE_NAME, "a table's name"),
    "RATE_TABLE": (TABLE_NAME, "a table's name"),
    "IDENTITY_ROLE_ARN": (r"arn:aws[a-z-]*:iam::\d{12}:role/[!-~]+", "a role's ARN"),
    "GOOGLE_CLIENT_ID": (r"[0-9]+-[a-z0-9]+\.apps\.googleusercontent\.com", "an OAuth client id"),
    "RETENTION_DAYS": (r"[0-9]{1,5}", "a number of days, 0 for no end"),
    "RATE_LIMIT": (r"0|[1-9][0-9]{0,3}/[1-9][0-9]{0,3}s", "such as 10/10s, 0 for no limit"),
    "ALLOWED_DOMAINS": (
        r"[, ]*(?:(?:[^@\s,]+@)?(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(?:[, ]+|$))*",
        "e-mail domains and addresses, such as example.com, ada@example.org",
    ),
}
DEFAULTS = {"RETENTION_DAYS": "0", "RATE_LIMIT": "10/10s", "ALLOWED_DOMAINS": ""}


class Rate(NamedTuple):
    """How many messages a sender may store in a window of so many seconds; 0 for no limit."""

    messages: int
    window_s: int


class Settings(NamedTuple):
    """The function's settings; `allowed` is empty if everyone may write."""

    table: str
    rate_table: str
    role_arn: str
    client_id: str
    retention_days: int
    rate: Rate
    allowed: frozenset[str]
    function: str


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Validate the whole environment at once.

    Raises: ValueError, naming every variable that is missing or wrong.
    """
    given = {name: environ.get(name, "") or DEFAULTS.get(name, "") for name in RULES}
    wrong = [
        f"{name} must be {words}"
        for name, (pattern, words) in RULES.items()
        if not re.fullmatch(pattern, given[name])
    ]
    if wrong:
        raise ValueError(f"The function's environment is wrong: {'; '.join(wrong)}.")
    messages, _, window = given["RATE_LIMIT"].rstrip("s").partition("/")
    return Settings(
        table=given["TABLE_NAME"],
        rate_table=given["RATE_TABLE"],
        role_arn=given["IDENTITY_ROLE_ARN"],
        client_id=given["GOOGLE_CLIENT_ID"],
        retention_days=int(given["RETENTION_DAYS"]),
        rate=Rate(int(messages), int(window or 1)),
        allowed=frozenset(re.split("[, ]+", given["ALLOWED_DOMAINS"].lower())) - {""},
        function=environ.get("AWS_LAMBDA_FUNCTION_NAME", "store-message"),
    )
