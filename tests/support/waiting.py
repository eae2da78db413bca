"""Poll until a condition holds."""

import time

# All tests share the emulator, which starts each function first.
_DEADLINE_S = 120.0


def wait_for(condition, deadline_s=_DEADLINE_S):
    """Call until the result is true; return it. Fails after the deadline."""
    deadline = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)
    return value
