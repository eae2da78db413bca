"""Two concurrent commands on a function lose nothing, and another run completes the work.

`make test` tries three pairs of commands, `make interrupted` all pairs.
"""

import itertools
import subprocess
import sys

import pytest

from tests.support.kappa.whole_project import COMMANDS
from tests.support.samples import ALL

PAIRS = [
    pair
    for pair in itertools.combinations_with_replacement(COMMANDS, 2)
    if ALL or pair in (("deploy", "deploy"), ("create", "deploy"), ("delete", "delete"))
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_commands_at_once_lose_nothing_and_one_more_run_ends_well(projects_of, one, other):
    project = projects_of()
    if {one, other} & {"delete", "add_event_sources", "update_code"}:
        assert project.kappa("deploy" if "delete" in (one, other) else "create").returncode == 0
    project.through.before = None
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "kappa", project.folder / "config.yml", command],
            env=project.env,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in (one, other)
    ]
    for process in processes:
        said = process.communicate(timeout=120)[1]
        assert "Traceback" not in said, said
        assert process.returncode in (0, 1), said
    project.forget_url()
    done = project.kappa("deploy")
    assert done.returncode == 0, done.stderr
    again = project.kappa("deploy")
    assert (again.returncode, again.stderr.splitlines()[1:]) == (0, ["No changes."])
    undisturbed = projects_of()
    assert undisturbed.kappa("deploy").returncode == 0
    actual, expected = project.contents(), undisturbed.contents()
    for contents in (actual, expected):
        # If both commands updated the function, there may be one more version.
        contents["aliases"] = [name for name, _ in contents["aliases"]]
    assert actual == expected
    project.assert_deletes_everything()
