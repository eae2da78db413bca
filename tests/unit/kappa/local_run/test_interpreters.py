"""Which command runs a function, and what cannot run here."""

import json
import os
import socket
import sys
from pathlib import Path

import pytest

from kappa.local_run import interpreters
from kappa.local_run.interpreters import CannotRun, Sdk, other_version, plan_launch
from kappa.packing.build import read_archive
from tests.support.aws.processes import free_port
from tests.support.builders import kappa_config

HERE = f"python3.{sys.version_info.minor}"
APP = {"app.py": "handler = 1"}
ELF = b"\x7fELF\x02\x01\x01" + bytes(11)


@pytest.fixture
def plan(config_of, tmp_path):
    def make(files=APP, debug_port=0, **keys):
        config = config_of(files, **keys)
        archive = read_archive(config)
        places = (tmp_path / "code", tmp_path / "compiled")
        return plan_launch(config, archive, *places, Sdk("/sdk", ("botocore",)), debug_port)

    return make


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH with only these programs, and a home without a version manager."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("NVM_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    def add(name, text="", place=folder):
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(0o755)
        return str(place / name)

    return add


def test_python_runs_without_this_machines_packages(plan, tmp_path):
    launch = plan()
    assert launch.command[:3] == (sys.executable, "-u", "-S")
    given = json.loads(launch.command[-1])
    assert (given["handler"], given["source"]) == ("app.handler", str(tmp_path / "code"))
    assert (given["sdk_path"], given["sdk_names"]) == ("/sdk", ["botocore"])
    assert launch.warnings == ()


def test_the_runtimes_own_python_is_chosen_where_it_is_installed(plan, tools):
    python = tools("python3.99")
    assert plan(runtime="python3.99").command[0] == python


def test_uv_knows_of_pythons_that_are_not_on_the_path(plan, tools):
    tools("uv", 'echo "$@" > "$0.log"; echo /uv/python3.99')
    launch = plan(runtime="python3.99")
    assert (launch.command[0], launch.warnings) == ("/uv/python3.99", ())
    assert "--no-python-downloads 3.99" in Path(os.environ["PATH"], "uv.log").read_text()


@pytest.mark.usefixtures("tools")
def test_another_python_is_warned_of(plan):
    launch = plan(runtime="python3.99")
    assert launch.command[0] == sys.executable
    (warning,) = launch.warnings
    here = f"Python 3.{sys.version_info.minor}"
    assert warning == f"python3.99 is not installed here: the function runs with {here}."


NODE = {"files": {"app.js": "exports.handler = 1"}, "runtime": "nodejs22.x"}


@pytest.mark.usefixtures("tools")
def test_node_that_is_missing_is_named(plan):
    with pytest.raises(CannotRun, match=r"greeter needs Node\.js, which is not installed"):
        plan(**NODE)


def test_node_of_the_version_wins_over_the_one_on_the_path(plan, tools, tmp_path):
    node = tools("node")
    assert plan(**NODE).command[0] == node
    tools("node", place=tmp_path / ".nvm/versions/node/v22.9.0/bin")
    newest = tools("node", place=tmp_path / ".nvm/versions/node/v22.10.0/bin")
    assert plan(**NODE).command[0] == newest
    named = tools("node22")
    assert plan(**NODE).command[0] == named


def test_nodes_heap_follows_the_memory(plan, tools):
    tools("node")
    assert "--max-old-space-size=460" in plan(**NODE, memory_size=512).command
    own = plan(**NODE, environment="{NODE_OPTIONS: --max_old_space_size=99}").command
    assert not any("old-space" in word for word in own)


def test_the_version_of_node_is_known_once_it_runs():
    node = kappa_config({"runtime": "nodejs22.x"}).function
    assert other_version(node, "kappa-node/22.1.0") == ""
    assert "runs with Node.js 20." in other_version(node, "kappa-node/20.9.1")
    assert other_version(kappa_config({}).function, "kappa-python/3.11") == ""


def bootstrap(plan, tmp_path, content, mode=0o755, **keys):
    (tmp_path / "code").mkdir()
    (tmp_path / "code/bootstrap").write_bytes(content)
    (tmp_path / "code/bootstrap").chmod(mode)
    return plan({}, runtime="provided.al2023", handler="x", **keys)


