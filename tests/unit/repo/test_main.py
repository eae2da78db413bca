"""`python -m tests`: what fails in either row is a failure, and its output is shown."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CALL = "from tests.__main__ import main; import sys; "


def command(text, code=0):
    return (sys.executable, "-c", f"print({text!r}, flush=True); raise SystemExit({code})"), "."


def run(stages, beside):
    code = f"{CALL}sys.exit(main({stages!r}, {beside!r}))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_both_rows_pass_and_the_output_of_the_second_follows():
    done = run([command("first"), command("browser")], [command("page"), command("unit")])
    assert done.returncode == 0
    assert done.stdout.split() == ["first", "browser", "page", "unit"]


@pytest.mark.parametrize(
    ("stages", "beside", "shown"),
    [
        ([command("first", 1), command("browser")], [command("unit")], ["first", "unit"]),
        ([command("browser")], [command("page", 1), command("unit")], ["browser", "page"]),
        ([command("browser")], [command("unit", 2)], ["browser", "unit"]),
    ],
)
def test_a_failure_in_either_row_ends_that_row_and_fails(stages, beside, shown):
    done = run(stages, beside)
    assert done.returncode == 1
    assert done.stdout.split() == shown
