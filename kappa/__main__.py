"""The `kappa` program, also as `python -m kappa`.

It raises the garbage collector's threshold before any other import. Otherwise the collector scans
the imported modules and the SDK's models again and again, which takes a third of a short
command's time.
"""

from __future__ import annotations

import gc
import signal
import sys
from types import FrameType

# Live objects before a collection; the SDK's models are some hundred thousand.
_GC_THRESHOLD = 500_000
_CTRL_C = 130


def main() -> None:
    """Run the `kappa` command. SIGTERM and SIGHUP end it as Ctrl-C does, so it tidies up."""
    gc.set_threshold(_GC_THRESHOLD)
    try:
        from kappa.commands.main import run
    except KeyboardInterrupt:
        sys.exit(_CTRL_C)

    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if not received:  # systemd sends both
            received.append(number)
            raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores one
            signal.signal(number, interrupt)
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(128 + received[0] if received and code == _CTRL_C else code)


if __name__ == "__main__":
    main()
