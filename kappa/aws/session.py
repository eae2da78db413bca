"""One botocore session: how AWS is reached, and how much of botocore that loads.

Owns credentials, region and the making of clients. It is botocore alone, without boto3, whose
resources and transfers nobody here needs. It must not know what any call is for.
"""

from __future__ import annotations

import gzip
import os
import re
import socket
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.loaders import JSONFileLoader, Loader, create_loader
from botocore.response import StreamingBody
from botocore.utils import get_environ_proxies

from kappa.aws import other_regions, proxy_pages
from kappa.aws.credentials import explained

_ATTEMPTS = 5
_CONNECT_TIMEOUT_S = 10
_HASTY_TIMEOUT_S = 3
# Several configs at once share a client: more connections than botocore's 10.
_CONNECTIONS = 50
_KEEPALIVE_S = 60
_DOWNLOAD_TIMEOUT_S = 60
_BLOCK_BYTES = 1 << 20


class DownloadError(Exception):
    """A download that failed; its text does not give the link away."""


class _QuickFiles(JSONFileLoader):
    """Reads botocore's models, of a megabyte and more, some times faster than json does."""

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - whatever the file holds
        """Read a file, named without its ending; None if there is none."""
        for ending, unpacked in ((".json", bytes), (".json.gz", gzip.decompress)):
            try:
                text = Path(file_path + ending).read_bytes()
            except FileNotFoundError:
                continue
            return msgspec.json.decode(unpacked(text))
        return None


class _QuickLoader(Loader):
    """A loader that takes the folders' names as the list of services.

    botocore looks into each of 400 folders before it loads a model, only to know whether the
    service exists; one that does not is an error of the loading too.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """Name all services, whatever they have a model of."""
        there = (Path(path) for path in self.search_paths if Path(path).is_dir())
        return sorted({name for path in there for name in os.listdir(path)})  # noqa: PTH208


@cache
def _loader(search_paths: tuple[str, ...]) -> _QuickLoader:
    """Make the one loader of these folders: what one session has read, the next one has."""
    return _QuickLoader(search_paths, _QuickFiles(), include_default_search_paths=False)


class _Session(botocore.session.Session):
    """A session whose credentials name their profile when something is wrong with them."""

    _credentials: Any

    def get_credentials(self) -> Any:  # noqa: ANN401 - botocore's own, or ours around them
        """Load the credentials once.

        Raises: Denied, ConfigError.
        """
        if self._credentials is None:
            config, profile = self.full_config, self.profile or "default"
            with explained(config, profile):
                loaded = super().get_credentials()
            self._credentials = loaded and _Credentials(loaded, config, profile)
        return self._credentials


class _Credentials:
    """Credentials that may have to be renewed: that can fail in the same ways as loading them."""

    def __init__(self, loaded: Any, config: Any, profile: str) -> None:  # noqa: ANN401
        self._loaded, self._config, self._profile = loaded, config, profile

    def get_frozen_credentials(self) -> Any:  # noqa: ANN401 - botocore's own
        """Return the keys, renewed where they have expired."""
        with explained(self._config, self._profile):
            return self._loaded.get_frozen_credentials()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever botocore asks for
        return getattr(self._loaded, name)


def open_session(region: str | None, profile: str | None) -> botocore.session.Session:
    """Open a session; what is None comes from the environment or ~/.aws/config.

    Raises: BotoCoreError.
    Source: AWS CLI user guide, "Environment variables to configure the AWS CLI": AWS_REGION wins
    over AWS_DEFAULT_REGION, and both over the profile. The SDK for Python knows the second only.
    """
    session = _Session(profile=profile)
    region = region or os.environ.get("AWS_REGION")
    if region:
        session.set_config_variable("region", region)
    known = create_loader(session.get_config_variable("data_path")).search_paths
    session.register_component("data_loader", _loader(tuple(known)))
    return session


def client(session: botocore.session.Session, service: str, region: str) -> Any:  # noqa: ANN401
    """Make the client of a service, which may be asked from several threads."""
    config = Config(
        retries=_retries(),
        connect_timeout=_CONNECT_TIMEOUT_S,
        max_pool_connections=_CONNECTIONS,
    )
    return _make(session, service, region, config)


def hasty_client(session: botocore.session.Session, service: str, region: str) -> Any:  # noqa: ANN401
    """Make a client that gives up soon, for a question that may stay unanswered.

    Where it can, it calls any region: the one that `other_regions.calling` names.
    """
    config = Config(
        retries={"total_max_attempts": 2},
        connect_timeout=_HASTY_TIMEOUT_S,
        max_pool_connections=_CONNECTIONS,
    )
    made = _make(session, service, region, config)
    if other_regions.may_share_client(session):
        other_regions.follow(made)
    return made


def patient_client(
    session: botocore.session.Session,
    service: str,
    region: str,
    timeout_s: float,
) -> Any:  # noqa: ANN401
    """Make a client whose calls may take long and are made once."""
    config = Config(
        read_timeout=timeout_s,
        retries={"total_max_attempts": 1},
        tcp_keepalive=True,
    )
    made = _make(session, service, region, config)
    _probe_soon(made)
    return made


def _probe_soon(client: Any) -> None:  # noqa: ANN401
    """Send the first keep-alive probe after a minute: the system would wait for two hours.

    Routers between drop a silent connection after some minutes, and nobody would notice.
    Source: Amazon VPC user guide, "Troubleshoot NAT gateways": 350 s without traffic.
    """
    option = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
    options = getattr(client._endpoint.http_session, "_socket_options", None)
    if option is not None and options is not None:
        options.append((socket.IPPROTO_TCP, option, _KEEPALIVE_S))


def regions(session: botocore.session.Session | None = None) -> frozenset[str]:
    """Name the regions that the SDK knows, of all partitions.

    Without a session nothing of the user's AWS configuration is read.
    """
    loader = session.get_component("data_loader") if session else create_loader()
    data = loader.load_data("partitions")
    names = {name for partition in data["partitions"] for name in partition["regions"]}
    return frozenset(name for name in names if not name.endswith("-global"))


def longest_run_s(session: botocore.session.Session) -> int:
    """How long Lambda lets a function run, by the SDK's model."""
    return int(session.get_service_model("lambda").shape_for("Timeout").metadata["max"])


def _make(session: Any, service: str, region: str, config: Config) -> Any:  # noqa: ANN401
    made = session.create_client(service, region_name=region, config=config)
    address = partial(other_regions.address, made)
    made.meta.events.register("before-parse", proxy_pages.checker(address))
    return made


def _retries() -> Any:  # noqa: ANN401 - botocore's own TypedDict
    """Retry as standard mode does, as often as the environment sets, else five times."""
    is_set = "AWS_MAX_ATTEMPTS" in os.environ
    return {"mode": "standard", **({} if is_set else {"total_max_attempts": _ATTEMPTS})}


def download(session: botocore.session.Session, link: str, max_bytes: int) -> bytes:
    """Get what a link leads to, by the way that calls take: proxies and certificates are theirs.

    Raises: DownloadError, also if it is cut off or too large.
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
        # Close it even if it is not read to its end.
        with closing(reply.raw):
            if reply.status_code != 200:
                raise DownloadError(f"the answer is {reply.status_code}")
            return _body(reply, max_bytes)
    except (BotoCoreError, OSError) as error:
        # Whoever has the link has the code: what signs it is not printed.
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
