"""Wait until something is so, for tests of what takes its time."""

import time


def wait_for(condition, deadline_s=60.0):
    """Call until the result is true; return it. Fails after the deadline."""
    deadline = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)
    return value
