"""Read a kappa config file into frozen, validated objects. Every rule about the file is here.

Reads the format of kappa 0.3; the keys added since are listed in docs/kappa.md. It must not
ask AWS anything: what is wrong with a file is said before the first call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from kappa import arn as arns
from kappa.arn import Place
from kappa.errors import ConfigError
from kappa.settings import LOG_DAYS, Config, EventSource, File, Function
from kappa.tree import Keys, Tree, dotted, fill_text, fill_tree, read_tree, read_values
from kappa.typed import convert, suggestion

_RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
# What a policy document may also name; known once AWS has said who is calling.
_PLACE = ("account_id", "partition", "region")
# What each kind of event source may say, besides its ARN.
_STREAM_KEYS = frozenset(EventSource.__struct_fields__) - {"arn", "events", "key_filters"}
_SOURCE_KEYS = {
    "dynamodb": _STREAM_KEYS,
    "kinesis": _STREAM_KEYS,
    "s3": frozenset({"enabled", "events", "key_filters"}),
    "sns": frozenset({"enabled"}),
}


def read_config(file: Path) -> Config:
    """Read, fill in and check one config file.

    Raises: ConfigError, naming file, line, key and what is allowed.
    """
    raw = read_tree(file)
    values = read_values(raw)
    tree = fill_tree(raw, values)
    settings = convert(tree, _with_texts(tree), File)
    for check in (_check_iam, _check_function, _check_environment, _check_sources):
        check(tree, settings)
    return Config(
        file=file,
        function=_tidy(settings.lambda_),
        role=settings.iam.role,
        policy=settings.iam.policy,
        profile=settings.profile or None,
        region=settings.region or None,
        values=values,
    )


def _tidy(function: Function) -> Function:
    """Drop a slash after a source's ARN, as configs of 2015 have it: AWS refuses it."""
    sources = tuple(replace(one, arn=one.arn.rstrip("/")) for one in function.event_sources)
    return replace(function, event_sources=sources)


def read_policy_document(config: Config) -> dict[str, Any] | None:
    """Read the policy's JSON file, filled in; None when the policy has no document.

    What only AWS knows, such as ${account_id}, is left for place_policy_document().
    Raises: ConfigError, if it is missing, no JSON or no policy.
    """
    if config.policy is None or not config.policy.document:
        return None
    file = config.beside(config.policy.document)
    try:
        text = file.read_text("utf-8")
        document = json.loads(text)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}.", "Set iam.policy.document.") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"{file}:{error.lineno}: not valid JSON: {error.msg}.") from error
    except ValueError as error:
        raise ConfigError(f"{file}:1: not valid JSON: {error}.") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise ConfigError(f"{file}:1: a policy document needs a Statement.")
    later = {name: f"${{{name}}}" for name in ("account_id", "partition", "region")}
    filled = _fill_json(document, file, text, {**later, **config.values})
    return filled if isinstance(filled, dict) else None


def place_policy_document(document: dict[str, Any] | None, place: Place) -> dict[str, Any] | None:
    """Fill in what only AWS knows: ${account_id}, ${partition} and, if not included, ${region}."""
    values = {"account_id": place.account, "partition": place.partition, "region": place.region}
    filled = _fill_json(document, Path(), "", values)
    return filled if isinstance(filled, dict) else None


