"""Access to AWS: the session, the clients and their calls, the translation of errors."""

from kappa.aws.client import Aws
from kappa.aws.errors import translated

__all__ = ["Aws", "translated"]
