"""Whether the function that AWS has works: what failed, is under way, or could not be read.

Owns what State and LastUpdateStatus mean for a plan. A setting that failed looks as if it were
set, so comparing settings alone is not enough. Pure.
Source: AWS Lambda guide, "Lambda function states".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.errors import AwsError, Conflict, Denied
from kappa.plan.step import Wait

# Reasons of a failed update that only other code takes away: settings sent before it fail too.
_CODE_REASONS = frozenset(
    {
        "ImageAccessDenied",
        "ImageDeleted",
        "InvalidImage",
        "InvalidRuntime",
        "InvalidZipFileException",
    }
)


def under_way(settings: Mapping[str, Any]) -> bool:
    """Whether the function is being made or changed: how that ends is not known yet."""
    return settings.get("State") == "Pending" or settings.get("LastUpdateStatus") == "InProgress"


def failure(settings: Mapping[str, Any]) -> str:
    """Name what sending settings and code again may mend; an empty text if nothing is wrong.

    A function is Inactive when its network or image was taken back while it was idle.
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
    """Whether a function or one of its versions could not be made, and will never run."""
    return settings.get("State") == "Failed"


def reason(settings: Mapping[str, Any]) -> str:
    """AWS's reason for the state that a function or one of its versions has."""
    return _reason(settings, "StateReason")


def _reason(settings: Mapping[str, Any], key: str) -> str:
    text, code = settings.get(key, ""), settings.get(f"{key}Code", "")
    return f"{text} ({code})" if text and code else text or code or "AWS gives no reason"


def check_usable(config: Config, settings: Mapping[str, Any]) -> None:
    """Refuse a function that no update can mend.

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
            "AWS wants such a function deleted and made again: correct the cause, then "
            f"{config.command('delete')} and {config.command('deploy')}.",
        )


def check_variables(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse an answer that leaves the variables out because the caller may not decrypt them.

    Raises: Denied, naming the key.
    """
    error = settings.get("Environment", {}).get("Error")
    if error:
        key = settings.get("KMSKeyArn") or "the key of the variables"
        raise _unreadable(name, "variables", error, f"Ask for the permission kms:Decrypt on {key}.")


def check_read(config: Config, settings: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Refuse to compare what AWS has left out of its answer; what the config lacks may be absent.

    `answer` holds what GetFunction has beside the settings: Code and TagsError.
    Raises: Denied, naming the part and the permission.
    """
    function = config.function
    if function.environment is not None:
        check_variables(function.name, settings)
    if function.tags is not None and answer.get("TagsError"):
        hint = "Ask for the permission lambda:ListTags."
        raise _unreadable(function.name, "tags", answer["TagsError"], hint)
    if not function.image:
        return
    image = answer.get("Code", {}).get("Error")
    started = settings.get("ImageConfigResponse", {}).get("Error")
    for part, error in (("image", image), ("settings of the image", started)):
        if error:
            hint = "Check the image, its repository's policy and your permissions for ECR."
            raise _unreadable(function.name, part, error, hint)


def _unreadable(name: str, part: str, error: Mapping[str, Any], hint: str) -> Denied:
    code, text = error.get("ErrorCode", ""), error.get("Message", "")
    return Denied(f"AWS refused reading the {part} of {name}: {text} ({code})", hint, code, text)


def ready(config: Config, field: str, until: str, *, always: bool = False) -> Wait:
    """Wait until a change of the function has ended.

    At a plan's end only for what can still fail there: network, key, image, snapshot.
    """
    function = config.function
    fails_late = function.vpc or function.kms_key or function.image or function.snap_start
    return Wait(
        "lambda",
        "get_function_configuration",
        {"FunctionName": function.name},
        field,
        until=(until,),
        failed=("Failed",),
        reason=f"{field}Reason",
        for_next=not (fails_late or always),
    )