def _fill_json(value: object, file: Path, text: str, values: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _fill_json(item, file, text, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill_json(item, file, text, values) for item in value]
    if not isinstance(value, str):
        return value

    def error(problem: str, hint: str) -> ConfigError:
        line = text.count("\n", 0, max(text.find(problem.split()[0]), 0)) + 1
        return ConfigError(f"{file}:{line}: {problem}", hint)

    return fill_text(value, values, error)


def _with_texts(tree: Tree) -> dict[str, Any]:
    """Take environment variables as they are written: 1.10, 007 and on are texts."""
    found = tree.data.get("lambda")
    section: dict[str, Any] = found if isinstance(found, dict) else {}
    variables = section.get("environment")
    if not isinstance(variables, dict):
        return tree.data
    texts = {}
    for name in variables:
        keys: Keys = ("lambda", "environment", name)
        if keys not in tree.texts:
            raise tree.error(keys, f"{dotted(keys)} must be one value.", "Put a text in quotes.")
        texts[name] = tree.texts[keys]
    return {**tree.data, "lambda": {**section, "environment": texts}}


def _check_iam(tree: Tree, settings: File) -> None:
    role, policy = settings.iam.role, settings.iam.policy
    if bool(role.name) == bool(role.arn):
        raise tree.error(("iam", "role"), "iam.role needs a name, or an arn, not both.")
    if role.arn and not _is_iam(role.arn, "role/"):
        raise tree.error(("iam", "role", "arn"), f"iam.role.arn is {role.arn!r}, not a role.")
    if policy is None:
        return
    if bool(policy.name) == bool(policy.arn):
        raise tree.error(("iam", "policy"), "iam.policy needs a name, or an arn, not both.")
    if policy.arn and policy.document:
        raise tree.error(
            ("iam", "policy", "document"), "a policy given by arn exists: it takes no document."
        )
    if policy.arn and not _is_iam(policy.arn, "policy/"):
        raise tree.error(("iam", "policy", "arn"), f"iam.policy.arn is {policy.arn!r}, no policy.")


def _is_iam(text: str, kind: str) -> bool:
    try:
        parsed = arns.parse(text)
    except ValueError:
        return False
    return parsed.service == "iam" and parsed.resource.startswith(kind)


def _check_function(tree: Tree, settings: File) -> None:
    function = settings.lambda_
    days = function.log_retention_days
    if days is not None and str(days) not in LOG_DAYS.split(", "):
        raise tree.error(
            ("lambda", "log_retention_days"),
            f"lambda.log_retention_days is {days}.",
            f"Allowed: {LOG_DAYS}.",
        )
    if function.architectures is not None and len(function.architectures) != 1:
        raise tree.error(
            ("lambda", "architectures"), "a function has one architecture.", "[arm64] or [x86_64]"
        )
    seen: set[str] = set()
    for number, permission in enumerate(function.permissions):
        if permission.statement_id in seen:
            keys: Keys = ("lambda", "permissions", number, "statement_id")
            raise tree.error(keys, f"{dotted(keys)} {permission.statement_id!r} is given twice.")
        seen.add(permission.statement_id)


def _check_environment(tree: Tree, settings: File) -> None:
    variables = settings.lambda_.environment or {}
    for name in variables:
        keys: Keys = ("lambda", "environment", name)
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]+", name):
            raise tree.error(
                keys,
                f"{name!r} is no name of a variable.",
                "A letter, then one or more letters, digits and _.",
            )
        if name in _RESERVED_VARIABLES:
            raise tree.error(keys, f"{name} is set by Lambda itself.", "Use another name.")
    if sum(len(name) + len(text.encode()) for name, text in variables.items()) > 4096:
        raise tree.error(
            ("lambda", "environment"), "the environment is over 4096 bytes, which Lambda refuses."
        )


def _check_sources(tree: Tree, settings: File) -> None:
    seen: set[str] = set()
    for number, source in enumerate(settings.lambda_.event_sources):
        keys: Keys = ("lambda", "event_sources", number)
        _check_source(tree, keys, source)
        if source.arn in seen:
            raise tree.error((*keys, "arn"), f"the event source {source.arn} is given twice.")
        seen.add(source.arn)


def _check_source(tree: Tree, keys: Keys, source: EventSource) -> None:
    try:
        service = arns.parse(source.arn).service
    except ValueError as error:
        raise tree.error((*keys, "arn"), f"{error}.") from error
    if service not in _SOURCE_KEYS:
        raise tree.error(
            (*keys, "arn"),
            f"{service} cannot be an event source here.",
            f"Allowed: {', '.join(sorted(_SOURCE_KEYS))}.",
        )
    given = tree.data["lambda"]["event_sources"][keys[-1]]
    for key in given:
        if key != "arn" and key not in _SOURCE_KEYS[service]:
            raise tree.error(
                (*keys, key),
                f"{dotted((*keys, key))}: a source of {service} has no such setting.",
                suggestion(key, _SOURCE_KEYS[service] | {"arn"}),
            )
    if 0 <= (source.maximum_record_age_s or -1) < 60:
        raise tree.error((*keys, "maximum_record_age_s"), "Lambda takes -1, or 60 to 604800 s.")
    if service == "s3" and not source.events:
        raise tree.error(keys, "a source of s3 needs events.", "Such as [s3:ObjectCreated:*].")
    _check_start(tree, keys, source)


def _check_start(tree: Tree, keys: Keys, source: EventSource) -> None:
    at_time = source.starting_position == "AT_TIMESTAMP"
    if at_time and source.service != "kinesis":
        raise tree.error(
            (*keys, "starting_position"),
            "AT_TIMESTAMP is for Kinesis only.",
            "Allowed: LATEST, TRIM_HORIZON.",
        )
    if at_time != bool(source.starting_position_timestamp):
        raise tree.error(
            keys, "starting_position: AT_TIMESTAMP and starting_position_timestamp go together."
        )
    if at_time:
        _check_timestamp(tree, (*keys, "starting_position_timestamp"), source)


def _check_timestamp(tree: Tree, keys: Keys, source: EventSource) -> None:
    try:
        datetime.fromisoformat(source.starting_position_timestamp)
    except ValueError as error:
        raise tree.error(
            keys, f"{dotted(keys)}: {error}.", "A time such as 2026-11-23T08:00:00Z."
        ) from error
