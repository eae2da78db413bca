"""Which cases of a long test run: a fixed sample in `make test`, all of them in `make soak`."""

import os

ALL = os.environ.get("TEST_CASES") == "all"


def sample(*kept, more):
    """Return the cases that always run and, in `make soak`, those of `more`."""
    return [*kept, *more] if ALL else [*kept]
