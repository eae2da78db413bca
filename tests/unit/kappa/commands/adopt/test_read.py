"""Reading an existing function."""

import pytest

from kappa.commands.adopt.read import read_existing
from kappa.errors import Denied
from tests.support.kappa.existing import SETTINGS, Answers


def test_variables_that_may_not_be_decrypted_are_an_error_that_names_the_permission():
    error = {"ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt"}
    settings = SETTINGS | {"Environment": {"Error": error}, "KMSKeyArn": "arn:aws:kms:x"}
    account = Answers(get_function={"Configuration": settings})
    with pytest.raises(Denied) as raised:
        read_existing(account, "greeter")
    assert raised.value.hint == "Ask for the permission kms:Decrypt on arn:aws:kms:x."
