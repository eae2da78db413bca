"""The caller's credentials, region and SDK as plain values, for a process that is not kappa.

Where the environment alone decides, the SDK is not loaded: that takes longer than the process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import msgspec

from kappa.aws.client import Aws
from kappa.aws.translate import translated

_ACCESS_KEY, _SECRET_KEY, _TOKEN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
# With these variables, the SDK does more than take the keys.
_SPECIAL = ("AWS_CREDENTIAL_EXPIRATION", "AWS_SECURITY_TOKEN")
# The SDK's packages in Lambda's runtime of Python. Source: AWS Lambda guide, "Working with .zip
# file archives for Python Lambda functions", runtime dependencies.
_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")


class Keys(msgspec.Struct, frozen=True):
    """Credentials as variables of the SDKs, and where they come from; both empty for none."""

    variables: Mapping[str, str] = {}
    source: str = ""


def read_keys(aws: Aws) -> Keys:
    """Read the caller's credentials.

    Raises: Denied, ConfigError, if they are configured and cannot be loaded.
    """
    given = os.environ.get
    access_key, secret_key = given(_ACCESS_KEY), given(_SECRET_KEY)
    if access_key and secret_key and not aws.profile and not any(map(given, _SPECIAL)):
        keys = variables(access_key, secret_key, given(_TOKEN) or "")
        return Keys(keys, "the environment")
    doing = "reading your AWS credentials"
    with translated(doing):
        loaded = aws.session.get_credentials()
        if loaded is None:
            return Keys()
        frozen = loaded.get_frozen_credentials()
    profile = aws.profile or given("AWS_PROFILE")
    source = f"the profile {profile}" if profile else str(loaded.method)
    keys = variables(str(frozen.access_key), str(frozen.secret_key), frozen.token or "")
    return Keys(keys, source)


def variables(access_key: str, secret_key: str, token: str = "") -> dict[str, str]:
    """Credentials as the variables that the SDKs read."""
    named = {_ACCESS_KEY: access_key, _SECRET_KEY: secret_key, _TOKEN: token}
    return {name: value for name, value in named.items() if value}


def read_region(aws: Aws) -> str:
    """The region's name; unlike Aws.region, it is not compared with those that the SDK knows.

    Raises: AwsError, if there is none.
    """
    given = aws.requested_region or os.environ.get("AWS_REGION")
    return given or os.environ.get("AWS_DEFAULT_REGION") or aws.region


def sdk_packages() -> tuple[str, tuple[str, ...]]:
    """The folder of kappa's own SDK, and the names of its packages; it is not imported."""
    spec = find_spec("botocore")
    return (str(Path(spec.origin).parents[1]) if spec and spec.origin else ""), _SDK
