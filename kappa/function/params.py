"""The function's settings as parameters of AWS's calls, desired and current. Pure.

It owns what the table of settings does not say: the role, and log levels that go with JSON only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.config.settings import FUNCTION
from kappa.errors import ConfigError

_LOG_LEVELS = ("ApplicationLogLevel", "SystemLogLevel")


def function_params(name: str, qualifier: str = "") -> dict[str, str]:
    """The parameters that name a function, or one of its versions or aliases."""
    return {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})


def desired(config: Config, role_arn: str, actual: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the config names.

    `actual` is GetFunction's Configuration. A call replaces a structure such as LoggingConfig as a
    whole, so the keys that the config leaves open are repeated from `actual`.
    """
    sent = FUNCTION.sent(config.function, {"FunctionName": config.function.name, **actual})
    logging = sent.get("LoggingConfig", {})
    # Source: AWS Lambda guide, "Log-level filtering": JSON format only.
    if logging.get("LogFormat") == "Text":
        sent["LoggingConfig"] = {k: v for k, v in logging.items() if k not in _LOG_LEVELS}
    return {"Role": role_arn, **sent} if role_arn else sent


def current(actual: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - whatever the setting is
    """One setting of GetFunction's Configuration, in the shape of the calls that set it."""
    return actual.get("Role") if key == "Role" else FUNCTION.current(actual, key)


def differing(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    """The settings of a call that GetFunction's Configuration has otherwise."""
    rest = {key: value for key, value in expected.items() if key != "Role"}
    role = "Role" in expected and expected["Role"] != actual.get("Role")
    return [*(["Role"] if role else []), *FUNCTION.differing(rest, actual)]


def first_settings(config: Config, role_arn: str) -> dict[str, Any]:
    """The settings of a new function, as far as they set something.

    Raises: ConfigError, if it would have no role.
    """
    if not role_arn:
        name = config.function.name
        raise ConfigError(
            f"{config.file}: the function {name} does not exist, and to make it kappa needs "
            "a role.",
            "Add `iam:` with `role: {name: ...}`, and with a `policy:` that gives it rights.",
        )
    return {
        key: value
        for key, value in desired(config, role_arn, {}).items()
        if key == "Role" or FUNCTION.sets(key, value)
    }
