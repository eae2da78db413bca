"""The emulator's functions: a change of one does not end the call that runs meanwhile."""

import json
from concurrent.futures import ThreadPoolExecutor

from tests.support.kappa import projects
from tests.support.waiting import wait_for

ACCOUNT = "464000000001"
CODE = """
import os, pathlib, time

def handler(event, context):
    pathlib.Path(event["started"]).touch()
    while not pathlib.Path(event["go"]).exists():
        time.sleep(0.05)
    return os.environ["GREETING"]
"""


def test_a_call_ends_with_the_settings_that_it_began_with(emulator, tmp_path):
    project = projects.Project(tmp_path / "greeter", emulator, ACCOUNT)
    project.write("code/greeter.py", CODE)
    project.make(
        projects.role_in(emulator, ACCOUNT),
        Environment={"Variables": {"GREETING": "good day"}},
        Timeout=60,
    )
    lambda_ = project.client("lambda")
    lambda_.get_waiter("function_active_v2").wait(FunctionName=project.name)
    started, go = tmp_path / "started", tmp_path / "go"

    def greet():
        event = json.dumps({"started": str(started), "go": str(go)})
        answer = lambda_.invoke(FunctionName=project.name, Payload=event)
        return json.loads(answer["Payload"].read())

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(greet)
        wait_for(started.exists)
        lambda_.update_function_configuration(
            FunctionName=project.name, Environment={"Variables": {"GREETING": "good night"}}
        )
        go.touch()
        assert first.result() == "good day"
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=project.name)
    assert greet() == "good night"
