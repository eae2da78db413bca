"""Detect answers that come from a proxy or a sign-in page instead of AWS.

The SDK accepts nearly anything as an answer, so such a page could pass for an invocation's result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kappa.aws.translate import FOREIGN_HINT
from kappa.errors import AwsError
from kappa.texts import read_json

_EXCERPT = 120
# Members that kappa reads and that AWS always sends.
_REQUIRED = frozenset(
    {
        "Aliases",
        "Configuration",
        "EventSourceMappings",
        "FunctionArn",
        "FunctionUrl",
        "Functions",
        "Statement",
        "UUID",
        "Versions",
        "logGroups",
        "logStreams",
    }
)
_ERROR_KEYS = ("__type", "code", "Code", "message", "Message", "Type")
_KINDS: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "character": (str,),
    "blob": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
}


def checker(address: str) -> Callable[..., None]:
    """Create the check that the SDK runs before it parses an answer; `address` is the URL.

    The check raises AwsError if the answer is not from AWS.
    """

    def check(response_dict: Mapping[str, Any], operation_model: Any, **_: Any) -> None:  # noqa: ANN401
        status, headers = response_dict["status_code"], response_dict["headers"]
        if status >= 500 or _has_request_id(headers):  # the SDK tries a failing server again
            return
        if _is_foreign(response_dict, operation_model):
            raise AwsError(
                f"{address} did not answer as AWS does: {_describe(response_dict)}.", FOREIGN_HINT
            )

    return check


def _has_request_id(headers: Mapping[str, str]) -> bool:
    """Whether the answer has a request id, as every answer of AWS does.

    Source: AWS SDKs and Tools reference; Amazon S3 API reference, "Common response headers".
    """
    names = {name.lower() for name in headers}
    return bool(names & {"x-amzn-requestid", "x-amz-request-id"})


def _is_foreign(answer: Mapping[str, Any], operation: Any) -> bool:  # noqa: ANN401
    status, body = answer["status_code"], answer["body"]
    kind = str({k.lower(): v for k, v in answer["headers"].items()}.get("content-type", ""))
    if "html" in kind.lower() or (300 <= status < 400 and status != 304):
        return True
    if operation.name == "Invoke":  # a function's result may be anything: only the id identifies it
        return True
    if not isinstance(body, bytes):  # the body is a stream that the caller reads later
        return False
    if not body.strip():
        return _lacks_body(operation, status)
    if "json" in operation.service_model.resolved_protocol:
        return not _fits(body, operation.output_shape, status)
    return not _fits_xml(body.strip(), operation.output_shape, status)


def _lacks_body(operation: Any, status: int) -> bool:  # noqa: ANN401
    if operation.http.get("method") == "HEAD" or status in (202, 204, 304):
        return False
    if status >= 300:
        return bool(operation.service_model.resolved_protocol != "rest-xml")
    return bool(_members(operation.output_shape))


def _members(shape: Any) -> dict[str, Any]:  # noqa: ANN401
    """The members of an answer that are in its body, by their names there."""
    members = {} if shape is None else shape.members
    return {
        member.serialization.get("name", name): member
        for name, member in members.items()
        if "location" not in member.serialization
    }


def _fits_xml(text: bytes, shape: Any, status: int) -> bool:  # noqa: ANN401
    """Whether a body is an answer in XML: an error or the operation's result."""
    if text[:1] != b"<":
        return shape is not None and "payload" in shape.serialization
    if re.match(rb"<(!doctype\s+html|html)\b", text, re.IGNORECASE):
        return False
    if status >= 300:
        return b"<Error" in text
    wrapper = shape.serialization.get("resultWrapper", "") if shape is not None else ""
    return wrapper.encode() in text


def _fits(text: bytes, shape: Any, status: int) -> bool:  # noqa: ANN401
    """Whether a body is an answer in JSON: an error or the operation's result."""
    try:
        value = read_json(text)
    except ValueError:
        return False
    if not isinstance(value, dict):
        return False
    if status >= 300:
        texts = [value.get(key) for key in _ERROR_KEYS]
        return any(texts) and all(text is None or isinstance(text, str) for text in texts)
    members = _members(shape)
    if not members or "payload" in shape.serialization:
        return True
    is_complete = bool(members.keys() & value) and value.keys() >= members.keys() & _REQUIRED
    return is_complete and _has_types(value, shape)


def _has_types(value: object, shape: Any) -> bool:  # noqa: ANN401
    """Whether JSON has the types of the model; null and unknown members always pass."""
    kinds = _KINDS.get(shape.type_name)
    if value is None or kinds is None:
        return True
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return False
    if shape.type_name == "structure" and isinstance(value, dict):
        return all(_has_types(value.get(name), member) for name, member in _members(shape).items())
    if isinstance(value, list):
        return all(_has_types(item, shape.member) for item in value)
    return not isinstance(value, dict) or all(
        _has_types(item, shape.value) for item in value.values()
    )


def _describe(answer: Mapping[str, Any]) -> str:
    """Describe the answer: its status and the first words of its text."""
    body = answer["body"]
    if not isinstance(body, bytes):
        body = body.read(10_000)
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", body.decode("utf-8", "replace"),
                  flags=re.DOTALL | re.IGNORECASE)  # fmt: skip
    text = " ".join(text.split())
    short = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}..."
    return f"status {answer['status_code']}" + (f', "{short}"' if short else "")
