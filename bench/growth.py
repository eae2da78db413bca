"""How time and calls grow with size.

Each module growth_* measures one curve and returns its table.
"""

from __future__ import annotations

from bench import growth_list, growth_publish
from local.emulator import running

TEXT = """\
## How it grows

A ratio of 1 means that the size does not matter. Times are medians, shown beside a baseline from
the same run: another size, or the simplest way to do the same.
"""


def measure() -> str:
    """Measure every curve.

    Raises: KappaError, if there is no Chromium, or if a page misbehaves.
    """
    with running(proxied=True) as emulator:
        published = growth_publish.measure(emulator.endpoint_url)
    return "\n".join([TEXT, published, growth_list.measure()])
