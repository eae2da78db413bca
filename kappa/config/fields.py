"""What every part of a kappa config is built of: a strict mapping, a text, an ARN."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_ARN_WORDS = "an ARN, such as arn:aws:sns:us-east-1:123456789012:topic"

ArnText = Annotated[
    str, Meta(pattern=r"^arn:aws[a-z-]*:[^:]+:[^:]*:[^:]*:.+$", description=_ARN_WORDS)
]
Text = Annotated[str, Meta(min_length=1, description="a text")]
RegionName = Annotated[
    str,
    Meta(
        pattern=r"^([a-z]{2,}(-[a-z]+)+-[0-9]+)?$", description="an AWS region, such as us-east-1"
    ),
]
# A blank of an example, such as <your profile>, is not a profile.
ProfileName = Annotated[
    str, Meta(pattern=r"^(?!<.*>$)", description="the name of a profile of ~/.aws/config")
]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file: unknown keys are errors."""
