"""One botocore session: credentials, region and clients, loaded quickly.

It uses botocore alone; kappa needs neither resources nor transfers of boto3. It owns the failures
that come before the first call: which profile, which program, what to run. It must not know the
purpose of any call.
Source: AWS SDKs and Tools reference, "Process credential provider", "IAM Identity Center
credential provider", "Login credentials provider".
"""

from __future__ import annotations

import gzip
import os
import re
import shlex
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
from botocore import exceptions
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.httpsession import URLLib3Session
from botocore.loaders import JSONFileLoader, Loader, create_loader
from botocore.response import StreamingBody
from botocore.utils import get_environ_proxies

from kappa.aws.errors import foreign_answer_check
from kappa.errors import ConfigError, Denied, KappaError

_ATTEMPTS = 5
_CONNECT_TIMEOUT_S = 10
# Several configs at once share a client and need more connections than botocore's 10.
_CONNECTIONS = 50
_KEEPALIVE_S = 60
_DOWNLOAD_TIMEOUT_S = 60
_BLOCK_BYTES = 1 << 20

_FILE_HINT = (
    "Correct AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, or "
    "web_identity_token_file in ~/.aws/config."
)
_PLACE_HINT = (
    "Look at the variables that begin with AWS_CONTAINER_, AWS_METADATA_SERVICE_ or "
    "AWS_WEB_IDENTITY_, and at the profile in ~/.aws/config."
)
_LOGIN = (exceptions.LoginError, exceptions.MissingDependencyException)
_SSO = (exceptions.SSOError, exceptions.TokenRetrievalError)
# Failures of a program, a file or a URL that the SDK does not handle.
_UNEXPECTED = (OSError, ValueError, AttributeError, TypeError)


class DownloadError(Exception):
    """A failed download; the text does not contain the signed link."""


class _QuickFiles(JSONFileLoader):
    """Reads botocore's models with msgspec, which is several times faster than json."""

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - whatever the file holds
        """Read a file, named without its suffix; None if it does not exist."""
        for suffix, unpack in ((".json", bytes), (".json.gz", gzip.decompress)):
            try:
                text = Path(file_path + suffix).read_bytes()
            except FileNotFoundError:
                continue
            return msgspec.json.decode(unpack(text))
        return None


