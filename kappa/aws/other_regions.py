"""One client for the calls to many regions: only their address and signature differ.

Owns how a call goes to another region than its client's. To make a client takes longer than a call,
and each client reads all certificates anew.
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
    """Whether the SDK looks for the address at each call, by the region.

    With a user's own endpoints.json it looks only when a client is made.
    """
    loader = session.get_component("data_loader")
    _, path = loader.load_data_with_path("endpoints")
    return bool(loader.is_builtin_path(path))


def follow(client: Any) -> None:  # noqa: ANN401 - made at run time
    """Let each call of a client go to the region that `calling` names."""
    client.meta.events.register("before-endpoint-resolution", _go_to_region)
    client.meta.events.register("before-call", _check_region)


@contextmanager
def calling(region: str) -> Iterator[None]:
    """Send to this region what this thread calls meanwhile."""
    token = _REGION.set(region)
    try:
        yield
    finally:
        _REGION.reset(token)


def address(client: Any) -> str:  # noqa: ANN401
    """Name the address that a client calls, in the region that `calling` names."""
    own = client.meta.region_name
    return str(client.meta.endpoint_url).replace(own, _REGION.get(own))


def _go_to_region(builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401
    """Set what the SDK's rules make the address of, and the region of the signature."""
    builtins["AWS::Region"] = _REGION.get()
    context["signing"] = {**context.get("signing", {}), "region": _REGION.get()}


def _check_region(context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401
    """Stop a call of an SDK that has not asked for the region: the wrong region would answer."""
    if context.get("signing", {}).get("region") != _REGION.get():
        raise AwsError(f"This version of botocore cannot call {_REGION.get()} from another region.")
