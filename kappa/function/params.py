"""The function's settings as parameters of AWS's calls, desired and current. Pure.

It owns the names and shapes of the parameters of CreateFunction and UpdateFunctionConfiguration,
and of those that name a function in any call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kappa.config.model import Config, Function
from kappa.errors import ConfigError

_LOG_LEVELS = ("ApplicationLogLevel", "SystemLogLevel")
_TRACING: Mapping[str | bool | None, str | None] = {
    None: None,
    True: "Active",
    False: "PassThrough",
    "Active": "Active",
    "PassThrough": "PassThrough",
}
# Everything that these calls set, except the code.
SETTINGS = (
    "Runtime",
    "Role",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "Environment",
    "EphemeralStorage",
    "Layers",
    "VpcConfig",
    "TracingConfig",
    "KMSKeyArn",
    "DeadLetterConfig",
    "LoggingConfig",
    "SnapStart",
    "ImageConfig",
)
_SNAP_START = {None: None, True: "PublishedVersions", False: "None"}


def function_params(name: str, qualifier: str = "") -> dict[str, str]:
    """The parameters that name a function, or one of its versions or aliases."""
    return {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})


def desired(config: Config, role_arn: str, actual: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the config names.

    `actual` is GetFunction's Configuration. A call replaces a structure such as LoggingConfig as a
    whole, so the keys that the config leaves open are repeated from `actual`.
    """
    function = config.function
    params: dict[str, Any] = {
        "Runtime": function.runtime or None,
        "Role": role_arn or None,
        "Handler": function.handler or None,
        "Description": function.description,
        "Timeout": function.timeout,
        "MemorySize": function.memory_size,
        "Environment": _wrap("Variables", function.environment),
        "EphemeralStorage": _wrap("Size", function.ephemeral_storage_mb),
        "Layers": None if function.layers is None else list(function.layers),
        "VpcConfig": _vpc(function, actual),
        "TracingConfig": _wrap("Mode", _TRACING[function.tracing]),
        "KMSKeyArn": function.kms_key,
        "DeadLetterConfig": _wrap("TargetArn", function.dead_letter),
        "LoggingConfig": _logging(function, actual),
        "SnapStart": _wrap("ApplyOn", _SNAP_START[function.snap_start]),
        "ImageConfig": _image(function, actual),
    }
    return {key: value for key, value in params.items() if value is not None}


def first_settings(config: Config, role_arn: str) -> dict[str, Any]:
    """The settings of a new function.

    Raises: ConfigError, if it would have no role.
    """
    if not role_arn:
        name = config.function.name
        raise ConfigError(
            f"{config.file}: the function {name} does not exist, and to make it kappa needs "
            "a role.",
            "Add `iam:` with `role: {name: ...}`, and with a `policy:` that gives it rights.",
        )
    return desired(config, role_arn, {})


def _wrap(name: str, value: object) -> dict[str, Any] | None:
    return None if value is None else {name: value}


def _vpc(function: Function, actual: Mapping[str, Any]) -> dict[str, Any] | None:
    vpc = function.vpc
    if vpc is None:
        return None
    ipv6 = current(actual, "VpcConfig")["Ipv6AllowedForDualStack"] and bool(vpc.subnet_ids)
    return {
        "SubnetIds": sorted(vpc.subnet_ids),
        "SecurityGroupIds": sorted(vpc.security_group_ids),
        "Ipv6AllowedForDualStack": ipv6 if vpc.ipv6 is None else vpc.ipv6,
    }


def _logging(function: Function, actual: Mapping[str, Any]) -> dict[str, Any] | None:
    logging = function.logging
    if logging is None:
        return None
    group = f"/aws/lambda/{function.name}"
    named = {
        "LogFormat": logging.format,
        "ApplicationLogLevel": logging.application_level,
        "SystemLogLevel": logging.system_level,
        "LogGroup": logging.group,
    }
    configured = {key: value for key, value in named.items() if value}
    default = {"LogFormat": "Text", "LogGroup": group}
    if not configured:
        return default
    params = {**default, **actual.get("LoggingConfig", {}), **configured}
    # Source: AWS Lambda guide, "Log-level filtering": JSON format only.
    levels = _LOG_LEVELS if params["LogFormat"] == "Text" else ()
    return {key: value for key, value in params.items() if key not in levels}


def _image(function: Function, actual: Mapping[str, Any]) -> dict[str, Any] | None:
    image = function.image
    if image is None:
        return None
    named = {
        "Command": None if image.command is None else list(image.command),
        "EntryPoint": None if image.entry_point is None else list(image.entry_point),
        "WorkingDirectory": image.working_directory,
    }
    configured = {key: value for key, value in named.items() if value is not None}
    return {**current(actual, "ImageConfig"), **configured} if configured else None


def current(actual: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - whatever the setting is
    """One setting of GetFunction's Configuration, in the shape of the calls that set it.

    A setting that AWS leaves out of its answer has AWS's default.
    """
    read = _CURRENT.get(key)
    return (
        read(actual)
        if read
        else actual.get(key, "" if key in ("Description", "KMSKeyArn") else None)
    )


def _current_vpc(actual: Mapping[str, Any]) -> dict[str, Any]:
    vpc = actual.get("VpcConfig") or {}
    return {
        "SubnetIds": sorted(vpc.get("SubnetIds", [])),
        "SecurityGroupIds": sorted(vpc.get("SecurityGroupIds", [])),
        "Ipv6AllowedForDualStack": bool(vpc.get("Ipv6AllowedForDualStack", False)),
    }


def _current_logging(actual: Mapping[str, Any]) -> dict[str, Any]:
    default = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{actual.get('FunctionName', '')}"}
    return {**default, **actual.get("LoggingConfig", {})}


def _current_image(actual: Mapping[str, Any]) -> dict[str, Any]:
    image = actual.get("ImageConfigResponse", {}).get("ImageConfig", {})
    empty: dict[str, Any] = {"Command": [], "EntryPoint": [], "WorkingDirectory": ""}
    return {key: image.get(key, default) for key, default in empty.items()}


_CURRENT: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "Environment": lambda answer: {"Variables": answer.get("Environment", {}).get("Variables", {})},
    "EphemeralStorage": lambda answer: {
        "Size": answer.get("EphemeralStorage", {}).get("Size", 512)
    },
    "Layers": lambda answer: [layer["Arn"] for layer in answer.get("Layers", [])],
    "VpcConfig": _current_vpc,
    "TracingConfig": lambda answer: {
        "Mode": answer.get("TracingConfig", {}).get("Mode", "PassThrough")
    },
    "DeadLetterConfig": lambda answer: {
        "TargetArn": answer.get("DeadLetterConfig", {}).get("TargetArn", "")
    },
    "LoggingConfig": _current_logging,
    "SnapStart": lambda answer: {"ApplyOn": answer.get("SnapStart", {}).get("ApplyOn", "None")},
    "ImageConfig": _current_image,
}
