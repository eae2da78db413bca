"""When lambda.build runs and with what; its exit code and output; nothing of it outlives kappa."""

import fcntl
import os
import signal
import subprocess
import sys
import threading

import pytest
from msgspec.structs import replace

from kappa.config.inputs import Inputs, collecting, read_again
from kappa.config.read import read_config
from kappa.errors import ArchiveError, ConfigError
from kappa.package.build import built, run
from kappa.package.pack import check_architecture, read_archive
from tests.support.builders import kappa_config
from tests.support.waiting import wait_for

# Writes its input to the output, and a line for each run.
COPY = 'echo run >>"$RUNS"; mkdir -p dist; cp src/greeter.py dist/'


@pytest.fixture
def project(tmp_path, tmp_path_factory, monkeypatch):
    """A folder with a source; runs are counted in a file outside of it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "greeter.py").write_text("1")
    monkeypatch.setenv("RUNS", str(tmp_path_factory.mktemp("outside") / "runs"))
    return tmp_path


@pytest.fixture
def runs(project):
    def count():
        with open(os.environ["RUNS"], "a+") as file:  # noqa: PTH123
            file.seek(0)
            return file.read().count("run")

    return count


def config_of(folder, command=COPY, **function):
    keys = {"path": "dist", "build": command, **function}
    (folder / "config.yml").touch()
    return replace(kappa_config(keys), file=folder / "config.yml")


def pack(folder, command=COPY, **function):
    return read_archive(config_of(folder, command, **function))


def test_a_build_runs_each_time_and_its_output_is_packed(project, runs):
    first = pack(project)
    assert first.names == ("greeter.py",)
    assert pack(project) == first
    assert runs() == 2


def test_a_build_gets_the_runtime_the_architecture_and_the_place_of_its_output(project):
    command = 'mkdir -p dist; env | grep ^KAPPA_ | sort >"$KAPPA_OUT/env"; pwd >>dist/env'
    pack(project, command, architectures=("arm64",))
    assert (project / "dist" / "env").read_text().split("\n") == [
        "KAPPA_ARCHITECTURE=arm64",
        f"KAPPA_OUT={project}/dist",
        "KAPPA_RUNTIME=python3.13",
        str(project),
        "",
    ]


def test_a_failed_build_shows_its_output_and_packs_nothing(project):
    (project / "config.yml").write_text(
        "iam: {role: {name: r}}\n"
        "lambda:\n"
        "  {name: greeter, path: dist, handler: greeter.handler, runtime: python3.13,\n"
        "  build: 'echo looked; echo; echo no tea >&2; exit 42'}\n"
    )
    with pytest.raises(ArchiveError) as error:
        read_archive(read_config(project / "config.yml"))
    assert error.value.exit_code == 1
    assert error.value.message == (
        f"{project}/config.yml:4: lambda.build failed with exit code 42.\n    looked\n\n    no tea"
    )


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("true", "did not create"),
        ("mkdir -p dist", "no file to pack"),
        ("echo \0", r"lambda\.build could not be started"),
        ("rm -r ../*/src/.. 2>/dev/null; rm -r $PWD", r"lambda\.build removed .*config\.yml"),
    ],
)
def test_a_build_that_makes_nothing_is_an_error(project, command, problem):
    with pytest.raises((ArchiveError, ConfigError), match=problem):
        pack(project, command)


def test_a_build_that_removes_the_folder_in_which_kappa_runs_ends_in_one_error(project):
    text = "iam: {role: {name: r}}\nlambda:\n  {name: g, path: dist, handler: a.b, "
    (project / "config.yml").write_text(f"{text}runtime: python3.13, build: rm -r $PWD}}\n")
    command = [sys.executable, "-m", "kappa", "config.yml", "package"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: lambda.build removed config.yml." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_zip_that_is_built_is_uploaded_as_it_is(project):
    script = "import zipfile as z; z.ZipFile('out.zip', 'w').write('src/greeter.py', 'greeter.py')"
    archive = pack(project, [sys.executable, "-c", script], path="out.zip")
    assert archive.data == (project / "out.zip").read_bytes()


def test_a_second_kappa_waits_until_the_first_has_packed(project, runs):
    """Two environments may build into one folder, each for its own architecture."""
    reports, done = [], []
    other = config_of(project, architectures=("arm64",))

    def build_too():
        done.append(read_archive(other, report=reports.append))

    with built(config_of(project), lambda _: None):
        thread = threading.Thread(target=build_too)
        thread.start()
        wait_for(lambda: reports, 5)
        assert reports[0].mark == "waiting"
        assert (runs(), done) == (1, [])
    thread.join()
    assert runs() == 2


def test_a_build_that_runs_kappa_for_the_same_folder_is_an_error(project, monkeypatch):
    monkeypatch.setenv("KAPPA_OUT", str(project / "dist"))
    with pytest.raises(ConfigError, match="runs kappa, which builds the same"):
        pack(project)
    # For another folder it does not wait for the lock of the build that it is part of.
    monkeypatch.setenv("KAPPA_OUT", str(project / "other"))
    with built(config_of(project), lambda _: None):
        assert pack(project).names == ("greeter.py",)


def test_the_lock_ends_with_kappa_and_is_not_the_builds(project):
    pack(project, f"{COPY}; sleep 0 &")
    folder = os.open(project, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(folder)


def test_nothing_is_built_for_the_wrong_architecture(project):
    config = config_of(project, runtime="provided.al2023")
    with pytest.raises(ConfigError, match="it would be built for x86_64"):
        check_architecture(config, ["arm64"])
    check_architecture(config, ["x86_64"])


@pytest.mark.parametrize(
    ("more", "is_change"),
    [
        ("touch src/greeter.py", False),
        ("touch src/tmp; rm src/tmp", False),
        ("rm -rf dist/old", False),
        ("date +%s%N >src/greeter.py", True),
    ],
)
def test_a_watch_sees_no_change_in_what_a_build_leaves_as_it_was(project, more, is_change):
    inputs = Inputs()
    with collecting(inputs):
        pack(project, f"{COPY}; mkdir dist/old; {more}")
    assert (read_again(inputs) != inputs) == is_change
    (project / "src" / "greeter.py").write_text("by hand")
    assert read_again(inputs) != inputs


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
        "from pathlib import Path; from kappa.package.build import run; "
        "run(\"trap '' TERM; sh -c 'echo $$ >deep; exec sleep 60'\", Path('.'), {})"
    )
    kappa = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    deep = written("deep")
    kappa.kill()
    kappa.wait()
    wait_for(lambda: not is_alive(deep), 5)
