"""Parse and build Amazon Resource Names. Pure text: it asks nobody and knows no config."""

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
        """What a person calls it: the table of a stream, else the last part of the resource."""
        if self.service == "dynamodb":
            return self.resource.split("/")[1]
        return re.split(r"[:/]", self.resource)[-1]


def parse(text: str) -> Arn:
    """Split an ARN.

    Raises: ValueError, if the text is not an ARN.
    Source: AWS IAM guide, "Amazon Resource Names (ARNs)".
    """
    match = _ARN.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not an ARN (arn:partition:service:region:account:resource)")
    return Arn(**match.groupdict())


def unqualified(function_arn: str) -> str:
    """Take the alias or version off a function's ARN, which has seven parts without."""
    return ":".join(function_arn.split(":")[:7])


def invokes(target_arn: str, function_arn: str) -> bool:
    """Whether what is invoked is the function, whichever version or alias of it."""
    return unqualified(target_arn) == function_arn


def qualifier(function_arn: str) -> str:
    """The alias or version of a function's ARN; "" is the function itself, as is $LATEST."""
    name = ":".join(function_arn.split(":")[7:])
    return "" if name == "$LATEST" else name


def words(alias: str) -> str:
    """Name a qualifier for people."""
    return f"the alias {alias}" if alias else "the function itself"


def is_anybodys(pattern: str) -> bool:
    """Whether an ARN with wildcards, or none, leaves it open whose the resource is.

    Without an account, as a bucket's, the resource must be named.
    """
    *_, account, resource = f"{pattern}:::::".split(":", 5)[:6]
    return bool(set("*?").intersection(account)) if account else not resource.strip("*?:/")


@dataclass(frozen=True)
class Place:
    """Where a function lives: with it, a name gives an ARN."""

    partition: str
    region: str
    account: str

    def function(self, name: str) -> str:
        """The ARN of a Lambda function."""
        return str(Arn(self.partition, "lambda", self.region, self.account, f"function:{name}"))

    def function_arn(self, name: str, alias: str = "") -> str:
        """The ARN of a Lambda function, or of its alias."""
        return self.function(f"{name}:{alias}" if alias else name)

    def role(self, path: str, name: str) -> str:
        """The ARN of an IAM role; `path` begins and ends with a slash."""
        return str(Arn(self.partition, "iam", "", self.account, f"role{path}{name}"))

    def policy(self, path: str, name: str) -> str:
        """The ARN of a customer's managed policy; `path` begins and ends with a slash."""
        return str(Arn(self.partition, "iam", "", self.account, f"policy{path}{name}"))

    def aws_policy(self, path: str, name: str) -> str:
        """The ARN of a policy that AWS manages, e.g. path "/service-role/"."""
        return str(Arn(self.partition, "iam", "", "aws", f"policy{path}{name}"))


def mapping_names(mapping: Mapping[str, Any]) -> tuple[str, str]:
    """The service that a mapping polls, and what a person calls the source.

    Source: AWS Lambda API, GetEventSourceMapping: a self-managed Kafka has topics and no ARN.
    """
    if "EventSourceArn" in mapping:
        source = parse(mapping["EventSourceArn"])
        return source.service, source.name
    return "kafka", ", ".join(mapping.get("Topics", ())) or str(mapping["UUID"])
