"""One client for calls to many regions: only the endpoint and the signature differ.

It owns how a call reaches another region than its client's. Creating a client takes longer than a
call, and each client loads all certificates again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from kappa.errors import AwsError

if TYPE_CHECKING:
    from botocore.session import Session

_REGION: ContextVar[str] = ContextVar("region")


def may_share_client(session: Session) -> bool:
    """Whether the SDK resolves the endpoint at each call, by the region.

    With a user's own endpoints.json it resolves it only when a client is created.
    """
    loader = session.get_component("data_loader")
    _, path = loader.load_data_with_path("endpoints")
    return bool(loader.is_builtin_path(path))


def follow(client: Any) -> None:  # noqa: ANN401 - made at run time
    """Send each call of a client to the region that `calling` sets."""
    client.meta.events.register("before-endpoint-resolution", _go_to_region)
    client.meta.events.register("before-call", _check_region)


@contextmanager
def calling(region: str) -> Iterator[None]:
    """Send the calls of this thread to a region, for as long as the context lasts."""
    token = _REGION.set(region)
    try:
        yield
    finally:
        _REGION.reset(token)


def address(client: Any) -> str:  # noqa: ANN401
    """Return the URL that a client calls, in the region that `calling` sets."""
    own = client.meta.region_name
    return str(client.meta.endpoint_url).replace(own, _REGION.get(own))


def _go_to_region(builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401
    """Set the region of the endpoint and of the signature."""
    builtins["AWS::Region"] = _REGION.get()
    context["signing"] = {**context.get("signing", {}), "region": _REGION.get()}


def _check_region(context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401
    """Refuse a call if the SDK ignored the region; the wrong region would answer."""
    if context.get("signing", {}).get("region") != _REGION.get():
        raise AwsError(f"This version of botocore cannot call {_REGION.get()} from another region.")
