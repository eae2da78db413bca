"""Settings, counts and conflicts of store_message, with defaults."""

from types import SimpleNamespace

from store_settings import Rate, Settings
from tests.support.builders import IDENTITY_ROLE, TABLE

RATE_TABLE = "Lambda-Chat-rates"
CLIENT_ID = "1-a.apps.googleusercontent.com"
ENVIRON = {
    "TABLE_NAME": TABLE,
    "RATE_TABLE": RATE_TABLE,
    "IDENTITY_ROLE_ARN": IDENTITY_ROLE,
    "GOOGLE_CLIENT_ID": CLIENT_ID,
}


def store_settings(**changes):
    """The function's settings, as without any setting of the operator's."""
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
    """The function's answer; outcomes that are not named are 0."""
    return {"stored": 0, "changed": 0, "duplicate": 0, "refused": 0} | outcomes


def conflict(function, times, code="TransactionConflict"):
    """Make `times` transactions fail temporarily, as in a conflict or on a busy partition."""
    left = [times]

    def answer(**_):
        if not left[0]:
            return None
        left[0] -= 1
        error = {"Code": "TransactionCanceledException", "Message": "as the test wants"}
        reasons = [{"Code": "None"}, {"Code": "None"}, {"Code": code}]
        body = {"Error": error, "ResponseMetadata": {}, "CancellationReasons": reasons}
        return SimpleNamespace(status_code=400), body

    function.dynamodb.meta.events.register("before-call.dynamodb.TransactWriteItems", answer)
