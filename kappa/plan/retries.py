"""Transient AWS errors: which are retried, for which calls and how long. Pure.

One table serves every Step. AWS takes time to settle: a new role cannot be assumed yet, and a
function that is being updated accepts no other change.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kappa.errors import AwsError

_IAM_DELAY = 'AWS IAM guide, "Changes that I make are not always immediately visible"'
_STATES = 'AWS Lambda guide, "Lambda function states"'
_LAMBDA_API = 'AWS Lambda API reference, "Errors"'
_IAM_API = 'AWS IAM API reference, "Errors"'
_EVENTS_API = 'Amazon EventBridge API reference, "PutRule", "PutTargets", "DeleteRule"'

_SETTINGS = ("create_function", "update_function_configuration")
_MAPPINGS = ("create_event_source_mapping", "update_event_source_mapping")
# Every call that changes a function or something attached to it.
_CHANGES = (
    "add_permission",
    "create_alias",
    "create_event_source_mapping",
    "create_function_url_config",
    "delete_function",
    "delete_function_concurrency",
    "delete_function_event_invoke_config",
    "delete_function_url_config",
    "publish_version",
    "put_function_concurrency",
    "put_function_event_invoke_config",
    "remove_permission",
    "tag_resource",
    "untag_resource",
    "update_alias",
    "update_event_source_mapping",
    "update_function_code",
    "update_function_configuration",
    "update_function_url_config",
)
# Calls that follow the creation of a function, a version or an alias.
_AFTER_CREATION = (
    "add_permission",
    "create_alias",
    "create_function_url_config",
    "publish_version",
    "put_function_concurrency",
    "put_function_event_invoke_config",
    "tag_resource",
    "update_alias",
)
_RULES = (
    "delete_rule",
    "disable_rule",
    "enable_rule",
    "put_rule",
    "put_targets",
    "remove_targets",
)
_ROLES_AND_POLICIES = (
    "attach_role_policy",
    "create_policy",
    "create_policy_version",
    "create_role",
    "delete_policy",
    "delete_policy_version",
    "delete_role",
    "detach_role_policy",
    "tag_policy",
    "tag_role",
)
_LOG_GROUPS = ("create_log_group", "put_retention_policy")


class TransientError(msgspec.Struct, frozen=True):
    """An error worth retrying: its code, part of its text where the code is broad, its calls.

    Units: deadline_s counts from the first attempt.
    """

    service: str
    operations: tuple[str, ...]
    code: str
    text: str
    deadline_s: float
    source: str

    def fits(self, service: str, operation: str, error: AwsError) -> bool:
        """Whether this error of this call is expected to go away."""
        return (
            service == self.service
            and operation in self.operations
            and error.code == self.code
            and self.text.lower() in error.text.lower()
        )


def _invalid(
    operations: tuple[str, ...], text: str, source: str, deadline_s: float = 120.0
) -> TransientError:
    code = "InvalidParameterValueException"
    return TransientError("lambda", operations, code, text, deadline_s, source)


def _conflict(text: str, source: str) -> TransientError:
    return TransientError("lambda", _CHANGES, "ResourceConflictException", text, 300.0, source)


TRANSIENT_ERRORS: tuple[TransientError, ...] = (
    # A role or a policy is new, and Lambda does not know it yet.
    _invalid((*_SETTINGS, *_MAPPINGS), "cannot be assumed by Lambda", _IAM_DELAY),
    _invalid(
        (*_SETTINGS, *_MAPPINGS, "put_function_event_invoke_config"),
        "does not have permissions",
        f"{_IAM_DELAY}; of a VPC and a dead letter queue: terraform-provider-aws#15067",
    ),
    _invalid(_MAPPINGS, "ensure the role can perform", _IAM_DELAY),
    _invalid(
        (*_SETTINGS, "publish_version", "update_function_code"),
        "KMS key is invalid for CreateGrant",
        "AWS re:Post, \"How do I resolve 'KMS key is invalid for CreateGrant' errors in Lambda\"",
    ),
    _invalid(
        _SETTINGS,
        "throttled by EC2",
        'AWS Lambda guide, "Lambda function states", EniLimitExceeded and EC2 throttling',
        300.0,
    ),
    TransientError("iam", ("attach_role_policy",), "NoSuchEntity", "", 120.0, _IAM_DELAY),
    TransientError("iam", ("delete_role",), "DeleteConflict", "detach", 120.0, _IAM_DELAY),
    TransientError("iam", ("delete_policy",), "DeleteConflict", "attached", 120.0, _IAM_DELAY),
    TransientError("iam", _ROLES_AND_POLICIES, "ConcurrentModification", "", 120.0, _IAM_API),
    TransientError(
        "iam", _ROLES_AND_POLICIES, "EntityTemporarilyUnmodifiable", "", 120.0, _IAM_API
    ),
    # A function, version or alias is new, and parts of Lambda do not know it yet.
    TransientError(
        "lambda",
        _AFTER_CREATION,
        "ResourceNotFoundException",
        "",
        30.0,
        "terraform-provider-aws#7214, #25440",
    ),
    # Another change of the function is under way.
    _conflict("in progress", _STATES),
    _conflict("state: Pending", _STATES),
    _conflict("concurrent update operation", "terraform-provider-aws#5154"),
    # A mapping accepts one change at a time, and stays listed for a while after its removal.
    TransientError(
        "lambda",
        ("delete_event_source_mapping", "update_event_source_mapping"),
        "ResourceInUseException",
        "",
        300.0,
        _LAMBDA_API,
    ),
    TransientError(
        "lambda",
        ("create_event_source_mapping",),
        "ResourceConflictException",
        "already exists",
        60.0,
        'AWS Lambda API reference, "CreateEventSourceMapping"',
    ),
    # S3 checks that it may invoke the function, and the permission may be new.
    TransientError(
        "s3",
        ("put_bucket_notification_configuration",),
        "InvalidArgument",
        "Unable to validate the following destination",
        60.0,
        'AWS re:Post, "Unable to validate the following destination configurations"',
    ),
    TransientError(
        "s3",
        ("put_bucket_notification_configuration",),
        "OperationAborted",
        "",
        60.0,
        'Amazon S3 API reference, "Error responses"',
    ),
    TransientError("events", _RULES, "ConcurrentModificationException", "", 60.0, _EVENTS_API),
    TransientError("events", ("put_targets",), "ResourceNotFoundException", "", 30.0, _EVENTS_API),
    TransientError("events", ("delete_rule",), "ValidationException", "targets", 60.0, _EVENTS_API),
    TransientError(
        "logs",
        _LOG_GROUPS,
        "OperationAbortedException",
        "",
        60.0,
        'Amazon CloudWatch Logs API reference, "CreateLogGroup"',
    ),
)


def transient_error(service: str, operation: str, error: AwsError) -> TransientError | None:
    """Find the error in the table; None, if retrying would not help."""
    return next(
        (entry for entry in TRANSIENT_ERRORS if entry.fits(service, operation, error)), None
    )


def calls() -> Iterator[tuple[str, str]]:
    """List every call in the table, by service and operation."""
    yield from {
        (entry.service, name): None for entry in TRANSIENT_ERRORS for name in entry.operations
    }
