"""AWS's errors in words."""

import pytest
from botocore.exceptions import ClientError

from kappa.aws import translated
from kappa.errors import Denied, Unavailable


def refused(code, message, status=400):
    answer = {"Error": {"Code": code, "Message": message}}
    return ClientError({**answer, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        ("RequestTimeTooSkewed", "The difference between ... is too large.", "clock"),
        ("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier", "clock"),
        ("InvalidSignatureException", "Signature not yet current: 2026", "clock"),
        ("SignatureDoesNotMatch", "The request signature we calculated does not", "keys"),
        ("InvalidSignatureException", "The request signature we calculated does not", "keys"),
        ("ExpiredTokenException", "The security token is expired", "sign in again"),
    ],
)
def test_a_wrong_clock_is_not_reported_as_wrong_keys(code, message, words):
    with pytest.raises(Denied) as caught, translated("trying"):
        raise refused(code, message, 403)
    assert words in caught.value.hint


def test_a_failing_service_may_work_later():
    with pytest.raises(Unavailable), translated("trying"):
        raise refused("ServiceException", "internal", 503)
