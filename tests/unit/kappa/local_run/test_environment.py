"""The variables of a function: Lambda's, the config's, the way to AWS, and no others."""

from pathlib import Path

import pytest

from kappa.local_run.environment import Surroundings, local_paths, variables
from tests.support.builders import kappa_config

PLACE = Surroundings(
    code=Path("/c/code"),
    clients=Path("/clients"),
    temporary=Path("/t"),
    address="127.0.0.1:9",
    log_stream="2026/01/01/[$LATEST]1",
    region="eu-west-1",
    credentials={"AWS_ACCESS_KEY_ID": "own"},
)


def seen(caller=None, **keys):
    return variables(kappa_config(keys).function, PLACE, caller or {})


def test_lambdas_own_variables_are_set():
    given = seen(memory_size=256)
    assert given["AWS_LAMBDA_FUNCTION_NAME"] == "greeter"
    assert given["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert given["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert given["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/greeter"
    assert given["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9"
    assert given["AWS_REGION"] == given["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert given["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert (given["LAMBDA_TASK_ROOT"], given["_HANDLER"]) == ("/c/code", "greeter.handler")
    assert (given["TZ"], given["LANG"]) == (":UTC", "en_US.UTF-8")


def test_an_own_runtime_is_not_named():
    assert "AWS_EXECUTION_ENV" not in seen(runtime="provided.al2023")


def test_nothing_of_the_caller_is_seen_but_the_way_to_aws():
    caller = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:4567",
        "AWS_ACCESS_KEY_ID": "the caller's",
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "secret",
        "GITHUB_TOKEN": "secret",
        "HOME": "/home/ada",
        "PATH": "/bin",
        "PYTHONPATH": "/home/ada/lib",
        "SSL_CERT_FILE": "/ca.pem",
    }
    passed = {name for name, value in seen(caller).items() if value == caller.get(name)}
    assert passed == {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "PATH", "SSL_CERT_FILE"}
    assert seen(caller)["AWS_ACCESS_KEY_ID"] == "own"


def test_the_configs_variables_win():
    given = seen({"PATH": "/bin"}, environment={"PATH": "/x", "TZ": "Asia/Tokyo", "TEA": "green"})
    assert (given["PATH"], given["TZ"], given["TEA"]) == ("/x", "Asia/Tokyo", "green")


def test_lambdas_folder_of_the_code_is_the_unpacked_one():
    assert (
        seen(environment={"PYTHONPATH": "/opt/x:/var/task/lib"})["PYTHONPATH"]
        == "/opt/x:/c/code/lib"
    )
    assert local_paths("/var/task", Path("/c")) == "/c"
    assert local_paths("/var/tasks /x/var/task", Path("/c")) == "/var/tasks /x/var/task"


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ({}, None),
        ({"http_proxy": "http://p:1"}, "127.0.0.1"),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "a.com"}, "a.com,127.0.0.1"),
    ],
)
def test_the_runtime_api_is_reached_without_a_proxy(caller, expected):
    assert seen(caller).get("no_proxy") == expected


def test_the_log_format_is_the_configs():
    given = seen(logging={"format": "JSON", "application_level": "WARN"})
    assert (given["AWS_LAMBDA_LOG_FORMAT"], given["AWS_LAMBDA_LOG_LEVEL"]) == ("JSON", "WARN")
    assert seen(logging={"format": "JSON"})["AWS_LAMBDA_LOG_LEVEL"] == "INFO"
    assert "AWS_LAMBDA_LOG_LEVEL" not in seen()
    assert seen()["AWS_LAMBDA_LOG_FORMAT"] == "Text"