def test_a_bootstrap_runs_by_itself(plan, tmp_path):
    launch = bootstrap(plan, tmp_path, b"#!/bin/sh\n")
    assert launch.command == (str(tmp_path / "code/bootstrap"),)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"#!/bin/sh\n", 0o644, "not executable"),
        (ELF + b"\xff\x00", 0o755, "is built for Linux on another processor"),
    ],
)
def test_a_bootstrap_that_does_not_run_here_is_refused(plan, tmp_path, content, mode, words):
    with pytest.raises(CannotRun, match=words):
        bootstrap(plan, tmp_path, content, mode)


def test_a_program_for_the_other_architecture_is_refused(plan, tmp_path, monkeypatch):
    monkeypatch.setattr(interpreters, "_machine", lambda: ("x86_64", "Linux"))
    with pytest.raises(
        CannotRun, match="built for Linux on arm64; this machine is Linux on x86_64"
    ):
        bootstrap(plan, tmp_path, ELF + b"\xb7\x00")
    monkeypatch.setattr(interpreters, "_machine", lambda: ("arm64", "Linux"))
    assert plan({}, runtime="provided.al2023", handler="x").command


def test_a_missing_bootstrap_is_named(plan):
    with pytest.raises(CannotRun, match="has no file bootstrap"):
        plan(runtime="provided.al2023")


@pytest.mark.parametrize("runtime", ["java21", "ruby3.3", "dotnet8", "go1.x"])
def test_other_runtimes_are_refused(plan, runtime):
    with pytest.raises(CannotRun, match=f"no client for the runtime {runtime}"):
        plan(runtime=runtime)


def test_native_code_of_another_machine_is_warned_of(plan, monkeypatch):
    monkeypatch.setattr(interpreters, "_machine", lambda: ("x86_64", "Linux"))
    files = APP | {"a/b.so": "", "c.so.1": ""}
    assert plan(files).warnings == ()
    (warning,) = plan(files, architectures="[arm64]").warnings
    assert warning.startswith("a/b.so and 1 more files are compiled for Linux on arm64")
    assert warning.endswith(" `architectures: [x86_64]` installs packages for this machine.")
    monkeypatch.setattr(interpreters, "_machine", lambda: ("x86_64", "Darwin"))
    (warning,) = plan(files, architectures="[arm64]").warnings
    assert warning.endswith("importing them fails.")


def test_native_code_of_another_python_is_warned_of(plan, monkeypatch):
    monkeypatch.setattr(interpreters, "_machine", lambda: ("x86_64", "Linux"))
    own = f"a.cpython-3{sys.version_info.minor}-x86_64-linux-gnu.so"
    assert plan(APP | {own: ""}).warnings == ()
    (warning,) = plan(APP | {"b.cpython-399-x86_64-linux-gnu.so": ""}).warnings
    assert warning.startswith("b.cpython-399-x86_64-linux-gnu.so is compiled for")


def test_layers_are_warned_of(plan):
    layer = "arn:aws:lambda:eu-west-1:111122223333:layer:tea:1"
    (warning,) = plan(layers=f"[{layer}]").warnings
    assert "layers are not used here" in warning


def test_a_wrapper_script_starts_the_runtime(plan, tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code/wrap.sh").write_text("#!/bin/sh\n")
    (tmp_path / "code/wrap.sh").chmod(0o755)
    environment = "{AWS_LAMBDA_EXEC_WRAPPER: /var/task/wrap.sh}"
    command = plan(environment=environment).command
    assert command[:2] == (str(tmp_path / "code/wrap.sh"), sys.executable)


def test_a_wrapper_of_a_layer_is_refused(plan):
    with pytest.raises(CannotRun, match="AWS_LAMBDA_EXEC_WRAPPER is /opt/bootstrap"):
        plan(environment="{AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap}")


def test_a_debugger_needs_a_free_port(plan):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotRun, match=f"Port {port} cannot be used"):
            plan(debug_port=port)


def test_a_debugger_needs_debugpy(plan, tools):
    python = tools("python3.99", "exit 1")
    with pytest.raises(CannotRun, match="needs debugpy") as caught:
        plan(runtime="python3.99", debug_port=free_port())
    assert caught.value.hint == f"Run `{python} -m pip install debugpy`."


def test_own_runtimes_have_no_debugger(plan, tmp_path):
    with pytest.raises(CannotRun, match="no debugger that kappa knows"):
        bootstrap(plan, tmp_path, b"#!/bin/sh\n", debug_port=free_port())
