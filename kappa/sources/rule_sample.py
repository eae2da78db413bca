"""Sample events of EventBridge's rules: of a schedule, or one that a pattern matches.

Source: Amazon EventBridge user guide, "Events in Amazon EventBridge"; AWS Lambda guide, "Invoke a
Lambda function on a schedule".
"""

from __future__ import annotations

import json
from typing import Any

from kappa.config.model import EventSource
from kappa.sources.kind import Occasion
from kappa.sources.pattern_examples import example, merged


def sample(source: EventSource, occasion: Occasion, rule_arn: str) -> Any:  # noqa: ANN401 - JSON
    """Make the event that the rule sends; its `input` replaces the whole event."""
    if source.input:
        return json.loads(source.input)
    event: dict[str, Any] = {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event" if source.schedule else "sample",
        "source": "aws.events" if source.schedule else "sample",
        "account": occasion.place.account,
        "time": occasion.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": occasion.place.region,
        "resources": [rule_arn] if source.schedule else [],
        "detail": {},
    }
    wanted = example(json.loads(source.pattern)) if source.pattern else {}
    if isinstance(wanted.get("resources"), str):
        wanted["resources"] = [wanted["resources"]]
    return merged(event, wanted)
