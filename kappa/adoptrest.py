"""What a function has that a config has no key for: read it and name it. It only reads.

Owns the words of what is left as it is on AWS. A setting that AWS will have one day is named too,
by AWS's own name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kappa.aws import Aws
from kappa.errors import AwsError, NotFound

# What a config expresses of a function, and what AWS only reports; None: the whole of it.
_FUNCTION: Mapping[str, tuple[str, ...] | None] = {
    **dict.fromkeys(
        (
            "Architectures",
            "CodeSha256",
            "CodeSize",
            "ConfigSha256",
            "Description",
            "FunctionArn",
            "FunctionName",
            "Handler",
            "KMSKeyArn",
            "LastModified",
            "LastUpdateStatus",
            "LastUpdateStatusReason",
            "LastUpdateStatusReasonCode",
            "Layers",
            "MasterArn",
            "MemorySize",
            "PackageType",
            "RevisionId",
            "Role",
            "Runtime",
            "RuntimeVersionConfig",
            "SigningJobArn",
            "SigningProfileVersionArn",
            "State",
            "StateReason",
            "StateReasonCode",
            "Timeout",
            "Version",
        )
    ),
    "DeadLetterConfig": ("TargetArn",),
    "Environment": ("Variables",),
    "EphemeralStorage": ("Size",),
    "ImageConfigResponse": ("ImageConfig",),
    "LoggingConfig": ("ApplicationLogLevel", "LogFormat", "LogGroup", "SystemLogLevel"),
    "SnapStart": ("ApplyOn", "OptimizationStatus"),
    "TracingConfig": ("Mode",),
    "VpcConfig": ("Ipv6AllowedForDualStack", "SecurityGroupIds", "SubnetIds", "VpcId"),
}
_CODE: Mapping[str, tuple[str, ...] | None] = dict.fromkeys(
    ("ImageUri", "Location", "RepositoryType", "ResolvedImageUri")
)
_WORDS = {
    "CapacityProviderConfig": "capacity provider",
    "DurableConfig": "durable execution",
    "FileSystemConfigs": "file system",
    "ResolvedS3Object": "code in S3",
    "SourceKMSKeyArn": "key of the zip",
    "TenancyConfig": "tenant isolation",
}


def unknown(
    has: Mapping[str, Any], known: Mapping[str, tuple[str, ...] | None], of: str = ""
) -> list[str]:
    """Name what AWS says of a thing beyond the keys that are known; `of` begins each."""
    found = []
    for key, value in has.items():
        inner = known.get(key)
        if key == "ResponseMetadata":
            continue
        if key not in known:
            rest = value
        elif inner is not None and isinstance(value, Mapping):
            rest = {name: one for name, one in value.items() if name not in inner}
        else:
            continue
        if _holds(rest):
            found.append(f"{of}{_WORDS.get(key, key)}: {as_text(rest)}")
    return found


def _holds(value: object) -> bool:
    """Whether a value says anything: {"Configs": []} does not."""
    if isinstance(value, Mapping):
        return any(map(_holds, value.values()))
    return bool(value)


def as_text(value: object) -> str:
    """Write a value on one line: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def unknown_settings(function: Mapping[str, Any]) -> list[str]:
    """Name the settings of GetFunction's answer that a config has no key for."""
    tags = {k: v for k, v in function.get("Tags", {}).items() if k.startswith("aws:")}
    return [
        *unknown(function["Configuration"], _FUNCTION),
        *unknown(function.get("Code", {}), _CODE),
        *([f"AWS's own tags: {as_text(tags)}"] if tags else []),
        *(
            [f"tags: {function['TagsError'].get('Message', '')} (it takes lambda:ListTags)"]
            if "TagsError" in function
            else []
        ),
    ]


def read_rest(aws: Aws, name: str, *, image: bool = False) -> tuple[str, ...]:
    """Name what else hangs on a function: each read may be refused, which is named as well."""
    reads: tuple[Callable[[Aws, str], list[str]], ...] = (
        _read_aliases,
        _read_provisioned,
        _read_signing,
        _read_recursion,
        *(() if image else (_read_runtime,)),
    )
    with ThreadPoolExecutor(len(reads)) as pool:
        return tuple(
            one for found in pool.map(lambda read: read(aws, name), reads) for one in found
        )


def _asked(what: str, ask: Callable[[], list[str]]) -> list[str]:
    try:
        return ask()
    except NotFound:
        return []
    except AwsError as error:
        return [f"{what}, if there is any: {error.message}"]


def _call(aws: Aws, what: str, operation: str, name: str) -> dict[str, Any]:
    return aws.call("lambda", operation, f"reading the {what} of {name}", {"FunctionName": name})


def _read_aliases(aws: Aws, name: str) -> list[str]:
    doing, params = f"reading the aliases of {name}", {"FunctionName": name}

    def ask() -> list[str]:
        listed = aws.pages("lambda", "list_aliases", doing, "Aliases", params)
        return [
            f"alias {one['Name']} of version {one['FunctionVersion']}, and what is bound to it"
            for one in listed
        ]

    return _asked("aliases", ask)


def _read_provisioned(aws: Aws, name: str) -> list[str]:
    what, key = "provisioned concurrency", "ProvisionedConcurrencyConfigs"
    operation = "list_provisioned_concurrency_configs"

    def ask() -> list[str]:
        params = {"FunctionName": name}
        listed = aws.pages("lambda", operation, f"reading the {what} of {name}", key, params)
        return [
            f"{what}: {one.get('RequestedProvisionedConcurrentExecutions')} of "
            f"{one['FunctionArn'].rsplit(':', 1)[-1]}"
            for one in listed
        ]

    return _asked(what, ask)


def _read_signing(aws: Aws, name: str) -> list[str]:
    what = "code signing"

    def ask() -> list[str]:
        answer = _call(aws, what, "get_function_code_signing_config", name)
        arn = answer.get("CodeSigningConfigArn")
        return [f"{what}: {arn}"] if arn else []

    return _asked(what, ask)


def _read_recursion(aws: Aws, name: str) -> list[str]:
    what = "recursion setting"

    def ask() -> list[str]:
        loop = _call(aws, what, "get_function_recursion_config", name).get("RecursiveLoop")
        return [f"{what}: {loop}"] if loop not in (None, "Terminate") else []

    return _asked(what, ask)


def _read_runtime(aws: Aws, name: str) -> list[str]:
    what = "runtime pin"

    def ask() -> list[str]:
        answer = _call(aws, what, "get_runtime_management_config", name)
        when = answer.get("UpdateRuntimeOn")
        pin = f"{what}: {when} {answer.get('RuntimeVersionArn') or ''}".rstrip()
        return [pin] if when not in (None, "Auto") else []

    return _asked(what, ask)
