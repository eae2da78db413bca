"""Settings and counts of store_message, with defaults; a test names only what it is about."""

from environment import Rate, Settings
from tests.builders import IDENTITY_ROLE, TABLE

RATE_TABLE = "Lambda-Chat-rates"
CLIENT_ID = "1-a.apps.googleusercontent.com"
ENVIRON = {
    "TABLE_NAME": TABLE,
    "RATE_TABLE": RATE_TABLE,
    "IDENTITY_ROLE_ARN": IDENTITY_ROLE,
    "GOOGLE_CLIENT_ID": CLIENT_ID,
}


def store_settings(**changes):
    """The function's settings, as its environment gives them without a word of the operator's."""
    default = {
        "table": TABLE,
        "rate_table": RATE_TABLE,
        "role_arn": IDENTITY_ROLE,
        "client_id": CLIENT_ID,
        "retention_days": 0,
        "rate": Rate(10, 10),
        "allowed": frozenset(),
        "function": "store-message",
    }
    return Settings(**(default | changes))


def counts(**outcomes):
    """What the function answers; outcomes that are not named are 0."""
    return {"stored": 0, "changed": 0, "duplicate": 0, "refused": 0} | outcomes
