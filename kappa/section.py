"""What every part of a kappa config is built of: a strict mapping, a text, an ARN."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_ARN_WORDS = "an ARN, such as arn:aws:sns:us-east-1:123456789012:topic"

ArnText = Annotated[
    str, Meta(pattern=r"^arn:aws[a-z-]*:[^:]+:[^:]*:[^:]*:.+$", description=_ARN_WORDS)
]
Text = Annotated[str, Meta(min_length=1, description="a text")]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file: unknown keys are errors."""
