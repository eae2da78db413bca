"""Programs of their own, and the oldest Pythons that are installed."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from kappa.local_run import interpreter
from kappa.local_run.clients import python_client
from kappa.local_run.runtime_api import RuntimeApi
from tests.unit.kappa.local_run.test_function import handler, invoke

# As in the Lambda guide's tutorial, "Building a custom runtime", with curl.
BOOTSTRAP = """\
#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
    headers=$(mktemp)
    event=$(curl -sSD "$headers" "$api/next")
    id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
    echo "$_HANDLER got $event"
    curl -sS -o /dev/null "$api/$id/response" -d "Echo: $event"
done
"""


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_a_bootstrap_is_any_program(config_of, function_of, recorded, monkeypatch):
    close = RuntimeApi.close
    # Time enough to write that the Runtime API is gone.
    monkeypatch.setattr(RuntimeApi, "close", lambda self: (close(self), time.sleep(0.2)))
    config = config_of({"bootstrap": BOOTSTRAP}, runtime="provided.al2023", handler="tea")
    (config.file.parent / "code/bootstrap").chmod(0o755)
    with function_of("", config) as function:
        for number in (1, 2):
            result = function.invoke(b'{"n": %d}' % number)
            assert result.payload == b'Echo: {"n": %d}' % number
    assert recorded.warnings == ["The response is not JSON, which most callers expect."]
    assert recorded.lines == ['tea got {"n": 1}', 'tea got {"n": 2}']


def installed_pythons():
    """Each Python 3 of the PATH or of pyenv, by its minor version."""
    folders = [
        *map(Path, os.environ["PATH"].split(":")),
        *Path.home().glob(".pyenv/versions/*/bin"),
    ]
    found = {
        minor: str(folder / f"python3.{minor}")
        for folder in folders
        for minor in range(6, 16)
        if folder.name == "bin" and (folder / f"python3.{minor}").is_file()
    }
    return dict(sorted(found.items()))


PYTHONS = installed_pythons()


@pytest.mark.parametrize("minor", sorted({min(PYTHONS), max(PYTHONS)}))
def test_the_client_runs_on_old_and_new_pythons(function_of, recorded, monkeypatch, minor):
    monkeypatch.setattr(interpreter, "find_python", PYTHONS.get)
    body = (
        "import logging\n    logging.warning('hot')\n"
        "    from decimal import Decimal\n    return [Decimal('1.5'), Decimal(2), 'é']"
    )
    with function_of(handler(body), runtime=f"python3.{minor}") as function:
        assert invoke(function)[0] == [1.5, 2, "é"]
    assert recorded.warnings == []
    assert recorded.lines[0].endswith("\thot")


@pytest.mark.skipif(8 not in PYTHONS, reason="Python 3.8 is not installed")
def test_the_client_has_no_syntax_of_a_newer_python():
    check = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 6))"
    command = [PYTHONS[8], "-c", check, python_client.__file__]
    subprocess.run(command, check=True)
