"""The README's figures, taken from results.md, so that both say the same."""

from __future__ import annotations

import re
from pathlib import Path

from bench.report import RESULTS

README = Path(__file__).parents[1] / "README.md"
_TABLE = re.compile(r"(?<=\| What \| Result \|\n\|---\|---\|\n)(\|.*\n)+")


def write_figures() -> None:
    """Replace the README's figures by those of results.md."""
    README.write_text(_TABLE.sub(lambda _: figures(RESULTS.read_text()), README.read_text()))


def figures(results: str) -> str:
    """The rows of the README's table."""
    lines = [line.strip("| ").split(" | ") for line in results.splitlines() if line.startswith("|")]

    def cells(*first: str) -> list[str]:
        return next(line[len(first) :] for line in lines if line[: len(first)] == list(first))

    def ratio(tool: str) -> str:
        create = cells(tool)[0]
        return f"{float(create[create.index('(') + 1 : -1]):.2g}"

    def delivered_ms(readers: int, by: str) -> str:
        return f"{float(cells(str(readers), by, 'on the screen')[0]):.0f} ms"

    requests, compressed_bytes = cells("this", "the sign-in button")[:2]
    kilobytes = round(int(compressed_bytes.replace(",", "")) / 1000)
    chalice, sam = ratio("Chalice"), ratio("SAM CLI")
    push = f"{delivered_ms(1, 'push')} ({delivered_ms(10, 'push')} with 10 pages)"
    rows = {
        "`kappa create`, beside a bare boto3 script": f"{ratio('kappa')} times as long"
        f" (Chalice {chalice}, SAM CLI {sam})",
        "a message, from publish to another's screen, with push": push,
        "by polls": delivered_ms(1, "polls"),
        "the page, until the sign-in button appears": f"{kilobytes} kB, {requests} requests",
        "a poll that finds nothing new": f"{cells('this', 'a poll finds nothing new: 304')[1]}"
        " bytes",
    }
    return "".join(f"| {what} | {result} |\n" for what, result in rows.items())
