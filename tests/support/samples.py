"""How much of a test's cases is tried: a fixed sample in `make test`, each one in `make soak`."""

import os

ALL = os.environ.get("TEST_CASES") == "all"


def sample(*kept, more):
    """The cases that always run; in `make soak` those of `more`, too."""
    return [*kept, *more] if ALL else [*kept]
