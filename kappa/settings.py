"""The types of a kappa config: every key, its kind, its range and the words for it.

Owns what one key may hold. Rules between keys, and reading, are config.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from kappa import arn as arns

_ARN_WORDS = "an ARN, such as arn:aws:sns:us-east-1:123456789012:topic"
_PATH_WORDS = "a path that begins and ends with /, such as /kappa/"

ArnText = Annotated[
    str, Meta(pattern=r"^arn:aws[a-z-]*:[^:]+:[^:]*:[^:]*:.+$", description=_ARN_WORDS)
]
IamPath = Annotated[str, Meta(pattern=r"^/([!-~]+/)?$", description=_PATH_WORDS)]
FunctionName = Annotated[
    str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$", description="1 to 64 letters, digits, - and _")
]
RoleName = Annotated[
    str, Meta(pattern=r"^[\w+=,.@-]{1,64}$", description="1 to 64 letters, digits and +=,.@_-")
]
PolicyName = Annotated[
    str, Meta(pattern=r"^[\w+=,.@-]{1,128}$", description="1 to 128 letters, digits and +=,.@_-")
]
StatementId = Annotated[
    str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,100}$", description="1 to 100 letters, digits, - and _")
]
Text = Annotated[str, Meta(min_length=1, description="a text")]
Description = Annotated[str, Meta(max_length=256, description="a text of at most 256 characters")]
Timeout = Annotated[int, Meta(ge=1, le=900, description="1 to 900 (seconds)")]
Memory = Annotated[int, Meta(ge=128, le=10240, description="128 to 10240 (MB)")]
BatchSize = Annotated[int, Meta(ge=1, le=10000, description="1 to 10000 (records)")]
BatchWindow = Annotated[int, Meta(ge=0, le=300, description="0 to 300 (seconds)")]
StreamRetries = Annotated[int, Meta(ge=-1, le=10000, description="-1 (endless) to 10000")]
RecordAge = Annotated[
    int, Meta(ge=-1, le=604800, description="-1 (endless), or 60 to 604800 (seconds)")
]
Parallel = Annotated[int, Meta(ge=1, le=10, description="1 to 10")]
AsyncRetries = Annotated[int, Meta(ge=0, le=2, description="0 to 2")]
EventAge = Annotated[int, Meta(ge=60, le=21600, description="60 to 21600 (seconds)")]
Action = Annotated[
    str,
    Meta(
        pattern=r"^(\*|lambda:(\*|[a-zA-Z]+))$",
        description="an action such as lambda:InvokeFunction",
    ),
]
LOG_DAYS = (
    "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, "
    "2922, 3288, 3653"
)
LogDays = Annotated[int, Meta(description=f"{LOG_DAYS} (days)")]


class _Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file: unknown keys are errors."""


class Policy(_Section, frozen=True):
    """iam.policy: one that kappa makes from `document`, or one that exists by name or ARN."""

    name: PolicyName = ""
    arn: ArnText = ""
    document: Text = ""
    description: Annotated[
        str, Meta(max_length=1000, description="a text of at most 1000 characters")
    ] = ""
    path: IamPath = "/kappa/"


class Role(_Section, frozen=True):
    """iam.role: made by kappa when iam.policy is given too, else used as it is."""

    name: RoleName = ""
    arn: ArnText = ""
    path: IamPath = "/kappa/"
    policy: str = ""


class Iam(_Section, frozen=True):
    """The iam section."""

    role: Role
    policy: Policy | None = None


class Permission(_Section, frozen=True):
    """One statement of the function's resource policy."""

    statement_id: StatementId
    principal: Text
    action: Action = "lambda:InvokeFunction"
    source_arn: ArnText = ""
    source_account: Annotated[
        str, Meta(pattern=r"^\d{12}$", description="an account's 12 digits")
    ] = ""


class KeyFilter(_Section, frozen=True):
    """A prefix or a suffix of S3 keys."""

    type: Literal["prefix", "suffix"]
    value: str


class EventSource(_Section, frozen=True):
    """What invokes the function: a stream, a topic or a bucket, by ARN."""

    arn: ArnText
    enabled: bool = True
    batch_size: BatchSize | None = None
    batch_window_s: BatchWindow | None = None
    starting_position: Literal["LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"] | None = None
    starting_position_timestamp: Text = ""
    maximum_retry_attempts: StreamRetries | None = None
    maximum_record_age_s: RecordAge | None = None
    bisect_on_error: bool | None = None
    report_batch_item_failures: bool | None = None
    parallelization_factor: Parallel | None = None
    on_failure: ArnText = ""
    events: tuple[Text, ...] = ()
    key_filters: tuple[KeyFilter, ...] = ()

    @property
    def service(self) -> str:
        """The service that the ARN names: dynamodb, kinesis, sns or s3."""
        return arns.parse(self.arn).service

    @property
    def label(self) -> str:
        """What a report calls it, e.g. "event source sns my-topic"."""
        return f"event source {self.service} {arns.parse(self.arn).name}"


class Async(_Section, frozen=True):
    """lambda.async: what becomes of asynchronous calls that fail."""

    maximum_retry_attempts: AsyncRetries | None = None
    maximum_event_age_s: EventAge | None = None
    on_failure: ArnText = ""


class Function(_Section, frozen=True):
    """The lambda section. None means: not said, so what AWS has is left as it is."""

    name: FunctionName
    path: Text
    handler: Text
    runtime: Text
    description: Description | None = None
    memory_size: Memory | None = None
    timeout: Timeout | None = None
    environment: dict[str, str] | None = None
    architectures: tuple[Literal["arm64", "x86_64"], ...] | None = None
    permissions: tuple[Permission, ...] = ()
    event_sources: tuple[EventSource, ...] = ()
    async_: Async | None = field(default=None, name="async")
    log_retention_days: LogDays | None = None
    test_data: str = ""
    zipfile_name: str = ""
    mode: str = ""


class File(_Section, frozen=True):
    """The whole file."""

    lambda_: Function = field(name="lambda")
    iam: Iam
    profile: str = ""
    region: str = ""
    include: str = ""
    resources: str = ""


class Config(Struct, frozen=True):
    """A validated config. `values` are the included ones, for the policy document."""

    file: Path
    function: Function
    role: Role
    policy: Policy | None = None
    profile: str | None = None
    region: str | None = None
    values: Mapping[str, str] = {}

    @property
    def makes_role(self) -> bool:
        """Whether kappa creates and deletes the role, or just uses it."""
        return self.policy is not None and not self.role.arn

    def beside(self, path: str) -> Path:
        """A path of the file, relative to the file's own folder."""
        return self.file.parent / Path(path).expanduser()
