"""Read a function that exists and write it down as a config. It changes nothing.

Owns how AWS's words become a config's. How event sources are found is adoptsources.py's.
"""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kappa.adoptsources import read_sources
from kappa.archive import MAX_UNZIPPED_BYTES
from kappa.aws import Aws
from kappa.deployed import read_code
from kappa.errors import ArchiveError, NotFound
from kappa.permissions import Statement, read_statements
from kappa.resolved import as_yaml, plain
from kappa.starter import HEADER, SCHEMA, NewFiles, schema

_URL = "lambda:InvokeFunctionUrl"


@dataclass(frozen=True)
class Found:
    """All that AWS has of a function, as it says it."""

    function: Mapping[str, Any]
    statements: tuple[Statement, ...]
    sources: list[dict[str, Any]]
    role: Mapping[str, Any]
    policy: Mapping[str, Any] | None
    asynchronous: Mapping[str, Any] | None
    url: Mapping[str, Any] | None
    log_days: int | None
    zipped: bytes | None


def read(aws: Aws, name: str) -> Found:
    """Read a function with its role, permissions, event sources and code.

    Raises: NotFound, if there is none of this name; AwsError.
    """
    doing, params = f"reading the function {name}", {"FunctionName": name}
    function = aws.call("lambda", "get_function", doing, params)
    settings = function["Configuration"]

    def maybe(operation: str) -> dict[str, Any] | None:
        return _found(lambda: aws.call("lambda", operation, doing, params))

    with ThreadPoolExecutor(6) as pool:
        statements = pool.submit(read_statements, aws, name)
        role = pool.submit(_read_role, aws, settings["Role"])
        asynchronous = pool.submit(maybe, "get_function_event_invoke_config")
        url = pool.submit(maybe, "get_function_url_config")
        log_days = pool.submit(_read_log_days, aws, settings)
        zipped = pool.submit(read_code, aws, function.get("Code", {}).get("Location", ""), name)
        arn = settings["FunctionArn"]
        return Found(
            function=function,
            statements=statements.result(),
            sources=read_sources(aws, arn, statements.result()),
            role=role.result()[0],
            policy=role.result()[1],
            asynchronous=asynchronous.result(),
            url=url.result(),
            log_days=log_days.result(),
            zipped=None if settings.get("PackageType") == "Image" else zipped.result(),
        )


