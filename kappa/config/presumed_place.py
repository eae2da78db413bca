"""Where a function is, as far as its config tells: AWS is not asked."""

from __future__ import annotations

from kappa.arn import Place, parse_arn
from kappa.aws.regions import partition_of
from kappa.config.model import Config

# Where nothing names one.
_ANY_ACCOUNT, _ANY_REGION = "123456789012", "us-east-1"


def presumed_place(config: Config, region: str) -> Place:
    """The function's place in a region; "" is the one that the config's ARNs name, or any."""
    texts = (config.role.arn, *(source.arn for source in config.function.event_sources))
    arns = [parse_arn(text) for text in texts if text]
    region = region or next((arn.region for arn in arns if arn.region), _ANY_REGION)
    account = next((arn.account for arn in arns if arn.account.isdecimal()), _ANY_ACCOUNT)
    partition = arns[0].partition if arns else partition_of(region)
    return Place(partition, region, account)
