"""Run all tests, as `make test` does.

The tests on the emulator run alone, because they depend on its timing. Those in a browser often
wait: the page's and the unit tests run beside them at low priority, and their output follows at the
end.
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
ALONE = (((*EMULATED, "-n", "5", "--dist", "loadfile", "tests/emulator"), ROOT),)
STAGES = (((*EMULATED, "-n", "3", "--dist", "loadfile", "tests/browser"), ROOT),)
BESIDE = (
    (
        ("nice", "node", "--test", *sorted(map(str, ROOT.glob("tests/unit/page/**/*.test.js")))),
        SITE,
    ),
    (("nice", *PYTEST, "-n", "2", "tests/unit"), ROOT),
)


def main(alone: Sequence = ALONE, stages: Sequence = STAGES, beside: Sequence = BESIDE) -> int:
    """Run `alone`, then `stages` with `beside`; each list stops at its first failure.

    Return 0 if all tests passed.
    """
    # Ctrl-C reaches every command, and each of them cleans up; this process waits for them.
    signal.signal(signal.SIGINT, lambda *_: None)
    if not passes(alone):
        return 1
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
