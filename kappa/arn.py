"""Parse and build Amazon Resource Names. Pure: it makes no call and knows no config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+)"
    r":(?P<region>[a-z0-9-]*):(?P<account>\d{12}|aws|):(?P<resource>\S+)"
)


@dataclass(frozen=True)
class Arn:
    """The parts of an ARN; S3 buckets have neither region nor account."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        """The ARN as AWS writes it."""
        return ":".join(
            ("arn", self.partition, self.service, self.region, self.account, self.resource)
        )

    @property
    def name(self) -> str:
        """A short name: a stream's table, otherwise the last part of the resource."""
        if self.service == "dynamodb":
            return self.resource.split("/")[1]
        return re.split(r"[:/]", self.resource)[-1]


def parse_arn(text: str) -> Arn:
    """Split an ARN.

    Raises: ValueError, if the text is not an ARN.
    Source: AWS IAM guide, "Amazon Resource Names (ARNs)".
    """
    match = _ARN.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not an ARN (arn:partition:service:region:account:resource)")
    return Arn(**match.groupdict())


def unqualified(function_arn: str) -> str:
    """Remove the alias or version from a function's ARN."""
    return ":".join(function_arn.split(":")[:7])


def qualified(function: str, alias: str) -> str:
    """Add an alias or version, if any, to a function's name: NAME or NAME:ALIAS."""
    return f"{function}:{alias}" if alias else function


def invokes(target_arn: str, function_arn: str) -> bool:
    """Whether the target is the function or any version or alias of it."""
    return unqualified(target_arn) == function_arn


def qualifier(function_arn: str) -> str:
    """The alias or version in a function's ARN; "" for the function itself and for $LATEST."""
    name = ":".join(function_arn.split(":")[7:])
    return "" if name == "$LATEST" else name


def describe_qualifier(alias: str) -> str:
    """Name a qualifier in a message."""
    return f"the alias {alias}" if alias else "the function itself"


def matches_any_account(pattern: str) -> bool:
    """Whether an ARN pattern, or "", matches resources of any account.

    An ARN without an account, such as a bucket's, must name the resource.
    """
    *_, account, resource = f"{pattern}:::::".split(":", 5)[:6]
    return bool(set("*?").intersection(account)) if account else not resource.strip("*?:/")


@dataclass(frozen=True)
class Place:
    """The partition, region and account that turn a name into an ARN."""

    partition: str
    region: str
    account: str

    def function_arn(self, name: str, alias: str = "") -> str:
        """The ARN of a Lambda function, or of its alias."""
        resource = f"function:{qualified(name, alias)}"
        return str(Arn(self.partition, "lambda", self.region, self.account, resource))

    def role(self, path: str, name: str) -> str:
        """The ARN of an IAM role; `path` begins and ends with a slash."""
        return str(Arn(self.partition, "iam", "", self.account, f"role{path}{name}"))

    def policy(self, path: str, name: str) -> str:
        """The ARN of a customer managed policy; `path` begins and ends with a slash."""
        return str(Arn(self.partition, "iam", "", self.account, f"policy{path}{name}"))

    def aws_policy(self, path: str, name: str) -> str:
        """The ARN of an AWS managed policy, e.g. path "/service-role/"."""
        return str(Arn(self.partition, "iam", "", "aws", f"policy{path}{name}"))


def mapping_names(mapping: Mapping[str, Any]) -> tuple[str, str]:
    """The service that a mapping polls, and the source's short name: its topic or queue, if any.

    Source: AWS Lambda API, GetEventSourceMapping: self-managed Kafka has topics and no ARN.
    """
    inside = ", ".join((*mapping.get("Topics", ()), *mapping.get("Queues", ())))
    if "EventSourceArn" in mapping:
        source = parse_arn(mapping["EventSourceArn"])
        return source.service, inside or source.name
    return "kafka", inside or str(mapping["UUID"])
