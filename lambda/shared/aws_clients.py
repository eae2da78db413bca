"""The AWS clients of a container, made in less than half of the time that botocore usually takes.

Lambda waits for this before it passes the first event to a new container. Owns how clients are made
and which parts of botocore that loads. It must not know what a client is for.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Pause the garbage collector: it would scan botocore's modules and models again and again,
    although they stay as long as the container.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


with _no_collecting():
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.loaders import JSONFileLoader, Loader

_CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
SIGNED: Config = _CONFIG
NOT_SIGNED: Config = _CONFIG.merge(Config(signature_version=UNSIGNED))
# One short try, for callers that repeat a call themselves, because its content depends on the time
# (rows.LATE has the arithmetic) or a late one is useless. DynamoDB and IoT answer in milliseconds.
ONE_TRY: Config = _CONFIG.merge(
    Config(
        connect_timeout=0.3,
        read_timeout=1,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
)
_NO_URLS: Mapping[str, str] = MappingProxyType({})


class _PlainFiles(JSONFileLoader):
    """Reads botocore's models into plain dicts, twice as fast as into OrderedDicts.

    Both keep the file's order.
    """

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - whatever the file holds
        """Read a file, named without its extension; None if there is none."""
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            try:
                with opened(file_path + ending, "rb") as file:
                    return json.loads(file.read())
            except FileNotFoundError:
                continue
        return None


class _PlainLoader(Loader):
    """A loader that takes the names of folders as the list of services.

    botocore otherwise looks into 400 folders before it loads a model, only to learn whether the
    service exists.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """Name all services, whatever models they have."""
        folders = (path for path in self.search_paths if Path(path).is_dir())
        return [name for path in folders for name in os.listdir(path)]  # noqa: PTH208 - half the time


def make_clients(configs: Mapping[str, Config], urls: Mapping[str, str] = _NO_URLS) -> list[Any]:
    """Make a client for each service, in order, and keep the garbage collector off them.

    `urls`: addresses of services that have one for each account. AWS_ENDPOINT_URL, which replaces
    the addresses of all services, replaces these too.
    """
    own = _NO_URLS if os.environ.get("AWS_ENDPOINT_URL") else urls
    with _no_collecting():
        session = botocore.session.get_session()
        session.register_component("data_loader", _PlainLoader(file_loader=_PlainFiles()))
        session.set_config_variable("sts_regional_endpoints", "regional")
        clients = [
            session.create_client(service, config=config, endpoint_url=own.get(service))
            for service, config in configs.items()
        ]
        gc.freeze()
    return clients
