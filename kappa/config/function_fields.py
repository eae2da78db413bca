"""The types of a function's settings in a kappa config: every key, its kind, its range.

Owns what one key may hold: limits are those of Lambda's own API, and a test compares them with
the SDK's model. Rules between keys are function_rules.py's. An empty value is said on purpose: it
removes what AWS has; None means that nothing is said.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from kappa.config.fields import Section

_DESTINATION_WORDS = "the ARN of a topic, queue, function, event bus or bucket, or '' for none"
_DEAD_LETTER_WORDS = "the ARN of a topic or a queue, or '' for none"
_KEY_WORDS = "the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), or '' for AWS's own"
_LAYER_WORDS = (
    "the ARN of a layer's version, such as arn:aws:lambda:us-east-1:123456789012:layer:a:1"
)
_IMAGE_WORDS = "an image in ECR, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:1"
_HANDLER_WORDS = "1 to 128 characters without a blank, such as greeter.handler"
_ALIAS_WORDS = "1 to 128 letters, digits, - and _, not only digits"

Handler = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^\S*$", description=_HANDLER_WORDS)
]
AliasName = Annotated[
    str, Meta(pattern=r"^(?![0-9]+$)[a-zA-Z0-9_-]{0,128}$", description=_ALIAS_WORDS)
]
KeepVersions = Annotated[int, Meta(ge=1, le=1000, description="1 to 1000 (versions)")]
AsyncRetries = Annotated[int, Meta(ge=0, le=2, description="0 to 2")]
EventAge = Annotated[int, Meta(ge=60, le=21600, description="60 to 21600 (seconds)")]
DestinationArn = Annotated[
    str,
    Meta(
        pattern=r"^(arn:aws[a-z-]*:(sns|sqs|lambda|events|s3):[a-z0-9-]*:(\d{12})?:\S+)?$",
        description=_DESTINATION_WORDS,
    ),
]
DeadLetterArn = Annotated[
    str,
    Meta(
        pattern=r"^(arn:aws[a-z-]*:(sns|sqs):[a-z0-9-]+:\d{12}:[a-zA-Z0-9_.-]+)?$",
        description=_DEAD_LETTER_WORDS,
    ),
]
KeyArn = Annotated[
    str,
    Meta(
        pattern=r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-zA-Z0-9-]+)?$",
        description=_KEY_WORDS,
    ),
]
LayerArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:lambda:"
        r"([a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9_-]+:\d+|::awslayer:[a-zA-Z0-9_-]+)$",
        description=_LAYER_WORDS,
    ),
]
Layers = Annotated[
    tuple[LayerArn, ...], Meta(max_length=5, description="a list of at most 5 layers' versions")
]
EphemeralStorage = Annotated[int, Meta(ge=512, le=32768, description="512 to 32768 (MB)")]
Tracing = Annotated[
    Literal["Active", "PassThrough"] | bool,
    Meta(description="Active (or true), PassThrough (or false)"),
]
Reserved = Annotated[
    Annotated[int, Meta(ge=0)] | Literal["none"],
    Meta(description="0 or more executions at once, or none (no reservation)"),
]
SubnetId = Annotated[
    str, Meta(pattern=r"^subnet-[0-9a-z]+$", description="a subnet's id, such as subnet-0a1b2c3d")
]
GroupId = Annotated[
    str, Meta(pattern=r"^sg-[0-9a-zA-Z]+$", description="a group's id, such as sg-0a1b2c3d")
]
ImageUri = Annotated[
    str,
    Meta(
        pattern=r"^\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|amazonaws\.eu"
        r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)/[a-z0-9._/-]+"
        r"(:[a-zA-Z0-9._-]+)?(@sha256:[0-9a-f]{64})?$",
        description=_IMAGE_WORDS,
    ),
]
LogGroup = Annotated[
    str,
    Meta(pattern=r"^[a-zA-Z0-9._/#-]{0,512}$", description="1 to 512 letters, digits and ._-/#"),
]


class Async(Section, frozen=True):
    """lambda.async: what becomes of asynchronous calls that fail, or do not."""

    maximum_retry_attempts: AsyncRetries | None = None
    maximum_event_age_s: EventAge | None = None
    on_failure: DestinationArn | None = None
    on_success: DestinationArn | None = None


class Vpc(Section, frozen=True):
    """lambda.vpc: the network that the function is in; empty for none."""

    subnet_ids: Annotated[
        tuple[SubnetId, ...], Meta(max_length=16, description="a list of at most 16 subnets' ids")
    ] = ()
    security_group_ids: Annotated[
        tuple[GroupId, ...], Meta(max_length=5, description="a list of at most 5 groups' ids")
    ] = ()
    ipv6: bool | None = None


class Logging(Section, frozen=True):
    """lambda.logging: how and where the function logs; empty for AWS's own way."""

    format: Literal["JSON", "Text"] | None = None
    application_level: Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] | None = None
    system_level: Literal["DEBUG", "INFO", "WARN"] | None = None
    group: LogGroup = ""


class Image(Section, frozen=True):
    """lambda.image: a container image in place of path, handler and runtime."""

    uri: ImageUri
    command: tuple[str, ...] | None = None
    entry_point: tuple[str, ...] | None = None
    working_directory: (
        Annotated[str, Meta(max_length=1000, description="a path of at most 1000 characters")]
        | None
    ) = None
