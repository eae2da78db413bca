"""Programs of their own, and the oldest Pythons that are installed."""

import shutil
import subprocess
import time

import pytest

from kappa.local_run.clients import python_client
from kappa.local_run.runtime_api import RuntimeApi
from kappa.packing.find_python import find_python
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


def older_pythons():
    """The oldest and the newest Python that are installed, of those that Lambda has had."""
    found = [f"python3.{minor}" for minor in range(6, 16) if find_python(f"python3.{minor}")]
    return found[:1] + found[1:][-1:]


@pytest.mark.parametrize("runtime", older_pythons())
def test_the_client_runs_on_old_and_new_pythons(function_of, recorded, runtime):
    body = (
        "import logging\n    logging.warning('hot')\n"
        "    from decimal import Decimal\n    return [Decimal('1.5'), Decimal(2), 'é']"
    )
    with function_of(handler(body), runtime=runtime) as function:
        assert invoke(function)[0] == [1.5, 2, "é"]
    assert recorded.warnings == []
    assert recorded.lines[0].endswith("\thot")


@pytest.mark.skipif(not find_python("python3.8"), reason="Python 3.8 is not installed")
def test_the_client_has_no_syntax_of_a_newer_python():
    check = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 6))"
    command = [find_python("python3.8"), "-c", check, python_client.__file__]
    subprocess.run(command, check=True)
