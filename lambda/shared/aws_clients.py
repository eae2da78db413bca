"""The AWS clients of a container, made in less than half of the time that botocore takes by itself.

Owns how clients are made, and what of botocore that loads. It must not know what a client is for.
Lambda waits for all of this before it hands over the first message of a new container.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Let the garbage collector wait: it would go through botocore's modules and models, which
    stay as long as the container, again and again.
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
# One try, and a short one, for who repeats a call by itself: what the call says depends on when it
# is made. DynamoDB answers in milliseconds (writes.LATE has the arithmetic).
ONE_TRY: Config = _CONFIG.merge(
    Config(
        connect_timeout=0.3,
        read_timeout=1,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
)


class _PlainFiles(JSONFileLoader):
    """Reads botocore's models as plain dicts, twice as fast as into OrderedDicts.

    Both keep the order of the file.
    """

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - whatever the file holds
        """Read a file, named without its ending; None if there is none."""
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            try:
                with opened(file_path + ending, "rb") as file:
                    return json.loads(file.read())
            except FileNotFoundError:
                continue
        return None


class _PlainLoader(Loader):
    """A loader that takes the folders' names as the list of services.

    botocore looks into each of 400 folders before it loads a model, only to know whether the
    service exists.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """Name all services, whatever they have a model of."""
        folders = (path for path in self.search_paths if Path(path).is_dir())
        return [name for path in folders for name in os.listdir(path)]  # noqa: PTH208 - half the time


def make_clients(configs: Mapping[str, Config]) -> list[Any]:
    """Make a client of each service, in their order. The collector never looks at them later."""
    with _no_collecting():
        session = botocore.session.get_session()
        session.register_component("data_loader", _PlainLoader(file_loader=_PlainFiles()))
        session.set_config_variable("sts_regional_endpoints", "regional")
        clients = [
            session.create_client(service, config=config) for service, config in configs.items()
        ]
        gc.freeze()
    return clients
