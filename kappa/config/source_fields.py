"""The types of an event source in a kappa config: every key, its kind, its range.

Owns what one key may hold. Rules between keys, and which kind has which, are source_rules.py's.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from kappa import arn as arns
from kappa.config.fields import ArnText, Section, Text

BatchSize = Annotated[int, Meta(ge=1, le=10000, description="1 to 10000 (records)")]
BatchWindow = Annotated[int, Meta(ge=0, le=300, description="0 to 300 (seconds)")]
TumblingWindow = Annotated[int, Meta(ge=0, le=900, description="0 to 900 (seconds)")]
StreamRetries = Annotated[int, Meta(ge=-1, le=10000, description="-1 (endless) to 10000")]
RecordAge = Annotated[
    int, Meta(ge=-1, le=604800, description="-1 (endless), or 60 to 604800 (seconds)")
]
Parallel = Annotated[int, Meta(ge=1, le=10, description="1 to 10")]
Concurrency = Annotated[
    Annotated[int, Meta(ge=2, le=1000)] | Literal["none"],
    Meta(description="2 to 1000, or none (no limit)"),
]
RuleName = Annotated[
    str, Meta(pattern=r"^[.\-_A-Za-z0-9]{1,64}$", description="1 to 64 letters, digits and .-_")
]
RuleWords = Annotated[str, Meta(max_length=512, description="a text of at most 512 characters")]
MaxAge = Annotated[int, Meta(ge=0, le=86400, description="0 to 86400 (seconds)")]
# Held as the text that AWS takes, whichever way it is written.
Json = Annotated[str, Meta(min_length=1, description="a mapping, or JSON in quotes")]
OptionalJson = Annotated[str, Meta(description="a mapping, JSON in quotes, or '' for none")]
RoleArn = Annotated[
    str,
    Meta(
        pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/\S+)?$",
        description="the ARN of a role, or '' for none",
    ),
]
FailureArn = Annotated[
    str,
    Meta(
        pattern=r"^(arn:aws[a-z-]*:(sns|sqs|s3):[a-z0-9-]*:(\d{12})?:\S+)?$",
        description="the ARN of a topic, queue or bucket, or '' for none",
    ),
]


class KeyFilter(Section, frozen=True):
    """A prefix or a suffix of S3 keys."""

    type: Literal["prefix", "suffix"]
    value: str


class EventSource(Section, frozen=True):
    """What invokes the function: by ARN, or by name for a rule of EventBridge."""

    arn: ArnText = ""
    name: RuleName = ""
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
    tumbling_window_s: TumblingWindow | None = None
    maximum_concurrency: Concurrency | None = None
    filter_criteria: tuple[Json, ...] | None = None
    on_failure: FailureArn | None = None
    events: tuple[Text, ...] = ()
    key_filters: tuple[KeyFilter, ...] = ()
    filter_policy: Json = ""
    filter_policy_scope: Literal["MessageAttributes", "MessageBody"] | None = None
    schedule: Text = ""
    pattern: Json = ""
    input: OptionalJson | None = None
    description: RuleWords | None = None
    role_arn: RoleArn | None = None

    @property
    def key(self) -> str:
        """What tells it from the config's others: the ARN, or the name."""
        return self.arn or self.name

    @property
    def service(self) -> str:
        """The service that the ARN names, such as sns; events where there is a name only."""
        return arns.parse(self.arn).service if self.arn else "events"

    @property
    def label(self) -> str:
        """What a report calls it, e.g. "event source sns my-topic", and of a bucket which keys."""
        return f"{self.plain_label} ({self.keys})" if self.keys else self.plain_label

    @property
    def plain_label(self) -> str:
        """The same without the keys: a config may have several sources of one bucket."""
        return f"event source {self.service} {self.short}"

    @property
    def keys(self) -> str:
        """Which keys of a bucket it is for, e.g. "in/*.jpg"; "" where it is for all."""
        given = {one.type: one.value for one in self.key_filters}
        return f"{given.get('prefix', '')}*{given.get('suffix', '')}" if given else ""

    @property
    def short(self) -> str:
        """What a person calls it, e.g. "my-topic"."""
        return arns.parse(self.arn).name if self.arn else self.name


def rule_names(function: str, source: EventSource) -> dict[str, str]:
    """The rule's name, as DescribeRule wants it, and its bus unless that is the default one."""
    if source.name:
        return {"Name": f"{function}-{source.name}"}
    *bus, name = arns.parse(source.arn).resource.removeprefix("rule/").split("/")
    return {"Name": name, **({"EventBusName": "/".join(bus)} if bus else {})}


class Cors(Section, frozen=True):
    """lambda.url.cors: which pages of other hosts may call. It is taken as a whole."""

    allow_credentials: bool | None = None
    allow_headers: tuple[Text, ...] = ()
    allow_methods: tuple[Literal["*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"], ...] = ()
    allow_origins: tuple[Text, ...] = ()
    expose_headers: tuple[Text, ...] = ()
    max_age_s: MaxAge | None = None


class Url(Section, frozen=True):
    """lambda.url: an HTTPS address of the function's own."""

    auth: Literal["AWS_IAM", "NONE"]
    cors: Cors | None = None
    invoke_mode: Literal["BUFFERED", "RESPONSE_STREAM"] | None = None
