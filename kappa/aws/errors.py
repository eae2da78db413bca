"""Translate AWS's errors into kappa's, with a hint about what to do. It makes no call.

It owns the error codes, and what tells an answer of AWS from one of a proxy or a sign-in page: the
SDK accepts nearly anything, so such a page could pass for an invocation's result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kappa.errors import AwsError, ConfigError, Conflict, Denied, KappaError, NotFound, Unavailable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

NOT_FOUND = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchKey",
        "NotFound",
        "NotFoundException",
        "ResourceNotFoundException",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
WRONG_KEYS = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# Codes for a wrong time of the request, and texts that mean the same under other codes.
# Source: AWS IAM guide, "Troubleshooting AWS API request signatures"; Amazon S3 API reference,
# "Error responses".
SKEWED = frozenset({"RequestInTheFuture", "RequestTimeTooSkewed"})
_SKEWED_TEXTS = ("signature expired", "signature not yet current")
CONFLICT = frozenset(
    {
        "AlreadyExistsException",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "ConflictException",
        "DeleteConflict",
        "EntityAlreadyExists",
        "PreconditionFailedException",
        "ResourceAlreadyExistsException",
        "ResourceConflictException",
        "ResourceInUseException",
    }
)
# Source: AWS SDKs reference, "Retry behavior": standard mode pauses up to 20 s between attempts.
THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_NO_NETWORK_HINT = (
    "Is the network up? Completed steps stay: run the same command again to finish the rest."
)
_CLOCK_HINT = "The clock of this computer is wrong: set it, then run the command again."
_NUMBER_HINT = "Check the values that must be numbers: AWS_MAX_ATTEMPTS, or a key of ~/.aws/config."
_HINTS = {
    "MalformedPolicyDocument": "AWS names no line. This does: aws accessanalyzer validate-policy "
    "--policy-type IDENTITY_POLICY --policy-document file://FILE",
    "NoSuchBucket": "Make the bucket, or name another.",
}
NO_CREDENTIALS_HINT = (
    "Run `aws configure`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile."
)
# Every answer of AWS has one.
# Source: AWS SDKs and Tools reference; Amazon S3 API reference, "Common response headers".
_REQUEST_IDS = frozenset({"x-amzn-requestid", "x-amz-request-id"})
# How an error names its code: some emulators refuse without a request id.
_CODES = (b"<Code>", b"__type")
_EXCERPT = 120
_FOREIGN_HINT = "A proxy or a sign-in page may have answered: check the network and HTTPS_PROXY."


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate botocore's exceptions; `doing` is the action that failed, with its resource.

    Raises: NotFound, Denied, Conflict, Unavailable, AwsError; ConfigError, for an unknown profile
    or a setting that is not a number.
    Source: botocore documentation, "Error handling"; each service's API reference for codes.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _client_error(error, doing) from error
    except BotoCoreError as error:
        raise _local_error(error, doing) from error
    except ResponseParserError as error:
        reason = " ".join(str(error).split())[:200]
        raise AwsError(f"What answered {doing} is not AWS: {reason}", _FOREIGN_HINT) from error
    except ValueError as error:
        if str(error).startswith("invalid literal for int"):
            raise ConfigError(f"The AWS configuration is wrong: {error}.", _NUMBER_HINT) from error
        if not str(error).startswith(("Invalid endpoint", "Invalid IPv6 URL")):
            raise
        raise AwsError(f"{error}.", "Set AWS_ENDPOINT_URL to a URL: http://...") from error


@contextmanager
def parsed(doing: str) -> Iterator[None]:
    """Translate the SDK's failures to parse an answer. Wrap nothing but a call in this.

    Raises: AwsError.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise AwsError(f"What answered {doing} is not AWS ({reason}).", _FOREIGN_HINT) from error


def _client_error(error: ClientError, doing: str) -> AwsError:
    answer = error.response.get("Error", {})
    code = str(answer.get("Code", "Unknown"))
    text = str(answer.get("Message", "") or error)
    translation = _by_code(error, code, text, f"AWS refused {doing}: {text} ({code})")
    translation.text = text
    return translation


def _by_code(error: ClientError, code: str, text: str, message: str) -> AwsError:
    if _is_skewed(code, text):
        return Denied(message, _CLOCK_HINT, code)
    if code in EXPIRED:
        return Denied(message, "Your credentials have expired: sign in again.", code)
    if code in WRONG_KEYS:
        return Denied(message, "The credentials are wrong: check the keys or the profile.", code)
    if code in DENIED:
        return Denied(message, "Ask for this permission, or use another --profile.", code)
    if code in NOT_FOUND:
        return NotFound(message, _HINTS.get(code, ""), code)
    if code in CONFLICT:
        return Conflict(message, code=code)
    if code in THROTTLED:
        return Unavailable(message, "Wait a minute, then run the same command again.", code)
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return Unavailable(message, "AWS failed: wait a minute, then run the command again.", code)
    return AwsError(message, _HINTS.get(code, ""), code)


def _is_skewed(code: str, text: str) -> bool:
    signature = code in WRONG_KEYS and any(words in text.lower() for words in _SKEWED_TEXTS)
    return code in SKEWED or signature


def _local_error(error: BotoCoreError, doing: str) -> KappaError:
    from botocore import exceptions

    if isinstance(error, exceptions.ProfileNotFound):
        return ConfigError(
            f"{error}.", "Name a profile of ~/.aws/config, or leave `profile:` and --profile out."
        )
    if (
        isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError)
        or "credential" in str(error).lower()
    ):
        return Denied(f"No AWS credentials for {doing}: {error}", NO_CREDENTIALS_HINT)
    if isinstance(error, exceptions.EndpointConnectionError | exceptions.HTTPClientError):
        unavailable = Unavailable(
            f"AWS could not be reached for {doing}: {error}", _NO_NETWORK_HINT
        )
        unavailable.unreachable = True
        unavailable.sent = isinstance(
            error, exceptions.ConnectionClosedError | exceptions.ReadTimeoutError
        )
        return unavailable
    return AwsError(f"AWS call failed for {doing}: {error}")


def foreign_answer_check(address: str) -> Callable[..., None]:
    """Create the check that the SDK runs before it parses an answer; `address` is the client's URL.

    The check raises AwsError if the answer has no request id, and is no error with a code. A
    failing server's answer may lack both, and the SDK tries again.
    """

    def check(response_dict: Mapping[str, Any], **_: Any) -> None:  # noqa: ANN401
        names = {name.lower() for name in response_dict["headers"]}
        status, body = response_dict["status_code"], response_dict["body"]
        is_error = status >= 400 and isinstance(body, bytes) and any(map(body.__contains__, _CODES))
        if status < 500 and not names & _REQUEST_IDS and not is_error:
            words = _describe(response_dict)
            raise AwsError(f"{address} did not answer as AWS does: {words}.", _FOREIGN_HINT)

    return check


def _describe(answer: Mapping[str, Any]) -> str:
    """Describe an answer: its status and the first words of its text."""
    body = answer["body"]
    if not isinstance(body, bytes):  # a stream, which the caller would read later
        body = body.read(10_000)
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", body.decode("utf-8", "replace"),
                  flags=re.DOTALL | re.IGNORECASE)  # fmt: skip
    text = " ".join(text.split())
    short = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}..."
    return f"status {answer['status_code']}" + (f', "{short}"' if short else "")
