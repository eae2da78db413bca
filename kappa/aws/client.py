"""Clients of one profile and region, and the calls through them.

It must not know what a policy or a function is. errors.py words the errors. botocore is imported
with the first client: an error in a config is reported without that delay, and a process that gets
the caller's keys from the environment needs no SDK.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from kappa.arn import parse_arn
from kappa.aws import regions
from kappa.aws.errors import parsed, translated
from kappa.errors import AwsError, ConfigError, Interrupted, Unavailable

if TYPE_CHECKING:
    from botocore.session import Session

_ACCESS_KEY, _SECRET_KEY, _TOKEN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
# With these variables, the SDK does more than take the keys.
_SPECIAL = ("AWS_CREDENTIAL_EXPIRATION", "AWS_SECURITY_TOKEN")


class Keys(NamedTuple):
    """Credentials as variables of the SDKs, and where they come from; both empty for none."""

    variables: Mapping[str, str] = MappingProxyType({})
    source: str = ""


def key_variables(access_key: str, secret_key: str, token: str = "") -> dict[str, str]:
    """Credentials as the variables that the SDKs read."""
    named = {_ACCESS_KEY: access_key, _SECRET_KEY: secret_key, _TOKEN: token}
    return {name: value for name, value in named.items() if value}


class Aws:
    """Clients of one region and profile, each created once; safe to use from several threads."""

    def __init__(self, region: str | None = None, profile: str | None = None) -> None:
        self._requested_region = region
        self._profile = profile
        self._region = ""
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._clients: dict[str, Any] = {}
        self._partition_and_account: tuple[str, str] | None = None
        self._asking = threading.Lock()
        self._stopped = threading.Event()

    @property
    def requested_region(self) -> str | None:
        """The region that the command line or the config asks for."""
        return self._requested_region

    @property
    def profile(self) -> str | None:
        """The profile that the command line or the config asks for."""
        return self._profile

    @property
    def session(self) -> Session:
        """The botocore session.

        Raises: ConfigError, if the profile is not in the AWS config files.
        """
        with self._lock:
            if self._session is None:
                from kappa.aws.session import open_session

                with translated("reading the AWS configuration"):
                    self._session = open_session(self._requested_region, self._profile)
            return self._session

    @property
    def region(self) -> str:
        """The region's name.

        Raises: AwsError, if neither the caller nor the AWS configuration names one; ConfigError,
        if the name is mistyped or malformed.
        """
        with self._lock:
            if not self._region:
                self._region = self._checked(self._requested_region or self._configured_region())
            return self._region

    def _checked(self, region: str) -> str:
        if not region:
            raise AwsError(
                "No AWS region is set.",
                "Give --region, a `region:` in the config file, or set AWS_REGION.",
            )
        meant = regions.meant(region, self._known_regions())
        if meant or not regions.is_well_formed(region):
            more = f" Did you mean {meant}?" if meant else ""
            raise ConfigError(
                f"{region} is not an AWS region.{more}",
                "It comes from --region, the config file, AWS_REGION, AWS_DEFAULT_REGION or the "
                "AWS profile.",
            )
        return region

    def _known_regions(self) -> frozenset[str]:
        from kappa.aws.session import regions as known

        return known(self.session)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Translate errors; the hint asks about a region that the SDK does not know."""
        try:
            with translated(doing), parsed(doing):
                yield
        except Unavailable as error:
            region, known = self.region, self._known_regions()
            if error.unreachable and region not in known:
                near = regions.nearest(region, known)
                meant = f" Did you mean {near}?" if near else ""
                error.hint = f"The SDK does not know the region {region}: is it right?{meant}"
            raise

    def _configured_region(self) -> str:
        with translated("reading the AWS configuration"):
            return str(self.session.get_config_variable("region") or "")

    def client(self, service: str, region: str = "") -> Any:  # noqa: ANN401 - made at run time
        """Return the client of a service, e.g. "lambda"; always the same one."""
        return self._client(service, None, region)

    def _client(self, service: str, timeout_s: float | None, region: str = "") -> Any:  # noqa: ANN401
        other = region if region and region != self.region else ""
        key = f"{service}, patient for {timeout_s} s" if timeout_s else f"{service} {other}"
        with self._lock:
            if key not in self._clients:
                from kappa.aws.session import client

                session, region = self.session, other or self.region
                with translated(f"preparing {service} calls"):
                    self._clients[key] = client(session, service, region, timeout_s)
            return self._clients[key]

    def stop(self) -> None:
        """Make every further call raise Interrupted."""
        self._stopped.set()

    def _check_stopped(self, doing: str) -> None:
        if self._stopped.is_set():
            raise Interrupted(f"Interrupted before {doing}.")

    def call(
        self, service: str, operation: str, doing: str, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make one call; `doing` describes it in errors, e.g. "reading the role X".

        Raises: NotFound, Denied, Conflict, AwsError.
        """
        client = self.client(service, _region_of(service, params or {}))
        self._check_stopped(doing)
        started = time.monotonic()
        with self._translated(doing):
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
        region: str = "",
    ) -> list[Any]:
        """List all items under `key`, page by page.

        Without a `region`, a topic in `params` decides it, else the client's own is used.
        Raises: NotFound, Denied, Conflict, AwsError.
        """
        client = self.client(service, region or _region_of(service, params or {}))
        paginator = client.get_paginator(operation)
        self._check_stopped(doing)
        started = time.monotonic()
        with self._translated(doing):
            items = [item for page in paginator.paginate(**(params or {})) for item in page[key]]
        _log_call(service, operation, started)
        return items

    def call_once(
        self, service: str, operation: str, doing: str, params: Mapping[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        """Make one call that may take long and must not be repeated, such as an invocation.

        The usual client times out after 60 s and calls again.
        Source: AWS re:Post, "How do I troubleshoot retry and timeout issues when invoking a
        Lambda function using an AWS SDK".
        """
        client = self._client(service, timeout_s)
        started = time.monotonic()
        with self._translated(doing):
            result: dict[str, Any] = getattr(client, operation)(**params)
        _log_call(service, operation, started)
        return result

    def download(self, link: str, doing: str, max_bytes: int) -> bytes:
        """Download from a link that AWS gave; the link itself is not printed.

        Raises: AwsError.
        """
        from kappa.aws.session import DownloadError, download

        session = self.session
        self._check_stopped(doing)
        try:
            return download(session, link, max_bytes)
        except DownloadError as error:
            raise AwsError(f"AWS call failed for {doing}: {error}.") from error

    @property
    def account(self) -> str:
        """The caller's account, twelve digits."""
        return self._read_caller()[1]

    @property
    def partition(self) -> str:
        """The caller's partition: aws, aws-cn or aws-us-gov."""
        return self._read_caller()[0]

    def read_keys(self) -> Keys:
        """Read the caller's credentials, for a process that is not kappa.

        Raises: Denied, ConfigError, if they are configured and cannot be loaded.
        """
        given = os.environ.get
        access_key, secret_key = given(_ACCESS_KEY), given(_SECRET_KEY)
        if access_key and secret_key and not self.profile and not any(map(given, _SPECIAL)):
            keys = key_variables(access_key, secret_key, given(_TOKEN) or "")
            return Keys(keys, "the environment")
        with translated("reading your AWS credentials"):
            loaded = self.session.get_credentials()
            if loaded is None:
                return Keys()
            frozen = loaded.get_frozen_credentials()
        profile = self.profile or given("AWS_PROFILE")
        source = f"the profile {profile}" if profile else str(loaded.method)
        keys = key_variables(str(frozen.access_key), str(frozen.secret_key), frozen.token or "")
        return Keys(keys, source)

    def read_region(self) -> str:
        """The region's name, not compared with those that the SDK knows: that would load it.

        Raises: AwsError, if there is none.
        """
        given = self._requested_region or os.environ.get("AWS_REGION")
        return given or os.environ.get("AWS_DEFAULT_REGION") or self.region

    def remember_account(self, own_arn: str) -> None:
        """Take partition and account from the ARN of one of the caller's resources."""
        if self._partition_and_account is None:
            parsed_arn = parse_arn(own_arn)
            self._partition_and_account = (parsed_arn.partition, parsed_arn.account)

    def _read_caller(self) -> tuple[str, str]:
        """Return partition and account; ask STS once, unless an earlier answer had them."""
        if self._partition_and_account is None:
            with self._asking:  # not the clients' lock, which other calls need meanwhile
                if self._partition_and_account is None:
                    caller = self.call("sts", "get_caller_identity", "asking AWS who you are")
                    self._partition_and_account = (caller["Arn"].split(":")[1], caller["Account"])
        return self._partition_and_account


def _region_of(service: str, params: Mapping[str, Any]) -> str:
    """The region of a topic, which may differ from the function's; "" for other resources.

    Source: Amazon SNS guide, "Cross-region delivery".
    """
    arn = str(params.get("TopicArn") or params.get("SubscriptionArn") or "")
    return arn.split(":")[3] if service == "sns" and arn.startswith("arn:") else ""


def _log_call(service: str, operation: str, started: float) -> None:
    import logging

    duration_ms = (time.monotonic() - started) * 1000
    logging.getLogger(__name__).debug("%s.%s %.0f ms", service, operation, duration_ms)
