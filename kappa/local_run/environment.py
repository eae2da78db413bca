"""The variables that a function sees: Lambda's, the config's, and the settings that lead to AWS.

Of the caller's environment, it gets these settings and where programs and libraries are. Pure.
Source: AWS Lambda guide, "Working with Lambda environment variables", defined runtime environment
variables; AWS SDKs and Tools reference, "Environment variables list".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kappa.config.model import Function

# Settings of the caller that decide which AWS is reached, and how.
_ROUTES = (
    "AWS_CA_BUNDLE",
    "AWS_DEFAULTS_MODE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
_PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy")
_NO_PROXY = ("NO_PROXY", "no_proxy")
_LIBRARIES = "LD_LIBRARY_PATH"
DEFAULT_TIMEOUT_S = 3
DEFAULT_MEMORY_MB = 128


class Surroundings(msgspec.Struct, frozen=True):
    """The parts of one process that its variables name. `address` is its Runtime API's."""

    code: Path
    clients: Path
    temporary: Path
    address: str
    log_stream: str
    region: str
    credentials: Mapping[str, str]


def variables(function: Function, place: Surroundings, caller: Mapping[str, str]) -> dict[str, str]:
    """Put together what the process sees; `caller` is kappa's own environment."""
    own = {
        name: local_paths(value, place.code) for name, value in (function.environment or {}).items()
    }
    return {
        **_routes(caller),
        **_lambdas(function, place, caller),
        **place.credentials,
        **own,
        **_without_proxy(caller, own),
    }


def _lambdas(function: Function, place: Surroundings, caller: Mapping[str, str]) -> dict[str, str]:
    """Lambda's own variables. Only a managed runtime names itself."""
    managed = not function.runtime.startswith("provided")
    code = str(place.code)
    libraries = [code, f"{code}/lib", *filter(None, [caller.get(_LIBRARIES, "")])]
    return {
        "AWS_DEFAULT_REGION": place.region,
        **({"AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}"} if managed else {}),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb(function)),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        "AWS_LAMBDA_RUNTIME_API": place.address,
        "AWS_REGION": place.region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        # The SDKs would read ~/.aws there, which no function on AWS has.
        "HOME": str(place.temporary),
        "LAMBDA_RUNTIME_DIR": str(place.clients),
        "LAMBDA_TASK_ROOT": code,
        "LANG": "en_US.UTF-8",
        _LIBRARIES: ":".join(libraries),
        "PATH": caller.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "TMPDIR": str(place.temporary),
        "TZ": ":UTC",
        "_HANDLER": function.handler,
        **_log_format(function),
    }


def _log_format(function: Function) -> dict[str, str]:
    """How a runtime logs; only JSON has a level.

    Source: AWS Lambda guide, "Log and monitor Python Lambda functions"; "Log-level filtering", for
    the level that Lambda sets by itself.
    """
    logging = function.logging
    if logging is None or logging.format != "JSON":
        return {"AWS_LAMBDA_LOG_FORMAT": "Text"}
    level = logging.application_level or "INFO"
    return {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": level}


def _routes(caller: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in caller.items()
        if name in _ROUTES or name in _PROXIES or name.startswith("AWS_ENDPOINT_URL")
    }


def _without_proxy(caller: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Where there is a proxy, the Runtime API is reached without it."""
    given = {**caller, **own}
    if not any(given.get(name) for name in _PROXIES):
        return {}
    return {name: ",".join(filter(None, [given.get(name, ""), "127.0.0.1"])) for name in _NO_PROXY}


def memory_mb(function: Function) -> int:
    """The memory that the function gets. Source: AWS Lambda API reference, "CreateFunction"."""
    return function.memory_size or DEFAULT_MEMORY_MB


def timeout_s(function: Function) -> int:
    """How long the function may run. Source: AWS Lambda API reference, "CreateFunction"."""
    return function.timeout or DEFAULT_TIMEOUT_S


def local_paths(text: str, code: Path) -> str:
    """Put the unpacked code in place of Lambda's folder of the code, /var/task."""
    return re.sub(r"(?<![^:=,])/var/task(?=[/:,]|$)", lambda _: str(code), text)
