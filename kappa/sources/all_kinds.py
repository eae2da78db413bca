"""The kinds of event sources, by service.

The function's URL is not among them: it has its own section in a config (url.py).
"""

from __future__ import annotations

from kappa.config.model import EventSource
from kappa.sources import polled, rule, s3, sns
from kappa.sources.kind import Kind

# By the service that a source's ARN names.
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("dynamodb", "kinesis", "sqs"), polled.KIND),
    **dict.fromkeys(("kafka", "mq", "rds"), polled.UNSAMPLED),
    "events": rule.KIND,
    "s3": s3.KIND,
    "sns": sns.KIND,
}


def kind_of(source: EventSource) -> Kind:
    """The kind of a source. A config has sources of these services only."""
    return KINDS[source.service]
