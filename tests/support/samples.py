"""Choose the cases of a long test: a fixed sample in `make test`, all in `make soak`."""

import os

ALL = os.environ.get("TEST_CASES") == "all"


def sample(*kept, more):
    """Return the cases in `kept` and, in `make soak`, those in `more`."""
    return [*kept, *more] if ALL else [*kept]