class _QuickLoader(Loader):
    """A loader that takes the folders' names as the list of services.

    botocore would look into each of 400 folders before it loads a model, to know whether the
    service exists. Loading the model fails for an unknown service anyway.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """List all services, whichever models they have."""
        folders = (Path(path) for path in self.search_paths if Path(path).is_dir())
        return sorted({name for folder in folders for name in os.listdir(folder)})  # noqa: PTH208


@cache
def _loader(search_paths: tuple[str, ...]) -> _QuickLoader:
    """Return the one loader of these folders, so that sessions share what it has read."""
    return _QuickLoader(search_paths, _QuickFiles(), include_default_search_paths=False)


def _source(config: Mapping[str, Any], profile: str) -> tuple[str, Mapping[str, Any]]:
    """Find the profile that the credentials come from: this one, or its source_profile.

    Shape: config is {profiles: {name: {key: value}}}, as the SDK reads ~/.aws/config.
    """
    profiles, seen = config.get("profiles", {}), {""}
    while profile not in seen:
        seen.add(profile)
        section = profiles.get(profile, {})
        source_profile = section.get("source_profile", "")
        if source_profile in seen:
            break
        profile = source_profile
    return profile, profiles.get(profile, {})


@contextmanager
def _explained(config: Mapping[str, Any], profile: str) -> Iterator[None]:
    """Translate the errors of loading a profile's credentials.

    Raises: Denied, ConfigError.
    """
    try:
        yield
    except (exceptions.BotoCoreError, *_UNEXPECTED) as error:
        explanation = _explain(error, *_source(config, profile))
        if explanation is None:
            raise
        raise explanation from error


def _explain(error: Exception, name: str, section: Mapping[str, Any]) -> KappaError | None:
    if isinstance(error, _LOGIN):
        return _login(error, name)
    if isinstance(error, _SSO):
        problem = f"The profile {name} is not signed in to IAM Identity Center (SSO): {error}"
        return Denied(problem, f"Run `aws sso login --profile {shlex.quote(name)}`.")
    program = section.get("credential_process")
    if program and isinstance(error, (exceptions.CredentialRetrievalError, *_UNEXPECTED)):
        return _process(error, name, str(program))
    if isinstance(error, exceptions.InvalidConfigError):
        return ConfigError(f"The AWS profile {name} is wrong: {error}", "Correct ~/.aws/config.")
    if isinstance(error, OSError):
        place = error.filename or "the file of a token"
        return Denied(f"No AWS credentials: {place}: {error.strerror or error}.", _FILE_HINT)
    if isinstance(error, ValueError):
        return Denied(f"No AWS credentials: {error}.", _PLACE_HINT)
    return None


def _login(error: Exception, name: str) -> Denied:
    if isinstance(error, exceptions.MissingDependencyException):
        return Denied(
            f"The profile {name} uses the credentials of `aws login`, which need the Python "
            "package botocore[crt].",
            f"Run `{shlex.quote(sys.executable)} -m pip install 'botocore[crt]'`.",
        )
    problem = f"The profile {name} has no valid session of `aws login`: {error}"
    return Denied(problem, f"Run `aws login --profile {shlex.quote(name)}`.")


def _process(error: Exception, name: str, program: str) -> Denied:
    if isinstance(error, exceptions.CredentialRetrievalError):
        reason = str(error).removeprefix("Error when retrieving credentials from custom-process: ")
        reason = reason.strip() or "it failed and printed no reason"
    elif isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        reason = "it did not print the credentials as JSON"
    return Denied(
        f"The credential_process of the profile {name}, {_first_word(program)}, gave no "
        f"credentials: {reason}",
        "Run the command that ~/.aws/config names there, and correct what it reports.",
    )


def _first_word(program: str) -> str:
    """Return the program without its arguments, which may be secrets."""
    try:
        return shlex.split(program)[0]
    except (ValueError, IndexError):
        return program.split(maxsplit=1)[0]


class _Session(botocore.session.Session):
    """A session whose credential errors name the profile."""

    _credentials: Any

    def get_credentials(self) -> Any:  # noqa: ANN401 - botocore's own, or ours around them
        """Load the credentials once.

        Raises: Denied, ConfigError.
        """
        if self._credentials is None:
            config, profile = self.full_config, self.profile or "default"
            with _explained(config, profile):
                loaded = super().get_credentials()
            self._credentials = loaded and _Credentials(loaded, config, profile)
        return self._credentials


class _Credentials:
    """Credentials that may be renewed, which can fail in the same ways as loading them."""

    def __init__(self, loaded: Any, config: Any, profile: str) -> None:  # noqa: ANN401
        self._loaded, self._config, self._profile = loaded, config, profile

    def get_frozen_credentials(self) -> Any:  # noqa: ANN401 - botocore's own
        """Return the keys, renewed if they have expired."""
        with _explained(self._config, self._profile):
            return self._loaded.get_frozen_credentials()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever botocore asks for
        return getattr(self._loaded, name)


def open_session(region: str | None, profile: str | None) -> botocore.session.Session:
    """Open a session; None means the value of the environment or of ~/.aws/config.

    AWS_REGION wins over AWS_DEFAULT_REGION, and both over the profile. The SDK for Python only
    reads the second.
    Raises: BotoCoreError.
    Source: AWS CLI user guide, "Environment variables to configure the AWS CLI".
    """
    session = _Session(profile=profile)
    region = region or os.environ.get("AWS_REGION")
    if region:
        session.set_config_variable("region", region)
    search_paths = create_loader(session.get_config_variable("data_path")).search_paths
    session.register_component("data_loader", _loader(tuple(search_paths)))
    return session


def client(
    session: botocore.session.Session, service: str, region: str, timeout_s: float | None = None
) -> Any:  # noqa: ANN401
    """Create the client of a service; it is safe to use from several threads.

    With `timeout_s` a call may take so long, and is never repeated.
    """
    if timeout_s is None:
        config = Config(
            retries=_retries(),
            connect_timeout=_CONNECT_TIMEOUT_S,
            max_pool_connections=_CONNECTIONS,
        )
    else:
        once: Any = {"total_max_attempts": 1}
        config = Config(read_timeout=timeout_s, retries=once, tcp_keepalive=True)
    client = session.create_client(service, region_name=region, config=config)
    check = foreign_answer_check(client.meta.endpoint_url)
    client.meta.events.register("before-parse", check)
    if timeout_s is not None:
        _keep_alive(client)
    return client


def _keep_alive(client: Any) -> None:  # noqa: ANN401
    """Send the first keep-alive probe after a minute; the system default is two hours.

    NAT gateways drop an idle connection without notice.
    Source: Amazon VPC user guide, "Troubleshoot NAT gateways": 350 s without traffic.
    """
    option = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
    options = getattr(client._endpoint.http_session, "_socket_options", None)
    if option is not None and options is not None:
        options.append((socket.IPPROTO_TCP, option, _KEEPALIVE_S))


def regions(session: botocore.session.Session | None = None) -> frozenset[str]:
    """List the regions that the SDK knows, in all partitions.

    Without a session, the user's AWS configuration is not read.
    """
    loader = session.get_component("data_loader") if session else create_loader()
    data = loader.load_data("partitions")
    names = {name for partition in data["partitions"] for name in partition["regions"]}
    return frozenset(name for name in names if not name.endswith("-global"))


def _retries() -> Any:  # noqa: ANN401 - botocore's own TypedDict
    """Return retries in standard mode; AWS_MAX_ATTEMPTS sets the attempts, five by default."""
    is_set = "AWS_MAX_ATTEMPTS" in os.environ
    return {"mode": "standard", **({} if is_set else {"total_max_attempts": _ATTEMPTS})}


def download(session: botocore.session.Session, link: str, max_bytes: int) -> bytes:
    """Download from a link, through the same proxies and certificates as calls.

    Raises: DownloadError, if it fails, is cut off or is too large.
    """
    verify: Any = session.get_config_variable("ca_bundle") or os.environ.get(
        "REQUESTS_CA_BUNDLE", True
    )
    http = URLLib3Session(
        verify=verify, proxies=get_environ_proxies(link), timeout=_DOWNLOAD_TIMEOUT_S
    )
    request: Any = AWSRequest(method="GET", url=link, stream_output=True)
    try:
        reply = http.send(request.prepare())
        with closing(reply.raw):
            if reply.status_code != 200:
                raise DownloadError(f"the answer is {reply.status_code}")
            return _body(reply, max_bytes)
    except (exceptions.BotoCoreError, OSError) as error:
        # The signature in the link gives access to the code, so it is not printed.
        raise DownloadError(re.sub(r"\?\S+", "?...", str(error))) from error
    finally:
        http.close()


def _body(reply: Any, max_bytes: int) -> bytes:  # noqa: ANN401 - botocore's AWSResponse
    body = StreamingBody(reply.raw, reply.headers.get("content-length"))
    blocks: list[bytes] = []
    while block := body.read(_BLOCK_BYTES):
        blocks.append(block)
        if len(blocks) * _BLOCK_BYTES > max_bytes + _BLOCK_BYTES:
            raise DownloadError("it is too large")
    return b"".join(blocks)