def _found(ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return ask()
    except NotFound:
        return None


def _read_role(aws: Aws, arn: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read the role and, if it is all that the role has, its one policy with its document."""
    name = arn.rsplit("/", 1)[-1]
    doing, params = f"reading the role {name}", {"RoleName": name}
    role: dict[str, Any] = aws.call("iam", "get_role", doing, params)["Role"]
    attached = aws.pages("iam", "list_attached_role_policies", doing, "AttachedPolicies", params)
    inline = aws.pages("iam", "list_role_policies", doing, "PolicyNames", params)
    if len(attached) != 1 or inline:
        return role, None
    which = {"PolicyArn": attached[0]["PolicyArn"]}
    policy: dict[str, Any] = aws.call("iam", "get_policy", doing, which)["Policy"]
    if ":aws:policy/" in policy["Arn"]:
        return role, policy
    version = {**which, "VersionId": policy["DefaultVersionId"]}
    answer = aws.call("iam", "get_policy_version", doing, version)
    return role, {**policy, "Document": answer["PolicyVersion"]["Document"]}


def _read_log_days(aws: Aws, settings: Mapping[str, Any]) -> int | None:
    default = f"/aws/lambda/{settings['FunctionName']}"
    name = settings.get("LoggingConfig", {}).get("LogGroup", default)
    params = {"logGroupNamePrefix": name}
    groups = aws.pages("logs", "describe_log_groups", f"reading {name}", "logGroups", params)
    return next((one.get("retentionInDays") for one in groups if one["logGroupName"] == name), None)


def adopted(
    found: Found, file: str, region: str | None = None, profile: str | None = None
) -> NewFiles:
    """Write down a function as the files of a config.

    Raises: ArchiveError, if its zip is broken, too large, or its names lead outside.
    """
    code, programs = _unzipped(found.zipped) if found.zipped else ({}, frozenset())
    policy = found.policy if found.policy and "Document" in found.policy else None
    config = {
        "profile": profile,
        "region": region or found.function["Configuration"]["FunctionArn"].split(":")[3],
        "iam": _iam(found),
        "lambda": _function(found, code),
    }
    name = found.function["Configuration"]["FunctionName"]
    text = f"{HEADER}# The function {name}, as `init --from` found it.\n{as_yaml(_said(config))}"
    files = {file: text.encode(), SCHEMA: schema(), **code}
    if policy:
        document = json.dumps(policy["Document"], indent=2, ensure_ascii=False)
        files["policy.json"] = f"{document}\n".encode()
    return NewFiles(files, programs, tuple(_remarks(found)))


def _remarks(found: Found) -> list[str]:
    remarks = []
    if found.policy is None:
        remarks.append("The role has no policy, or several: the config uses it as it is.")
    if found.function["Configuration"].get("PackageType") == "Image":
        remarks.append("The function is a container image: there is no code to download.")
    return remarks


def _said(value: object) -> Any:  # noqa: ANN401 - plain values
    """Leave out what is not said: None, and empty sections."""
    if isinstance(value, dict):
        return {key: _said(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_said(item) for item in value]
    return plain(value)


def _iam(found: Found) -> dict[str, Any]:
    role, policy = found.role, found.policy
    if policy is None:
        return {"role": {"arn": role["Arn"]}}
    if "Document" not in policy:
        # One of AWS's own: by ARN it is found whatever its path.
        own = {"name": role["RoleName"], "path": role["Path"]}
        return {"policy": {"arn": policy["Arn"]}, "role": own}
    return {
        "policy": {
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "description": policy.get("Description") or None,
            "document": "policy.json",
        },
        "role": {"name": role["RoleName"], "path": role["Path"]},
    }


def _function(found: Found, code: Mapping[str, bytes]) -> dict[str, Any]:
    has = found.function["Configuration"]
    concurrency = found.function.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    tags = {k: v for k, v in found.function.get("Tags", {}).items() if not k.startswith("aws:")}
    storage = has.get("EphemeralStorage", {}).get("Size")
    image = found.function.get("Code", {}).get("ImageUri")
    snap_start = has.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions"
    return {
        "name": has["FunctionName"],
        "description": has.get("Description") or None,
        "path": "code" if code else None,
        "handler": has.get("Handler"),
        "runtime": has.get("Runtime"),
        "image": {"uri": image} if image else None,
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
        "reserved_concurrency": concurrency,
        "dead_letter": has.get("DeadLetterConfig", {}).get("TargetArn") or None,
        "logging": _logging(has),
        "snap_start": True if snap_start else None,
        "permissions": [_permission(one) for one in found.statements if one.action != _URL] or None,
        "event_sources": found.sources or None,
        "url": _url(found.url),
        "async": _asynchronous(found.asynchronous),
        "log_retention_days": found.log_days,
        # What the zip holds is installed already.
        "requirements": [] if "code/requirements.txt" in code else None,
    }


def _permission(statement: Statement) -> dict[str, Any]:
    return {
        "statement_id": statement.statement_id,
        "principal": statement.principal,
        "action": statement.action,
        "source_arn": statement.source_arn or None,
        "source_account": statement.source_account or None,
    }


def _vpc(has: Mapping[str, Any]) -> dict[str, Any] | None:
    if not has.get("SubnetIds"):
        return None
    return {"subnet_ids": has["SubnetIds"], "security_group_ids": has["SecurityGroupIds"]}


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


def _url(has: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if has is None:
        return None
    cors = has.get("Cors", {})
    words = {
        "allow_credentials": "AllowCredentials",
        "allow_headers": "AllowHeaders",
        "allow_methods": "AllowMethods",
        "allow_origins": "AllowOrigins",
        "expose_headers": "ExposeHeaders",
        "max_age_s": "MaxAge",
    }
    said = {key: cors[name] for key, name in words.items() if cors.get(name)}
    mode = has.get("InvokeMode") if has.get("InvokeMode") != "BUFFERED" else None
    return {"auth": has["AuthType"], "cors": said or None, "invoke_mode": mode}


def _asynchronous(has: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if has is None:
        return None
    to = has.get("DestinationConfig", {})
    return {
        "maximum_retry_attempts": has.get("MaximumRetryAttempts"),
        "maximum_event_age_s": has.get("MaximumEventAgeInSeconds"),
        "on_failure": to.get("OnFailure", {}).get("Destination"),
        "on_success": to.get("OnSuccess", {}).get("Destination"),
    }


def _unzipped(data: bytes) -> tuple[dict[str, bytes], frozenset[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            infos = [info for info in packed.infolist() if not info.is_dir()]
            if sum(info.file_size for info in infos) > MAX_UNZIPPED_BYTES:
                raise ArchiveError("The function's zip is larger than Lambda allows.")
            links = [info.filename for info in infos if stat.S_ISLNK(info.external_attr >> 16)]
            if links:
                raise ArchiveError(f"The function's zip holds a symbolic link: {links[0]}.")
            files = {f"code/{info.filename}": packed.read(info) for info in infos}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ArchiveError(f"The function's zip cannot be read: {error}.") from error
    programs = (f"code/{one.filename}" for one in infos if one.external_attr >> 16 & 0o100)
    return files, frozenset(programs)
