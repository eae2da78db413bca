"""How time and calls grow with size: one table a curve.

Each module named growth_* owns one curve: what it makes, does and counts.
"""

from __future__ import annotations

from bench import growth_list, growth_publish
from local.emulator import running

TEXT = """\
## How it grows

A ratio of 1 means that the size does not matter. Times are medians, and stand beside what they
are compared with: the smallest size, or the plainest way to do the same in the same run.
"""


def measure() -> str:
    """Measure every curve.

    Raises: KappaError, if there is no Chromium, or for what a page did not do.
    """
    with running(proxied=True) as emulator:
        published = growth_publish.measure(emulator.endpoint_url)
    return "\n".join([TEXT, published, growth_list.measure()])
