"""What is left out of a config, which has no key for it: read it and name it. It only reads.

Owns the words of what is left as it is on AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec

from kappa.aws import Aws
from kappa.errors import AwsError, NotFound
from kappa.function.version_state import read_users
from kappa.sources.unknown_settings import as_text, list_unknown

# What a config expresses of the code, and what AWS only reports.
_CODE: Mapping[str, tuple[str, ...] | None] = dict.fromkeys(
    ("ImageUri", "Location", "RepositoryType", "ResolvedImageUri")
)


def unknown_settings(function: Mapping[str, Any]) -> list[str]:
    """Name the settings of GetFunction's answer that a config has no key for."""
    tags = {k: v for k, v in function.get("Tags", {}).items() if k.startswith("aws:")}
    return [
        *list_unknown(function.get("Code", {}), _CODE),
        *([f"AWS's own tags: {as_text(tags)}"] if tags else []),
        *(
            [f"tags: {function['TagsError'].get('Message', '')} (it takes lambda:ListTags)"]
            if "TagsError" in function
            else []
        ),
    ]


def read_without_key(aws: Aws, name: str, *, image: bool = False) -> tuple[str, ...]:
    """Name what else hangs on a function: each read may be refused, which is named as well."""
    settings = [setting for setting in _SETTINGS if not (image and setting.what == _PIN)]
    reads: list[Callable[[], list[str]]] = [
        lambda: _read_aliases(aws, name),
        lambda: _read_provisioned(aws, name),
        lambda: _read_versions(aws, name),
        *(partial(_read_setting, aws, name, setting) for setting in settings),
    ]
    with ThreadPoolExecutor(len(reads)) as pool:
        return tuple(text for texts in pool.map(lambda read: read(), reads) for text in texts)


def _named(what: str, ask: Callable[[], list[str]]) -> list[str]:
    try:
        return ask()
    except NotFound:
        return []
    except AwsError as error:
        return [f"{what}, if there is any: {error.message}"]


def _read_aliases(aws: Aws, name: str) -> list[str]:
    doing, params = f"reading the aliases of {name}", {"FunctionName": name}

    def ask() -> list[str]:
        listed = aws.pages("lambda", "list_aliases", doing, "Aliases", params)
        return [
            f"alias {alias['Name']} of version {alias['FunctionVersion']}, and what is bound to it"
            for alias in listed
        ]

    return _named("aliases", ask)


def _read_provisioned(aws: Aws, name: str) -> list[str]:
    what, key = "provisioned concurrency", "ProvisionedConcurrencyConfigs"
    operation = "list_provisioned_concurrency_configs"

    def ask() -> list[str]:
        params = {"FunctionName": name}
        listed = aws.pages("lambda", operation, f"reading the {what} of {name}", key, params)
        return [
            f"{what}: {config.get('RequestedProvisionedConcurrentExecutions')} of "
            f"{config['FunctionArn'].rsplit(':', 1)[-1]}"
            for config in listed
        ]

    return _named(what, ask)


def _read_versions(aws: Aws, name: str) -> list[str]:
    """Name what invokes a published version by its number: the function itself does not show it."""
    doing, params = f"reading the versions of {name}", {"FunctionName": name}

    def ask() -> list[str]:
        listed = aws.pages("lambda", "list_versions_by_function", doing, "Versions", params)
        versions = [version["Version"] for version in listed]
        numbers = [number for number in versions if number != "$LATEST"]
        users = read_users(aws, name, numbers)
        return [f"version {number}: {user}" for number, user in users.items()]

    return _named("what invokes versions", ask)


class _Setting(msgspec.Struct, frozen=True):
    """A setting that a call of its own answers; `words` is "" where it is as every function's."""

    what: str
    operation: str
    words: Callable[[Mapping[str, Any]], str]


def _recursion(answer: Mapping[str, Any]) -> str:
    loop = str(answer.get("RecursiveLoop") or "")
    return "" if loop == "Terminate" else loop


def _pin(answer: Mapping[str, Any]) -> str:
    when = answer.get("UpdateRuntimeOn") or ""
    arn = answer.get("RuntimeVersionArn") or ""
    return "" if when in ("", "Auto") else f"{when} {arn}".rstrip()


_PIN = "runtime pin"
_SETTINGS = (
    _Setting(
        "code signing",
        "get_function_code_signing_config",
        lambda answer: str(answer.get("CodeSigningConfigArn") or ""),
    ),
    _Setting("recursion setting", "get_function_recursion_config", _recursion),
    _Setting(_PIN, "get_runtime_management_config", _pin),
)


def _read_setting(aws: Aws, name: str, setting: _Setting) -> list[str]:
    doing, params = f"reading the {setting.what} of {name}", {"FunctionName": name}

    def ask() -> list[str]:
        words = setting.words(aws.call("lambda", setting.operation, doing, params))
        return [f"{setting.what}: {words}"] if words else []

    return _named(setting.what, ask)
