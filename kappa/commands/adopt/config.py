"""An existing function in the words of a config. Pure: it neither asks nor writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.aws.unknown_settings import list_unknown
from kappa.commands.adopt.found import Adopted, Found
from kappa.commands.adopt.rights import iam, left_of_role, permissions
from kappa.sources import url

_ASYNC_KEYS: Mapping[str, tuple[str, ...] | None] = {
    **dict.fromkeys(
        ("FunctionArn", "LastModified", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    ),
    "DestinationConfig": ("OnFailure", "OnSuccess"),
}


def as_config(found: Found, path: str, requirements: bool) -> Adopted:
    """Put a function into the words of a config. `path` is where its code lies, "" for none.

    `requirements`: the code holds a requirements.txt, which is installed already.
    """
    address = url.adopt(found.url, found.statements)
    section = next(iter(address.sections), {})
    grants = permissions(found, section)
    function = {
        **_settings(found.function, path),
        **grants.config,
        "event_sources": found.sources or None,
        "url": section or None,
        "async": _asynchronous(found.asynchronous),
        "log_retention_days": found.log_days,
        "requirements": [] if requirements else None,
    }
    left_out = (
        *grants.left_out,
        *address.left_out,
        *list_unknown(found.asynchronous or {}, _ASYNC_KEYS, "asynchronous calls: "),
        *left_of_role(found),
        *found.rest,
    )
    return Adopted({"iam": iam(found), "lambda": function}, left_out)


def _settings(function: Mapping[str, Any], path: str) -> dict[str, Any]:
    has = function["Configuration"]
    tags = {k: v for k, v in function.get("Tags", {}).items() if not k.startswith("aws:")}
    storage = has.get("EphemeralStorage", {}).get("Size")
    snap_start = has.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions"
    return {
        "name": has["FunctionName"],
        "description": has.get("Description") or None,
        "path": path or None,
        "handler": has.get("Handler") or None,
        "runtime": has.get("Runtime") or None,
        "image": _image(function),
        "architectures": has.get("Architectures"),
        "memory_size": has.get("MemorySize"),
        "timeout": has.get("Timeout"),
        "ephemeral_storage_mb": storage if storage != 512 else None,
        "environment": has.get("Environment", {}).get("Variables") or None,
        "layers": [one["Arn"] for one in has.get("Layers", ())] or None,
        "vpc": _vpc(has.get("VpcConfig", {})),
        "tracing": "Active" if has.get("TracingConfig", {}).get("Mode") == "Active" else None,
        "kms_key": has.get("KMSKeyArn") or None,
        "tags": tags or None,
        "reserved_concurrency": function.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "dead_letter": has.get("DeadLetterConfig", {}).get("TargetArn") or None,
        "logging": _logging(has),
        "snap_start": True if snap_start else None,
    }


def _image(function: Mapping[str, Any]) -> dict[str, Any] | None:
    uri = function.get("Code", {}).get("ImageUri")
    if not uri:
        return None
    has = function["Configuration"].get("ImageConfigResponse", {}).get("ImageConfig", {})
    return {
        "uri": uri,
        "command": has.get("Command") or None,
        "entry_point": has.get("EntryPoint") or None,
        "working_directory": has.get("WorkingDirectory") or None,
    }


def _vpc(has: Mapping[str, Any]) -> dict[str, Any] | None:
    if not has.get("SubnetIds"):
        return None
    return {
        "subnet_ids": has["SubnetIds"],
        "security_group_ids": has["SecurityGroupIds"],
        "ipv6": True if has.get("Ipv6AllowedForDualStack") else None,
    }


def _logging(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    has = settings.get("LoggingConfig", {})
    group = has.get("LogGroup")
    said = {
        "format": has.get("LogFormat") if has.get("LogFormat") == "JSON" else None,
        "application_level": has.get("ApplicationLogLevel"),
        "system_level": has.get("SystemLogLevel"),
        "group": group if group != f"/aws/lambda/{settings['FunctionName']}" else None,
    }
    return said if any(said.values()) else None


def _asynchronous(has: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if has is None:
        return None
    to = has.get("DestinationConfig", {})
    said = {
        "maximum_retry_attempts": has.get("MaximumRetryAttempts"),
        "maximum_event_age_s": has.get("MaximumEventAgeInSeconds"),
        "on_failure": to.get("OnFailure", {}).get("Destination"),
        "on_success": to.get("OnSuccess", {}).get("Destination"),
    }
    return said if any(value is not None for value in said.values()) else None
