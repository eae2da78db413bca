"""Clients of one profile and region, and AWS's errors put into words.

With awssession.py the only importer of botocore in kappa; resources.py and publish.py use it too.
It knows how to make a call and how to name what went wrong. It must not know what a policy or a
function is. botocore is imported at the first client, so a wrong config costs no AWS import.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kappa import arn as arns
from kappa.errors import AwsError, ConfigError, Conflict, Denied, Interrupted, KappaError, NotFound

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import Session

LOG = logging.getLogger(__name__)
# The calls that may wait for an answer at the same time, each in a thread of its own.
MAX_CONCURRENCY = 100
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
        "UnauthorizedOperation",
    }
)
WRONG_KEYS = ("InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException")
CONFLICT = frozenset(
    {
        "AlreadyExistsException",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "ConflictException",
        "DeleteConflict",
        "EntityAlreadyExists",
        "ResourceAlreadyExistsException",
        "ResourceConflictException",
        "ResourceInUseException",
    }
)
# Source: AWS SDKs reference, "Retry behavior": standard mode pauses between tries, up to 20 s.
THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
NO_CREDENTIALS_HINT = (
    "Run `aws configure`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile."
)

_NO_NETWORK_HINT = (
    "Is the network up? What is done stays: run the same command again to complete the rest."
)


class Aws:
    """Clients for one region and profile, each made once; safe to use from several threads."""

    def __init__(self, region: str | None = None, profile: str | None = None) -> None:
        self._wanted_region = region
        self._profile = profile
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._clients: dict[str, Any] = {}
        self._whose: tuple[str, str] | None = None
        self._stopped = threading.Event()

    @property
    def session(self) -> Session:
        """The botocore session.

        Raises: ConfigError, if the profile is not in the AWS config files.
        """
        with self._lock:
            if self._session is None:
                from kappa.awssession import open_session

                with translated("reading the AWS configuration"):
                    self._session = open_session(self._wanted_region, self._profile)
            return self._session

    @property
    def region(self) -> str:
        """The region's name.

        Raises: AwsError, if neither the caller nor the AWS configuration names one.
        """
        region = self._wanted_region or self._configured_region()
        if not region:
            raise AwsError(
                "No AWS region is set.",
                "Give --region, a `region:` in the config file, or set AWS_DEFAULT_REGION.",
            )
        return region

    def _configured_region(self) -> str:
        with translated("reading the AWS configuration"):
            return str(self.session.get_config_variable("region") or "")

    def client(self, service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        """Return the client of a service, e.g. "lambda"; the same one at each call."""
        return self._client(service, None)

    def _client(self, service: str, timeout_s: float | None) -> Any:  # noqa: ANN401
        key = f"{service}, patient for {timeout_s} s" if timeout_s else service
        with self._lock:
            if key not in self._clients:
                from kappa.awssession import client, patient_client

                session, region = self.session, self.region
                with translated(f"preparing {service} calls"):
                    self._clients[key] = (
                        patient_client(session, service, region, timeout_s, MAX_CONCURRENCY)
                        if timeout_s
                        else client(session, service, region)
                    )
            return self._clients[key]

    def stop(self) -> None:
        """Let no further call or page begin; each raises Interrupted instead."""
        self._stopped.set()

    def _go_on(self, doing: str) -> None:
        if self._stopped.is_set():
            raise Interrupted(f"Interrupted before {doing}.")

    def call(
        self, service: str, operation: str, doing: str, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make one call; `doing` says what for, e.g. "reading the role X".

        Raises: NotFound, Denied, Conflict, AwsError.
        """
        client = self.client(service)
        self._go_on(doing)
        started = time.monotonic()
        with translated(doing):
            result: dict[str, Any] = getattr(client, operation)(**(params or {}))
        _log_call(service, operation, started)
        return result

    def pages(
        self,
        service: str,
        operation: str,
        doing: str,
        key: str,
        params: Mapping[str, Any] | None = None,
    ) -> list[Any]:
        """List everything of `key`, through all pages.

        Raises: NotFound, Denied, Conflict, AwsError.
        """
        paginator = self.client(service).get_paginator(operation)
        self._go_on(doing)
        started = time.monotonic()
        with translated(doing):
            found = [item for page in paginator.paginate(**(params or {})) for item in page[key]]
        _log_call(service, operation, started)
        return found

    def call_once(
        self, service: str, operation: str, doing: str, params: Mapping[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        """Make one call that may take long and must not be repeated, such as an invocation.

        Source: AWS re:Post, "How do I troubleshoot retry and timeout issues when invoking a
        Lambda function using an AWS SDK": the usual client gives up at 60 s and calls again.
        """
        client = self._client(service, timeout_s)
        started = time.monotonic()
        with translated(doing):
            result: dict[str, Any] = getattr(client, operation)(**params)
        _log_call(service, operation, started)
        return result

    def download(self, link: str, doing: str, max_bytes: int) -> bytes:
        """Get what a link of AWS's leads to; the link itself is not printed.

        Raises: AwsError.
        """
        from kappa.awssession import DownloadError, download

        session = self.session
        self._go_on(doing)
        try:
            return download(session, link, max_bytes)
        except DownloadError as error:
            raise AwsError(f"AWS call failed for {doing}: {error}.") from error

    @property
    def account(self) -> str:
        """The twelve digits of the caller's account."""
        return self._owner()[1]

    @property
    def partition(self) -> str:
        """The caller's partition: aws, aws-cn or aws-us-gov."""
        return self._owner()[0]

    def learn(self, own_arn: str) -> None:
        """Take partition and account from the ARN of something that is the caller's own."""
        found = arns.parse(own_arn)
        self._whose = self._whose or (found.partition, found.account)

    def _owner(self) -> tuple[str, str]:
        """Partition and account: STS is asked once, unless an answer has told before."""
        with self._lock:
            if self._whose is None:
                caller = self.call("sts", "get_caller_identity", "asking AWS who you are")
                self._whose = (caller["Arn"].split(":")[1], caller["Account"])
            return self._whose


def _log_call(service: str, operation: str, started: float) -> None:
    LOG.debug("%s.%s %.0f ms", service, operation, (time.monotonic() - started) * 1000)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn botocore's exceptions into our own: `doing` says what we were doing, to what.

    Raises: NotFound, Denied, Conflict, AwsError; ConfigError, for a profile that is not there.
    Source: botocore documentation, "Error handling"; each service's API reference for codes.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _client_error(error, doing) from error
    except BotoCoreError as error:
        raise _local_error(error, doing) from error
    except ValueError as error:
        if not str(error).startswith("Invalid endpoint"):
            raise
        raise AwsError(f"{error}.", "Set AWS_ENDPOINT_URL to a URL: http://...") from error


def _client_error(error: ClientError, doing: str) -> AwsError:
    code = error.response.get("Error", {}).get("Code", "Unknown")
    text = error.response.get("Error", {}).get("Message", "") or str(error)
    message = f"AWS refused {doing}: {text} ({code})"
    if code in EXPIRED:
        return Denied(message, "Your credentials have expired: sign in again.", code)
    if code in WRONG_KEYS:
        return Denied(message, "The credentials are wrong: check the keys or the profile.", code)
    if code in DENIED:
        return Denied(message, "Ask for this permission, or use another --profile.", code)
    if code in NOT_FOUND:
        return NotFound(message, code=code)
    if code in CONFLICT:
        return Conflict(message, code=code)
    if code in THROTTLED:
        return AwsError(message, "Wait a minute, then run the same command again.", code)
    return AwsError(message, code=code)


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
        return AwsError(f"AWS could not be reached for {doing}: {error}", _NO_NETWORK_HINT)
    return AwsError(f"AWS call failed for {doing}: {error}")
