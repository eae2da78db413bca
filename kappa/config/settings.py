"""THE table of settings: a key of the config, and the member of AWS's call that it sets.

A row is needed only where the config's key is not AWS's own name in snake case, or where botocore's
model does not say enough. Every other member of the calls is a key too, under its own name.
Validation, sending, reading back, comparing, importing and the editors' schema follow from here.
"""

from __future__ import annotations

from kappa.config.setting_table import Row, Table
from kappa.config.value_types import (
    Concurrency,
    DeadLetterArn,
    DestinationArn,
    FailureArn,
    GroupIds,
    Handler,
    Json,
    KeyArn,
    Layers,
    LogGroup,
    Methods,
    SubnetIds,
    Text,
    Tracing,
)

FUNCTION = Table(
    "CreateFunction",
    "UpdateFunctionConfiguration",
    (
        # A runtime that the model lacks is a warning: AWS may have a newer one.
        Row("runtime", "Runtime", kind=Text),
        Row("handler", "Handler", kind=Handler),
        Row("timeout", "Timeout", "seconds"),
        Row("memory_size", "MemorySize", "MB"),
        Row("environment", "Environment.Variables", kind=dict[str, str]),
        Row("ephemeral_storage_mb", "EphemeralStorage.Size", "MB", default=512),
        Row("layers", "Layers", kind=Layers, in_order=True),
        Row("vpc", "VpcConfig"),
        Row("vpc.subnet_ids", "VpcConfig.SubnetIds", kind=SubnetIds, default=[]),
        Row("vpc.security_group_ids", "VpcConfig.SecurityGroupIds", kind=GroupIds, default=[]),
        Row("vpc.ipv6", "VpcConfig.Ipv6AllowedForDualStack", default=False),
        Row(
            "tracing",
            "TracingConfig.Mode",
            kind=Tracing,
            default="PassThrough",
            forms=(
                ("Active", "Active"),
                ("PassThrough", "PassThrough"),
                (True, "Active"),
                (False, "PassThrough"),
            ),
        ),
        Row("kms_key", "KMSKeyArn", kind=KeyArn, default=""),
        Row("dead_letter", "DeadLetterConfig.TargetArn", kind=DeadLetterArn, default=""),
        Row("logging", "LoggingConfig"),
        Row("logging.format", "LoggingConfig.LogFormat", default="Text"),
        Row("logging.application_level", "LoggingConfig.ApplicationLogLevel"),
        Row("logging.system_level", "LoggingConfig.SystemLogLevel"),
        Row(
            "logging.group",
            "LoggingConfig.LogGroup",
            kind=LogGroup,
            default="/aws/lambda/{FunctionName}",
        ),
        Row(
            "snap_start",
            "SnapStart.ApplyOn",
            kind=bool,
            default="None",
            forms=((True, "PublishedVersions"), (False, "None")),
        ),
        Row("image", "ImageConfig"),
        Row("image.command", "ImageConfig.Command", default=[], in_order=True),
        Row("image.entry_point", "ImageConfig.EntryPoint", default=[], in_order=True),
        Row("image.working_directory", "ImageConfig.WorkingDirectory", default=""),
    ),
    elsewhere=frozenset(
        {
            # Names the function, and what a RevisionId guards.
            "FunctionName",
            "RevisionId",
            # The role of `iam`.
            "Role",
            # `path` or `image`, `publish`, and calls of their own: `architectures`, `tags`.
            "Architectures",
            "Code",
            "PackageType",
            "Publish",
            "PublishTo",
            "Tags",
            # A call of its own reads and changes it.
            "CodeSigningConfigArn",
        }
    ),
    reads={
        "Layers": lambda answer: [layer["Arn"] for layer in answer.get("Layers", [])],
        "ImageConfig": lambda answer: answer.get("ImageConfigResponse", {}).get("ImageConfig", {}),
    },
)

ASYNC = Table(
    "PutFunctionEventInvokeConfig",
    "PutFunctionEventInvokeConfig",
    (
        Row("maximum_event_age_s", "MaximumEventAgeInSeconds", "seconds"),
        Row(
            "on_failure",
            "DestinationConfig.OnFailure.Destination",
            kind=DestinationArn,
            forms=(("", None),),
        ),
        Row(
            "on_success",
            "DestinationConfig.OnSuccess.Destination",
            kind=DestinationArn,
            forms=(("", None),),
        ),
    ),
    elsewhere=frozenset({"FunctionName", "Qualifier"}),
)

URL = Table(
    "CreateFunctionUrlConfig",
    "UpdateFunctionUrlConfig",
    (
        Row("auth", "AuthType"),
        Row("cors", "Cors"),
        # Lambda lower-cases headers.
        Row("cors.allow_headers", "Cors.AllowHeaders", in_any_case=True),
        Row("cors.allow_methods", "Cors.AllowMethods", kind=Methods),
        Row("cors.expose_headers", "Cors.ExposeHeaders", in_any_case=True),
        Row("cors.max_age_s", "Cors.MaxAge", "seconds", default=0),
        Row("invoke_mode", "InvokeMode", default="BUFFERED"),
    ),
    elsewhere=frozenset({"FunctionName", "Qualifier"}),
)

MAPPING = Table(
    "CreateEventSourceMapping",
    "UpdateEventSourceMapping",
    (
        Row("batch_size", "BatchSize", "records"),
        Row("batch_window_s", "MaximumBatchingWindowInSeconds", "seconds", default=0),
        Row("starting_position", "StartingPosition", once=True),
        Row("starting_position_timestamp", "StartingPositionTimestamp", kind=Text, once=True),
        Row("maximum_retry_attempts", "MaximumRetryAttempts", "-1: endless", default=-1),
        Row(
            "maximum_record_age_s", "MaximumRecordAgeInSeconds", "seconds, -1: endless", default=-1
        ),
        Row("bisect_on_error", "BisectBatchOnFunctionError"),
        Row("parallelization_factor", "ParallelizationFactor", default=1),
        Row("tumbling_window_s", "TumblingWindowInSeconds", "seconds", default=0),
        Row(
            "report_batch_item_failures",
            "FunctionResponseTypes",
            kind=bool,
            forms=((True, ["ReportBatchItemFailures"]), (False, [])),
        ),
        Row(
            "maximum_concurrency",
            "ScalingConfig.MaximumConcurrency",
            kind=Concurrency,
            forms=(("none", None),),
        ),
        Row("filter_criteria", "FilterCriteria.Filters", kind=tuple[Json, ...], item="Pattern"),
        Row(
            "on_failure",
            "DestinationConfig.OnFailure.Destination",
            kind=FailureArn,
            forms=(("", None),),
        ),
    ),
    elsewhere=frozenset(
        {
            # `arn`, `enabled`, the function and the mapping itself.
            "Enabled",
            "EventSourceArn",
            "FunctionName",
            "UUID",
            # A call of its own changes them, and the listing does not show them.
            "Tags",
        }
    ),
)
