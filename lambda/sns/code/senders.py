"""Who a message is from: an operator, or the person whose Google token STS accepts.

Owns the verdicts on tokens, who may write, and what of a token may leave it: name, picture, and a
hash of the subject. It must not store or log a token, an e-mail address or a subject.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from unicodedata import category, normalize

from botocore.exceptions import ClientError

from function_settings import Settings
from log_lines import error_code
from messages import BLANK, IGNORABLE, BadMessage, json_object

GOOGLE = "https://accounts.google.com"
GOOGLE_ISSUERS = ("accounts.google.com", GOOGLE)
TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
PICTURE = re.compile(r"https://[!-~]{1,1000}")
MAX_NAME = 100
MAX_TOKEN = 20_000  # the limit of STS for WebIdentityToken
MAX_VERDICTS = 1_000
OPERATOR = "Operator"
# What looks like letters of that name: Cyrillic, Greek, Armenian, Latin small capitals; a zero.
LOOKS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0433\u0442\u03b1\u03b5\u03bf\u03c1\u03c4\u0585"
    "\u1d00\u1d07\u1d0f\u1d18\u0280\u1d1b0",
    "aeoprtaeoptoaeoprto",
)
LETTERS_AND_DIGITS = ("Lu", "Ll", "Lt", "Lo", "Nd")
# These blame the token. Anything else may pass or is our own mistake: raised, so that Lambda
# tries again and then tells FailuresTopic.
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
UNDISTURBED_S = 60  # a message takes a second; what takes longer was kept by a fault of AWS
# STS says InvalidIdentityToken too when it has no key for a token: it cannot reach Google, which
# passes, or the token names a key that Google does not have, which anybody can forge. So it is a
# fault at first, and a refusal when Lambda tries again, a minute later. Raised each time, whoever
# forges a token would cause three calls and a record for FailuresTopic.
# Source: AWS re:Post, "How can I resolve the AWS STS AssumeRoleWithWebIdentity API call error
# "InvalidIdentityToken"?"; Lambda guide, "How Lambda handles errors and retries with asynchronous
# invocation".
NO_KEY = "retrieve verification key"


class Sender(NamedTuple):
    """Who speaks: a verified Google user, or an operator."""

    user: str
    name: str
    picture: str
    kind: str


class Claims(NamedTuple):
    """What of a token decides: its end (epoch s), its sender, whether it is for this chat's page
    and whether its sender may write. It holds no e-mail address.
    """

    expires_at: int
    sender: Sender
    ours: bool
    allowed: bool


class TokenEnded(Exception):
    """A token ended while a fault of AWS kept its message: nobody can tell whether it was good."""


class Verifier:
    """Knows which tokens STS accepts for IdentityRole, each asked once until the token's end.

    Holds SHA-256 digests, never tokens; the credentials that STS answers with are dropped.
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
        """Return who a token speaks for, in a message of that time (epoch s).

        Its claims are read before STS is asked only to refuse what STS could not accept.
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
        """Return what an ended token is: refused, or lost on a way that took AWS too long.

        Who forges a token chooses its end. So one that ends on the way is no fault by itself.
        """
        if expires_at <= sent_s or self._clock() - sent_s <= UNDISTURBED_S:
            return BadMessage("expired_token")
        return TokenEnded()

    def _ask(self, token: str, claims: Claims, sent_s: float) -> None:
        """Ask STS; a role that denies our own page's tokens is a fault of ours, not theirs."""
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
    """Return the id_token attribute's value when it has the form of a signed token.

    Raises: BadMessage.
    """
    if token is None:
        raise BadMessage("no_token")
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not TOKEN.fullmatch(token):
        raise BadMessage("malformed_token")
    return token


def read_claims(token: str, settings: Settings) -> Claims:
    """Read what a token says, unverified.

    Raises: BadMessage, if it is not Google's or lacks a claim.
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
    """Tell whether a sender's address, or its domain, is one of those that may write.

    Only an address that Google has verified counts; the claim `hd` says nothing of who owns it.
    """
    if not allowed:
        return True
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return False
    # Letters such as the Kelvin sign become ASCII in lower case.
    name, _, domain = email.lower().rpartition("@")
    return email.isascii() and bool(name) and (domain in allowed or email.lower() in allowed)


def operator(name: object) -> Sender:
    """Return the operator, by the name that the record gives."""
    return Sender(user_id("operator"), clean_name(name) or OPERATOR, "", "operator")


def user_id(identity: str) -> str:
    """Return the stable name of a user that tells nothing about them."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def clean_name(name: object) -> str:
    """Return a name on one line without what is not drawn; "" if it has no letter and no digit."""
    given = name[: 10 * MAX_NAME] if isinstance(name, str) else ""
    spaced = "".join(" " if char in BLANK or char.isspace() else char for char in given)
    seen = IGNORABLE.sub("", "".join(filter(str.isprintable, spaced)))
    line = " ".join(seen.split())[:MAX_NAME].strip()
    return line if any(map(str.isalnum, line)) else ""


def person_name(name: object) -> str:
    """Return a person's name, "" for one that would pass for the operator's."""
    clean = clean_name(name)
    return "" if skeleton(clean) == skeleton(OPERATOR) else clean


def skeleton(name: str) -> str:
    """Return what a reader recognises of a name: its letters and digits, alike ones as one."""
    plain = normalize("NFKD", normalize("NFKD", name).casefold())
    return "".join(char for char in plain if category(char) in LETTERS_AND_DIGITS).translate(LOOKS)
