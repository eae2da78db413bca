"""Tell AWS's answers from what a proxy or a sign-in page sends in their place.

The SDK takes nearly anything for an answer: a page becomes the result of an invocation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kappa.awserrors import FOREIGN_HINT
from kappa.errors import AwsError
from kappa.texts import read_json

_EXCERPT = 120


def checker(address: str) -> Callable[..., None]:
    """Make what the SDK runs before it reads an answer of this address.

    Raises: AwsError, when the answer is not AWS's.
    """

    def check(response_dict: Mapping[str, Any], operation_model: Any, **_: Any) -> None:  # noqa: ANN401
        status, headers = response_dict["status_code"], response_dict["headers"]
        if status >= 500 or _has_request_id(headers):  # the SDK tries a failing server again
            return
        if _is_foreign(response_dict, operation_model):
            raise AwsError(
                f"{address} did not answer as AWS does: {_words(response_dict)}.", FOREIGN_HINT
            )

    return check


def _has_request_id(headers: Mapping[str, str]) -> bool:
    """Whether AWS has numbered the request, as it does each.

    Source: AWS SDKs and Tools reference; Amazon S3 API reference, "Common response headers".
    """
    names = {name.lower() for name in headers}
    return bool(names & {"x-amzn-requestid", "x-amz-request-id"})


def _is_foreign(answer: Mapping[str, Any], operation: Any) -> bool:  # noqa: ANN401
    status, body = answer["status_code"], answer["body"]
    kind = str({k.lower(): v for k, v in answer["headers"].items()}.get("content-type", ""))
    if "html" in kind.lower() or (300 <= status < 400 and status != 304):
        return True
    if not isinstance(body, bytes):  # a result that is read as it comes: the SDK asks for it
        return operation.name == "Invoke" and "json" not in kind.lower()
    text = body.strip()
    if text[:1] == b"<":
        return bool(re.match(rb"<(!doctype\s+html|html)\b", text, re.IGNORECASE))
    is_json = "json" in operation.service_model.resolved_protocol
    return bool(text) and not _fits(text, is_json, operation.output_shape, status)


def _fits(text: bytes, is_json: bool, shape: Any, status: int) -> bool:  # noqa: ANN401
    """Whether a body that is not XML reads as an answer of the operation."""
    if not is_json:
        return shape is not None and "payload" in shape.serialization
    try:
        value = read_json(text)
    except ValueError:
        return False
    if not isinstance(value, dict):
        return False
    if status >= 300 or not value or shape is None or "payload" in shape.serialization:
        return True
    names = {member.serialization.get("name", name) for name, member in shape.members.items()}
    return bool(names & set(value))


def _words(answer: Mapping[str, Any]) -> str:
    """Say what came instead: the status and the first words of the text."""
    body = answer["body"]
    if not isinstance(body, bytes):
        body = body.read(10_000)
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", body.decode("utf-8", "replace"),
                  flags=re.DOTALL | re.IGNORECASE)  # fmt: skip
    text = " ".join(text.split())
    short = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}..."
    return f"status {answer['status_code']}" + (f', "{short}"' if short else "")
