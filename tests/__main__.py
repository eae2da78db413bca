"""Run all tests, as `make test` does.

The tests on the emulator and in a browser wait at times: the page's and the unit tests run beside
them at a lower priority, and their output follows at the end.
"""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "s3-website"
PYTEST = (sys.executable, "-m", "pytest")
EMULATED = (sys.executable, "-m", "local", "run", "--quiet", "--", *PYTEST)
# commands, each with the folder that it runs in
STAGES = (
    ((*EMULATED, "-n", "5", "--dist", "loadfile", "tests/emulator"), ROOT),
    ((*EMULATED, "-n", "3", "--dist", "loadfile", "tests/browser"), ROOT),
)
NICE = ("nice", "-n", "5")
BESIDE = (
    (
        (*NICE, "node", "--test", *sorted(map(str, ROOT.glob("tests/unit/page/**/*.test.js")))),
        SITE,
    ),
    ((*NICE, *PYTEST, "-n", "3", "tests/unit"), ROOT),
)


def main(stages: Sequence = STAGES, beside: Sequence = BESIDE) -> int:
    """Run `stages` and `beside` at the same time; each list stops at its first failure.

    Return 0 if all tests passed.
    """
    # Ctrl-C reaches every command, and each of them cleans up; this process waits for them.
    signal.signal(signal.SIGINT, lambda *_: None)
    with tempfile.TemporaryFile() as output, ThreadPoolExecutor(1) as pool:
        others = pool.submit(passes, beside, stdout=output, stderr=subprocess.STDOUT)
        passed = passes(stages)
        passed = others.result() and passed
        output.seek(0)
        sys.stdout.write(output.read().decode(errors="replace"))
    return 0 if passed else 1


def passes(commands: Sequence, **streams) -> bool:
    """Run commands one after the other until one of them fails."""
    return all(
        subprocess.run(command, cwd=folder, check=False, **streams).returncode == 0
        for command, folder in commands
    )


if __name__ == "__main__":
    raise SystemExit(main())
