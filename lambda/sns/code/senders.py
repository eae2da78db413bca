"""The sender of a message: an operator, or the person whose Google token STS accepts.

Owns the verdicts on tokens, who may write, and what is taken from a token: name, picture and a hash
of the subject. It must not store or log a token, an e-mail address or a subject.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from log_lines import error_code
from messages import BadMessage, json_object
from sender_names import OPERATOR, clean_name, person_name
from store_settings import Settings

GOOGLE = "https://accounts.google.com"
GOOGLE_ISSUERS = ("accounts.google.com", GOOGLE)
TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
PICTURE = re.compile(r"https://[!-~]{1,1000}")
MAX_TOKEN = 20_000  # the limit of STS for WebIdentityToken
MAX_VERDICTS = 1_000
# STS blames the token. Any other error may pass or is our own mistake: it is raised, so Lambda
# retries and then reports to FailuresTopic.
REFUSALS = frozenset(
    {
        "AccessDenied",
        "IDPRejectedClaim",
        "InvalidIdentityToken",
        "PackedPolicyTooLarge",
        "ValidationError",
    }
)
ENDED = "ExpiredToken"
UNDISTURBED_S = 60  # a message takes a second; a longer delay is an error of AWS
# STS also answers InvalidIdentityToken when it has no key for a token: either it cannot reach
# Google, which passes, or the token names a key that Google does not have, which anyone can forge.
# So it is an error at first, and a refusal when Lambda retries a minute later. If it were raised
# each time, a forged token would cause three calls and a record in FailuresTopic.
# Source: AWS re:Post, "How can I resolve the AWS STS AssumeRoleWithWebIdentity API call error
# "InvalidIdentityToken"?"; Lambda guide, "How Lambda handles errors and retries with asynchronous
# invocation".
NO_KEY = "retrieve verification key"


class Sender(NamedTuple):
    """A verified Google user, or an operator."""

    user: str
    name: str
    picture: str
    kind: str


class Claims(NamedTuple):
    """What matters of a token: its expiry (epoch s), its sender, whether it was issued to this
    chat's page, and whether its sender may write. It holds no e-mail address.
    """

    expires_at: int
    sender: Sender
    ours: bool
    allowed: bool


class TokenEnded(Exception):
    """A token expired while AWS delayed its message, so it can no longer be verified."""


class Verifier:
    """Asks STS once for each token, and remembers the accepted ones until they expire.

    It keeps SHA-256 digests instead of tokens, and discards the credentials that STS returns.
    """

    def __init__(
        self,
        sts: Any,  # noqa: ANN401 - botocore makes its clients at run time
        settings: Settings,
        clock: Callable[[], float],
        limit: int = MAX_VERDICTS,
    ) -> None:
        self._sts = sts
        self._settings = settings
        self._clock = clock
        self._limit = limit
        self._verdicts: dict[bytes, Claims] = {}

    def sender(self, token: str, sent_s: float) -> Sender:
        """Return the sender of a token, for a message sent at that time (epoch s).

        Claims are read before STS is asked, but only to refuse what STS could not accept.
        Raises: BadMessage; TokenEnded; botocore's exceptions when STS cannot answer.
        Source: AWS STS API reference, AssumeRoleWithWebIdentity.
        """
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._verdicts.get(digest) or read_claims(token, self._settings)
        if claims.expires_at <= self._clock():
            self._verdicts.pop(digest, None)
            raise self._ended(claims.expires_at, sent_s)
        if digest not in self._verdicts:
            self._ask(token, claims, sent_s)
            if len(self._verdicts) >= self._limit:
                del self._verdicts[next(iter(self._verdicts))]
            self._verdicts[digest] = claims
        if not claims.allowed:
            raise BadMessage("not_allowed")
        return claims.sender

    def _ended(self, expires_at: float, sent_s: float) -> Exception:
        """Return the exception for an expired token: a refusal, or an error if AWS delayed it.

        A forger chooses a token's expiry, so expiring on the way is not an error by itself.
        """
        if expires_at <= sent_s or self._clock() - sent_s <= UNDISTURBED_S:
            return BadMessage("expired_token")
        return TokenEnded()

    def _ask(self, token: str, claims: Claims, sent_s: float) -> None:
        """Ask STS. A role that denies our own page's tokens is our mistake, not the sender's."""
        try:
            self._sts.assume_role_with_web_identity(
                RoleArn=self._settings.role_arn,
                RoleSessionName="store-message",
                DurationSeconds=900,
                WebIdentityToken=token,
            )
        except ClientError as error:
            code = error_code(error)
            kind = code.removesuffix("Exception")
            if kind == ENDED:
                raise self._ended(claims.expires_at, sent_s) from error
            if NO_KEY in str(error):
                if self._clock() - sent_s > UNDISTURBED_S:
                    raise BadMessage("unknown_key", code) from error
                raise
            if kind in REFUSALS and not (kind == "AccessDenied" and claims.ours):
                raise BadMessage("refused_token", code) from error
            raise


def read_token(token: object) -> str:
    """Return the value of the attribute id_token, if it has the form of a signed token.

    Raises: BadMessage.
    """
    if token is None:
        raise BadMessage("no_token")
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not TOKEN.fullmatch(token):
        raise BadMessage("malformed_token")
    return token


def read_claims(token: str, settings: Settings) -> Claims:
    """Read a token's claims, unverified.

    Raises: BadMessage, if it is not from Google or lacks a claim.
    Source: Google Identity documentation, "Verify the Google ID token on your server side".
    """
    payload = token.split(".")[1]
    try:
        claims = json_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode())
    except ValueError as error:
        raise BadMessage("malformed_token") from error
    if claims is None:
        raise BadMessage("malformed_token")
    if claims.get("iss") not in GOOGLE_ISSUERS:
        raise BadMessage("foreign_token")
    expires_at, subject = claims.get("exp"), claims.get("sub")
    if type(expires_at) is not int or not isinstance(subject, str) or not subject:
        raise BadMessage("malformed_token")
    name = person_name(claims.get("name")) or person_name(claims.get("given_name")) or "Someone"
    picture = claims.get("picture")
    if not isinstance(picture, str) or not PICTURE.fullmatch(picture):
        picture = ""
    ours = claims.get("aud") == claims.get("azp", settings.client_id) == settings.client_id
    sender = Sender(user_id(f"{GOOGLE}#{subject}"), name, picture, "user")
    return Claims(expires_at, sender, ours, is_allowed(claims, settings.allowed))


def is_allowed(claims: dict[str, object], allowed: frozenset[str]) -> bool:
    """Tell whether a sender's address or its domain may write.

    Only addresses that Google has verified count; the claim `hd` does not prove ownership.
    """
    if not allowed:
        return True
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return False
    # Some letters, such as the Kelvin sign, become ASCII in lower case.
    name, _, domain = email.lower().rpartition("@")
    return email.isascii() and bool(name) and (domain in allowed or email.lower() in allowed)


def operator(name: object) -> Sender:
    """Return the operator, with the name that the record gives."""
    return Sender(user_id("operator"), clean_name(name) or OPERATOR, "", "operator")


def user_id(identity: str) -> str:
    """Return a stable id for a user that reveals nothing about them."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]
