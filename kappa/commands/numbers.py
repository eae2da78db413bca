"""Numbers as a person reads them. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
# The same for an output that has no such characters.
_ASCII_BARS = "_.-=+*#@"


def duration(ms: float) -> str:
    """A time, e.g. "3.2 ms", "153 ms", "2.41 s", "3 min 20 s"."""
    if ms >= 120_000:
        minutes, seconds = divmod(round(ms / 1000), 60)
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    if ms >= 10_000:
        return f"{ms / 1000:.1f} s"
    if ms >= 1000:
        return f"{ms / 1000:.2f} s"
    return f"{ms:.1f} ms" if ms < 10 and ms != int(ms) else f"{ms:.0f} ms"


def age(ms: float) -> str:
    """How old something is, roughly, e.g. "40 s", "12 min", "5 h", "3 days"."""
    for unit, unit_ms in (("days", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if ms >= 2 * unit_ms:
            return f"{ms / unit_ms:.0f} {unit}"
    return f"{ms / 1000:.0f} s"


def size(size_bytes: int) -> str:
    """A size, e.g. "900 B", "1.2 kB", "3.4 MB"."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1000:.1f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def sparkline(numbers: Sequence[float | None], encoding: str = "utf-8") -> str:
    """One bar a number, the highest one full; a dot where there is no number."""
    bars, gap = (_BARS, "·") if _can(_BARS, encoding) else (_ASCII_BARS, " ")
    top = max((number for number in numbers if number is not None), default=0)

    def bar(number: float | None) -> str:
        if number is None:
            return gap
        # The lowest bar means zero: whatever is above zero is seen.
        if number <= 0 or top <= 0:
            return bars[0]
        return bars[max(1, round(number / top * (len(bars) - 1)))]

    return "".join(bar(number) for number in numbers)


def _can(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True
