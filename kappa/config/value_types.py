"""The types of the values in a kappa config: kind, range, pattern, and the words for an error.

Owns what one value may be. Limits are those of AWS's own API, and a test compares them with the
SDK's model. Which key takes which type is model.py's; rules between keys are those of the *_rules.
A value that may be empty removes what AWS has.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta


def _whole(pattern: str, words: str) -> Meta:
    r"""Let a pattern match the whole text, described by these words.

    `$` alone also matches before a last line break, and an editor's schema has no `\Z`.
    """
    return Meta(pattern=rf"^{pattern}$(?!\n)", description=words)


# Anywhere

Text = Annotated[str, Meta(min_length=1, description="a text")]
ArnText = Annotated[
    str,
    _whole(
        r"arn:aws[a-z-]*:[^:]+:[^:]*:[^:]*:.+",
        "an ARN, such as arn:aws:sns:us-east-1:123456789012:topic",
    ),
]
RegionName = Annotated[
    str, _whole(r"([a-z]{2,}(-[a-z]+)+-[0-9]+)?", "an AWS region, such as us-east-1")
]
# A blank of an example, such as <your profile>, is not a profile.
ProfileName = Annotated[
    str, Meta(pattern=r"^(?!<.*>$)", description="the name of a profile of ~/.aws/config")
]

# iam

RoleName = Annotated[str, _whole(r"[\w+=,.@-]{1,64}", "1 to 64 letters, digits and +=,.@_-")]
PolicyName = Annotated[str, _whole(r"[\w+=,.@-]{1,128}", "1 to 128 letters, digits and +=,.@_-")]
PolicyDescription = Annotated[
    str, Meta(max_length=1000, description="a text of at most 1000 characters")
]
IamPath = Annotated[
    str, _whole(r"/([!-~]+/)?", "a path that begins and ends with /, such as /kappa/")
]
Document = Annotated[
    str | dict[str, Any],
    Meta(description="the path of a JSON file, or a mapping with Version and Statement"),
]

# lambda

FunctionName = Annotated[str, _whole(r"[a-zA-Z0-9_-]{1,64}", "1 to 64 letters, digits, - and _")]
Handler = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=r"^\S*$(?!\n)",
        description="1 to 128 characters without a blank, such as greeter.handler",
    ),
]
Architectures = Annotated[
    tuple[Literal["arm64", "x86_64"], ...],
    Meta(min_length=1, max_length=1, description="[arm64] or [x86_64]"),
]
LayerArn = Annotated[
    str,
    _whole(
        r"arn:aws[a-z-]*:lambda:"
        r"([a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9_-]+:\d+|::awslayer:[a-zA-Z0-9_-]+)",
        "the ARN of a layer's version, such as arn:aws:lambda:us-east-1:123456789012:layer:a:1",
    ),
]
Layers = Annotated[
    tuple[LayerArn, ...], Meta(max_length=5, description="a list of at most 5 layers' versions")
]
Tracing = Annotated[
    Literal["Active", "PassThrough"] | bool,
    Meta(description="Active (or true), PassThrough (or false)"),
]
KeyArn = Annotated[
    str,
    _whole(
        r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-zA-Z0-9-]+)?",
        "the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), or '' for AWS's own",
    ),
]
Reserved = Annotated[
    Annotated[int, Meta(ge=0)] | Literal["none"],
    Meta(description="0 or more executions at once, or none (no reservation)"),
]
DeadLetterArn = Annotated[
    str,
    _whole(
        r"(arn:aws[a-z-]*:(sns|sqs):[a-z0-9-]+:\d{12}:[a-zA-Z0-9_.-]+)?",
        "the ARN of a topic or a queue, or '' for none",
    ),
]
LOG_DAYS = (
    "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, "
    "2922, 3288, 3653"
)
LogDays = Annotated[int, Meta(description=f"{LOG_DAYS} (days)")]
AliasName = Annotated[
    str,
    _whole(
        r"(?![0-9]+$)[a-zA-Z0-9_-]{0,128}", "1 to 128 letters, digits, - and _, not only digits"
    ),
]
KeepVersions = Annotated[int, Meta(ge=1, le=1000, description="1 to 1000 (versions)")]
Requirements = Annotated[
    str | tuple[str, ...],
    Meta(
        description="the path of a requirements file, a pyproject.toml or a uv.lock, or a list "
        "such as [requests==2.32.3]"
    ),
]
PackageName = Annotated[
    str,
    _whole(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", "a package's name, without its version"),
]
BuildCommand = Annotated[
    str | tuple[str, ...],
    Meta(description="a command for the shell, or a list such as [npm, run, build]"),
]
BucketName = Annotated[str, _whole(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of a bucket")]

# lambda.image

ImageUri = Annotated[
    str,
    _whole(
        r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|amazonaws\.eu"
        r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)/[a-z0-9._/-]+"
        r"(:[a-zA-Z0-9._-]+)?(@sha256:[0-9a-f]{64})?",
        "an image in ECR, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:1",
    ),
]

# lambda.vpc

SubnetId = Annotated[str, _whole(r"subnet-[0-9a-z]+", "a subnet's id, such as subnet-0a1b2c3d")]
SubnetIds = Annotated[
    tuple[SubnetId, ...], Meta(max_length=16, description="a list of at most 16 subnets' ids")
]
GroupId = Annotated[str, _whole(r"sg-[0-9a-zA-Z]+", "a group's id, such as sg-0a1b2c3d")]
GroupIds = Annotated[
    tuple[GroupId, ...], Meta(max_length=5, description="a list of at most 5 groups' ids")
]

# lambda.logging

LogGroup = Annotated[str, _whole(r"[a-zA-Z0-9._/#-]{0,512}", "1 to 512 letters, digits and ._-/#")]

# lambda.async

DestinationArn = Annotated[
    str,
    _whole(
        r"(arn:aws[a-z-]*:(sns|sqs|lambda|events|s3):[a-z0-9-]*:(\d{12})?:\S+)?",
        "the ARN of a topic, queue, function, event bus or bucket, or '' for none",
    ),
]

# lambda.permissions

StatementId = Annotated[str, _whole(r"[a-zA-Z0-9_-]{1,100}", "1 to 100 letters, digits, - and _")]
Action = Annotated[
    str, _whole(r"(\*|lambda:(\*|[a-zA-Z]+))", "an action such as lambda:InvokeFunction")
]
AccountId = Annotated[str, _whole(r"\d{12}", "an account's 12 digits")]
OrganizationId = Annotated[
    str, _whole(r"o-[a-z0-9]{10,32}", "an organization's id, such as o-a1b2c3d4e5")
]
EventSourceToken = Annotated[
    str, _whole(r"[a-zA-Z0-9._-]{1,256}", "a token, such as the id of an Alexa skill")
]

# lambda.event_sources: streams and queues

Concurrency = Annotated[
    Annotated[int, Meta(ge=2, le=1000)] | Literal["none"],
    Meta(description="2 to 1000, or none (no limit)"),
]
FailureArn = Annotated[
    str,
    _whole(
        r"(arn:aws[a-z-]*:(sns|sqs|s3):[a-z0-9-]*:(\d{12})?:\S+)?",
        "the ARN of a topic, queue or bucket, or '' for none",
    ),
]

# lambda.event_sources: rules, and what is JSON. JSON is held as the text that AWS takes.

RuleName = Annotated[str, _whole(r"[.\-_A-Za-z0-9]{1,64}", "1 to 64 letters, digits and .-_")]
RuleWords = Annotated[str, Meta(max_length=512, description="a text of at most 512 characters")]
RoleArn = Annotated[
    str, _whole(r"(arn:aws[a-z-]*:iam::\d{12}:role/\S+)?", "the ARN of a role, or '' for none")
]
RuleRetries = Annotated[int, Meta(ge=0, le=185, description="0 to 185")]
RuleEventAge = Annotated[int, Meta(ge=60, le=86400, description="60 to 86400 (seconds)")]
Json = Annotated[str, Meta(min_length=1, description="a mapping, or JSON in quotes")]
OptionalJson = Annotated[str, Meta(description="a mapping, JSON in quotes, or '' for none")]

# lambda.url

Methods = tuple[Literal["*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"], ...]
