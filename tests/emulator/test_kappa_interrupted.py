"""Stop each command at each of its calls to AWS; the same command then completes the work.

`make test` tries a fixed sample of the calls, `make interrupted` all of them.
"""

from functools import cache

import pytest

from tests.support.kappa.whole_project import Project, nth
from tests.support.samples import ALL

# The sample's distance between calls, for each way to stop a command.
STRIDES = {"kill": 43, "lose": 59, "deny": 61, "drop": 67}
# The way, besides a kill, in which the sample stops a command.
SECOND = {
    "create": "deny",
    "deploy": "lose",
    "add_event_sources": "drop",
    "update_code": "deny",
    "delete": "lose",
    "again": "drop",
}
CASES = [
    (command, outcome)
    for command in SECOND
    for outcome in STRIDES
    if ALL or outcome in ("kill", SECOND[command])
]


def prepare(project, command):
    """Bring an account into the state in which the command has most to do."""
    if command in ("add_event_sources", "update_code"):
        assert project.kappa("create").returncode == 0
    if command in ("again", "delete"):
        assert project.kappa("deploy").returncode == 0
    if command in ("again", "update_code"):
        project.change()
    return "deploy" if command == "again" else command


def calls_to_stop(total, outcome):
    """The numbers of the calls at which to stop the command; each way has another sample."""
    stride = STRIDES[outcome]
    return range(1, total + 1) if ALL else range(stride % 13, total + 1, stride)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, emulator, through):
    """The number of calls of an uninterrupted command, and the account's content after it."""

    @cache
    def of(command):
        folder = tmp_path_factory.mktemp("undisturbed") / command
        project = Project(folder, emulator, through)
        words = prepare(project, command)
        done = project.kappa(words)
        assert done.returncode == 0, done.stderr
        return words, len(project.through.operations), project.contents()

    return of


@pytest.mark.parametrize(("command", "outcome"), CASES)
def test_a_command_that_is_stopped_at_a_call_is_completed_by_the_next(
    projects_of, undisturbed, command, outcome, figure
):
    words, calls, wanted = undisturbed(command)
    stopped = calls_to_stop(calls, outcome)
    for number in stopped:
        project = projects_of()
        prepare(project, command)
        where = f"{command}, {outcome} at call {number} of {calls}"
        if outcome == "kill":
            said = project.killed(words, at=number)
        else:
            done = project.kappa(words, before=nth(number, outcome))
            said = done.stderr
            assert done.returncode in (0, 1), f"{where}: {said}"
        assert "Traceback" not in said, f"{where}: {said}"
        again = project.kappa(words)
        assert again.returncode == 0, f"{where}: {said}\n-- again:\n{again.stderr}"
        assert project.contents() == wanted, f"{where}: {said}\n-- again:\n{again.stderr}"
        if ALL or number == stopped[-1]:
            project.assert_deletes_everything()
    figure(f"kappa {command}, stopped by {outcome}: {len(stopped)} of {calls} calls")
