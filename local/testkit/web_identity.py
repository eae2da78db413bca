"""A user without a page: a token from the sign-in stand-in, and the credentials for it."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config

# for an STS client: who asks for these credentials has none yet
ANONYMOUS = Config(signature_version=UNSIGNED)


def request_token(idp_url: str, name: str, **claims: Any) -> str:  # noqa: ANN401
    """An ID token from the stand-in, for a name and any of sub, aud, expires_in_s."""
    body = json.dumps({"name": name, **claims}).encode()
    request = urllib.request.Request(f"{idp_url}/token", data=body, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["id_token"])


def assume_role(sts: Any, role_arn: str, token: str) -> dict[str, Any]:  # noqa: ANN401
    """The role's credentials for that token, as keywords for a client."""
    credentials = sts.assume_role_with_web_identity(
        RoleArn=role_arn, RoleSessionName="testkit", WebIdentityToken=token
    )["Credentials"]
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
