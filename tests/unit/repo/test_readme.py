"""The README's commands are those of local mode, its figures those of the benchmarks."""

import re
from pathlib import Path

from bench.readme import figures
from local.bootstrap import COMMANDS

ROOT = Path(__file__).resolve().parents[3]


def typed_commands():
    """Return the README's commands, each with the folder that its `cd` lines lead to."""
    folder, commands = ROOT, []
    for line in (ROOT / "README.md").read_text().splitlines():
        command = re.sub(r"\s+#.*", "", line).removeprefix("    ").strip()
        if not line.startswith("    "):
            continue
        if command.startswith("cd ") and (folder / command[3:]).is_dir():
            folder = (folder / command[3:]).resolve()
        else:
            commands.append((folder.relative_to(ROOT).as_posix(), command))
    return commands


def test_local_mode_runs_the_readmes_commands_in_the_readmes_order():
    places = [typed_commands().index(command) for command in COMMANDS]
    assert places == sorted(places)


def test_the_readmes_figures_are_those_of_the_benchmarks_results():
    table = figures((ROOT / "bench" / "results.md").read_text())
    assert table in (ROOT / "README.md").read_text()
