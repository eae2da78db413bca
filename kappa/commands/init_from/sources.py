"""What invokes an existing function, in the words of a config. It only reads.

Owns how the sources are found: Lambda lists the mappings, and the function's own policy says which
topics, buckets and rules there are. What a config holds of each is its kind's.
"""

from __future__ import annotations

from kappa.arn import parse_arn
from kappa.aws import Aws
from kappa.errors import Denied, NotFound
from kappa.function.permissions import Statement, admits, caller
from kappa.sources import polled
from kappa.sources.all_kinds import KINDS
from kappa.sources.kind import Adopted


def adopt_sources(aws: Aws, function_arn: str, statements: tuple[Statement, ...]) -> Adopted:
    """Read the event sources of a function."""
    doing = f"reading the event sources of {parse_arn(function_arn).name}"
    mappings = aws.pages(
        "lambda",
        "list_event_source_mappings",
        doing,
        "EventSourceMappings",
        {"FunctionName": function_arn},
    )
    parts = [
        *map(polled.adopt, mappings),
        *(_called(aws, statement, function_arn, doing) for statement in statements),
    ]
    return Adopted(
        tuple(source for part in parts for source in part.sections),
        tuple(name for part in parts for name in part.left_out),
    )


def _called(aws: Aws, statement: Statement, function_arn: str, doing: str) -> Adopted:
    """Find what invokes the function by one statement, if a config can express the statement."""
    # Some services call with their region in the name: see caller().
    service = statement.principal.removesuffix(".amazonaws.com").split(".")[0]
    kind = KINDS.get(service)
    if kind is None or kind.adopt is None:
        return Adopted()
    name = f"what {service} invokes it for by the permission {statement.statement_id}"
    if statement.foreign:
        return Adopted(left_out=(f"{name}: the permission is not in this config",))
    if not statement.source_arn or {"*", "?"}.intersection(statement.source_arn):
        return Adopted(left_out=(f"{name}, if there is any: it names no single source",))
    region = parse_arn(function_arn).region
    by = caller(statement.source_arn, service, region)
    if not admits(statement, by, statement.source_arn):
        return Adopted(left_out=(f"{name}: kappa's own permission would be wider",))
    try:
        return kind.adopt(aws, statement.source_arn, function_arn, doing)
    except NotFound:
        return Adopted()
    except Denied as error:
        return Adopted(left_out=(f"{name}, if there is any: {error.message}",))
