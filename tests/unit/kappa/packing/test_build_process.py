"""The process of a build: its exit code, its output, and that nothing of it outlives kappa."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from kappa.packing.build_process import run
from tests.support.waiting import wait_for


@pytest.fixture
def written(tmp_path):
    """The number that a build has written into a file, once it is there."""

    def read(name):
        file = tmp_path / name
        return int(wait_for(lambda: file.exists() and file.read_text().strip()))

    return read


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_text_is_for_the_shell_and_a_list_is_not(tmp_path):
    assert run("echo $A | tr a b; exit 3", tmp_path, {"A": "aaa"}) == (3, "bbb")
    assert run(["echo", "$A | *", "-n"], tmp_path, {}) == (0, "$A | * -n")


def test_a_text_is_hidden_from_other_users_and_leaves_no_variable(tmp_path):
    # The processes above: the shell of the text, and the one that waits for it.
    code, output = run("ps -o args= -p $$,$PPID; env | grep KAPPA_; : s3cret", tmp_path, {})
    assert code == 0
    assert output
    assert "s3cret" not in output


def test_a_list_runs_programs_and_no_builtin_of_the_shell(tmp_path):
    code, output = run(["export", "A=1"], tmp_path, {})
    assert code == 127
    assert "export" in output


@pytest.mark.parametrize("command", ["no-such-program", ["no-such-program"]])
def test_a_program_that_does_not_exist_is_named(tmp_path, command):
    code, output = run(command, tmp_path, {})
    assert code == 127
    assert "no-such-program" in output


def test_a_build_that_a_signal_ends_has_the_code_of_a_shell(tmp_path):
    assert run("kill -9 $$", tmp_path, {})[0] == 137
    assert run("kill -15 0", tmp_path, {})[0] == 143


def test_a_build_cannot_wait_for_input(tmp_path):
    assert run("cat; echo end", tmp_path, {}) == (0, "end")


def test_the_output_is_its_last_lines_as_a_terminal_shows_them(tmp_path):
    script = r"""printf '\033[31mred\033[0m\r\n1 %%\r50 %%\r100 %%\n'; printf 'both\n' >&2"""
    assert run(script, tmp_path, {}) == (0, "red\n100 %\nboth")
    _, output = run("seq 100000", tmp_path, {})
    lines = output.split("\n")
    assert (lines[0], lines[-1], len(lines)) == ("...", "100000", 201)


def test_a_line_that_is_cut_is_not_shown(tmp_path):
    """A part of a secret would be left of it, which the printer does not know."""
    _, output = run(f"printf 's3cret%{64 * 1024}s\\nend\\n' x", tmp_path, {})
    assert output == "...\nend"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")  # noqa: PTH112
def test_what_a_build_leaves_running_ends_with_it(tmp_path, written):
    assert run("sleep 60 & echo $! >left", tmp_path, {})[0] == 0
    wait_for(lambda: not is_alive(written("left")), 5)


@pytest.fixture
def interrupt(tmp_path, written):
    """Run a build, and press Ctrl-C once it has written a file."""

    def run_until(name, command):
        def press():
            written(name)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=press).start()
        with pytest.raises(KeyboardInterrupt):
            run(command, tmp_path, {})

    return run_until


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")  # noqa: PTH112
def test_ctrl_c_ends_the_whole_build(interrupt, written):
    interrupt("deep", "sh -c 'echo $$ >deep; exec sleep 60' & sleep 60")
    wait_for(lambda: not is_alive(written("deep")), 5)


def test_after_ctrl_c_a_build_may_clean_up_and_runs_no_further_program(interrupt, tmp_path):
    slow = "trap 'sleep 0.3; echo >cleaned; exit' TERM; echo 1 >up; sleep 600"
    interrupt("up", f'sh -c "{slow}"; echo >further')
    assert {path.name for path in tmp_path.iterdir()} == {"up", "cleaned"}


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")  # noqa: PTH112
def test_a_build_ends_when_kappa_is_killed(tmp_path, written):
    code = (
        "from pathlib import Path; from kappa.packing.build_process import run; "
        "run(\"trap '' TERM; sh -c 'echo $$ >deep; exec sleep 60'\", Path('.'), {})"
    )
    kappa = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    deep = written("deep")
    kappa.kill()
    kappa.wait()
    wait_for(lambda: not is_alive(deep), 5)
