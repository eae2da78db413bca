"""How time and calls grow with size: one table a curve.

Each module of the name growth_* owns one part: what it makes, does and counts.
"""

from __future__ import annotations

from bench import growth_page, growth_publish, growth_site, growth_zip
from local.emulator import running

TEXT = """\
## How it grows

A ratio of 1 means that the size does not matter. Times are medians, and stand beside what they
are compared with: the smallest size, or the plainest way to do the same in the same run.
"""


def measure() -> str:
    """Measure every curve.

    Raises: KappaError, if something that is measured fails or a count is not what it must be.
    """
    with running(proxied=True) as emulator:
        curves = [
            growth_publish.measure(emulator.endpoint_url),
            growth_page.measure(),
            growth_site.measure(emulator.endpoint_url),
            growth_zip.measure(emulator.endpoint_url),
        ]
    return "\n".join([TEXT, *curves])
