"""Which command runs a function, and what cannot run here."""

import json
import socket
import sys

import pytest

from kappa.local_run import interpreter
from kappa.local_run.interpreter import CannotRun, Sdk, other_version, plan_launch
from kappa.package.pack import read_archive
from tests.support.aws.processes import free_port
from tests.support.builders import kappa_config

HERE = f"python3.{sys.version_info.minor}"
APP = {"app.py": "handler = 1"}
COMPILED = {"a/b.so": "", "c.so.1": ""}
BOOTSTRAP = {"bootstrap": "#!/bin/sh\n"}
OWN = {"runtime": "provided.al2023"}
ARM = {"architectures": "[arm64]"}
IS_ARM = "The function is for Linux on arm64, and this machine is"
ON_X86 = f"{IS_ARM} Linux on x86_64"
NOT = "may not run here."
X86 = f"{NOT} To run it here, set `architectures: [x86_64]` and build it again."


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
    """A PATH with only these programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def add(name, text=""):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
        return str(folder / name)

    return add


def test_python_runs_without_this_machines_packages(plan, tmp_path):
    launch = plan()
    assert launch.command[:3] == (sys.executable, "-u", "-S")
    given = json.loads(launch.command[-1])
    assert (given["handler"], given["source"]) == ("app.handler", str(tmp_path / "code"))
    assert (given["sdk_path"], given["sdk_names"]) == ("/sdk", ["botocore"])
    assert launch.warnings == ()


def test_the_runtimes_own_python_is_chosen_where_it_is_installed(plan, tools):
    tools("python3.99", "echo /own/python3.99")
    launch = plan(APP | COMPILED, runtime="python3.99")
    assert (launch.command[0], launch.warnings, launch.foreign) == ("/own/python3.99", (), "")


@pytest.mark.usefixtures("tools")
def test_another_python_is_warned_of(plan):
    launch = plan(runtime="python3.99")
    assert launch.command[0] == sys.executable
    (warning,) = launch.warnings
    here = f"Python 3.{sys.version_info.minor}"
    assert warning.startswith(f"python3.99 is not installed here: the function runs with {here},")
    assert launch.foreign == warning


NODE = {"files": {"app.js": "exports.handler = 1"}, "runtime": "nodejs22.x"}


@pytest.mark.usefixtures("tools")
def test_node_that_is_missing_is_named(plan):
    with pytest.raises(CannotRun, match=r"greeter needs Node\.js, which is not installed"):
        plan(**NODE)


def test_node_of_the_version_wins_over_the_other_on_the_path(plan, tools):
    node = tools("node")
    assert plan(**NODE).command[0] == node
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


def test_a_bootstrap_runs_by_itself(plan, tmp_path):
    launch = plan(BOOTSTRAP, **OWN)
    assert launch.command == (str(tmp_path / "code/bootstrap"),)


@pytest.mark.parametrize("runtime", ["java21", "ruby3.3", "dotnet8", "go1.x"])
def test_other_runtimes_are_refused(plan, runtime):
    with pytest.raises(CannotRun, match=f"no client for the runtime {runtime}"):
        plan(runtime=runtime)


@pytest.mark.parametrize(
    ("files", "keys", "machine", "foreign", "warns"),
    [
        (COMPILED, {}, ("Linux", "x86_64"), "", False),
        (APP, ARM, ("Linux", "x86_64"), "", False),
        (COMPILED, ARM, ("Linux", "x86_64"), f"{ON_X86}: a/b.so {X86}", True),
        (COMPILED, ARM, ("Linux", "riscv64"), f"{IS_ARM} Linux on riscv64: a/b.so {NOT}", True),
        (COMPILED, ARM, ("Darwin", "arm64"), f"{IS_ARM} Darwin on arm64: a/b.so {NOT}", True),
        (BOOTSTRAP, OWN | ARM, ("Linux", "x86_64"), f"{ON_X86}: bootstrap {X86}", False),
        (BOOTSTRAP, OWN, ("Linux", "x86_64"), "", False),
    ],
)  # fmt: skip
def test_code_of_another_machine_is_a_reason_to_fail(
    plan, monkeypatch, files, keys, machine, foreign, warns
):
    monkeypatch.setattr(interpreter, "_machine", lambda: machine)
    launch = plan(APP | files, **keys)
    assert (launch.foreign, launch.warnings) == (foreign, (foreign,) if warns else ())


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
    python = tools("python3.99", '[ "$1" = -ISc ] && echo "$0"')
    with pytest.raises(CannotRun, match="needs debugpy") as caught:
        plan(runtime="python3.99", debug_port=free_port())
    assert caught.value.hint == f"Run `{python} -m pip install debugpy`."


def test_own_runtimes_have_no_debugger(plan):
    with pytest.raises(CannotRun, match="no debugger that kappa knows"):
        plan(BOOTSTRAP, debug_port=free_port(), **OWN)
