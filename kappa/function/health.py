"""The function's health: whether it has failed, is changing or is ready. Pure.

It owns the meaning of State and LastUpdateStatus for a plan. AWS lists the settings of a failed
update like any others, so comparing settings is not enough.
Source: AWS Lambda guide, "Lambda function states".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.errors import AwsError, Conflict
from kappa.plan.step import Wait

# Reasons of a failed update that only new code can resolve; settings sent before it fail too.
_CODE_REASONS = frozenset(
    {
        "ImageAccessDenied",
        "ImageDeleted",
        "InvalidImage",
        "InvalidRuntime",
        "InvalidZipFileException",
    }
)


def is_changing(settings: Mapping[str, Any]) -> bool:
    """Whether the function is being created or updated."""
    return settings.get("State") == "Pending" or settings.get("LastUpdateStatus") == "InProgress"


def failure(settings: Mapping[str, Any]) -> str:
    """Describe a failure that sending settings and code again may repair; "" if there is none.

    AWS makes an idle function Inactive when it reclaims its network or image.
    """
    if settings.get("LastUpdateStatus") == "Failed":
        return f"the last update failed: {_reason(settings, 'LastUpdateStatusReason')}"
    if settings.get("State") == "Inactive":
        return f"the function is Inactive: {_reason(settings, 'StateReason')}"
    return ""


def code_failed(settings: Mapping[str, Any]) -> bool:
    """Whether the last update failed because of the code."""
    failed = settings.get("LastUpdateStatus") == "Failed"
    return failed and settings.get("LastUpdateStatusReasonCode") in _CODE_REASONS


def has_failed(settings: Mapping[str, Any]) -> bool:
    """Whether AWS failed to make a function or version, so that it will never run."""
    return settings.get("State") == "Failed"


def reason(settings: Mapping[str, Any]) -> str:
    """AWS's reason for the state of a function or version."""
    return _reason(settings, "StateReason")


def _reason(settings: Mapping[str, Any], key: str) -> str:
    text, code = settings.get(key, ""), settings.get(f"{key}Code", "")
    return f"{text} ({code})" if text and code else text or code or "AWS gives no reason"


def check_usable(config: Config, settings: Mapping[str, Any]) -> None:
    """Refuse a function that no update can repair.

    Raises: Conflict, if it is being deleted; AwsError, if AWS could not make it.
    """
    name = config.function.name
    if settings.get("State") == "Deleting":
        raise Conflict(
            f"AWS is deleting the function {name}.", "Run the same command again in a minute."
        )
    if has_failed(settings):
        raise AwsError(
            f"AWS could not make the function {name}: {reason(settings)}",
            "Such a function must be deleted and made again: correct the cause, then "
            f"{config.command('delete')} and {config.command('deploy')}.",
        )


def ready(config: Config, field: str, *until: str, always: bool = False) -> Wait:
    """Wait until a change of the function has ended.

    At the end of a plan it is skipped, unless `always` or the change can still fail: network, key,
    image, snapshot.
    """
    function = config.function
    fails_late = function.vpc or function.kms_key or function.image or function.snap_start
    return Wait(
        "lambda",
        "get_function_configuration",
        {"FunctionName": function.name},
        field,
        until=until,
        failed=("Failed",),
        reason=f"{field}Reason",
        for_next=not (fails_late or always),
    )
