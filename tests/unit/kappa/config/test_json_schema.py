"""kappa/config/schema.json is what the types say. Run this file to write it anew."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from kappa.commands.starter import starter
from kappa.config import json_schema as schema
from kappa.config.read import read_config
from kappa.config.show import shown_config

ROOT = Path(__file__).parents[4]
FILE = ROOT / "kappa" / "config" / "schema.json"
OWN = sorted(ROOT.glob("lambda/*/config.yml"))
SAMPLES = sorted(ROOT.glob("tests/data/kappa/*/*.yml"))
GOOD = {
    "iam": {"role": {"name": "r"}},
    "lambda": {"name": "n", "path": "c", "handler": "h.h", "runtime": "python3.13"},
}


def with_lambda(**keys):
    return {**GOOD, "lambda": {**GOOD["lambda"], **keys}}


def complaints(data):
    checker = jsonschema.Draft7Validator(schema.schema())
    return [error.message for error in checker.iter_errors(data)]


def test_the_schema_in_the_package_is_the_one_of_the_types():
    assert FILE.read_text("utf-8") == schema.schema_json()


def test_the_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(json.loads(FILE.read_text("utf-8")))


@pytest.mark.parametrize("file", [*OWN, *SAMPLES], ids=lambda file: file.parent.name)
def test_the_configs_that_kappa_reads_are_fine(file):
    assert complaints(yaml.safe_load(file.read_text("utf-8"))) == []


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.parent.name)
def test_each_config_of_the_repository_names_the_schema(file):
    named = re.search(r"# yaml-language-server: \$schema=(\S+)", file.read_text("utf-8"))[1]
    assert (file.parent / named).resolve() == FILE


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.parent.name)
def test_a_config_as_kappa_writes_it_is_fine(file):
    assert complaints(shown_config(read_config(file))) == []


def test_what_init_writes_is_fine_and_names_the_schema(tmp_path):
    files = starter(tmp_path / "config.yml", "greeter").files
    assert complaints(yaml.safe_load(files["config.yml"])) == []
    assert files["config.yml"].startswith(b"# yaml-language-server: $schema=kappa.schema.json\n")
    assert files["kappa.schema.json"] == FILE.read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        with_lambda(timeout="${seconds}", memory_size="${memory:-128}", publish="${publish}"),
        with_lambda(architectures=["${machine}"], log_retention_days=None, event_sources=None),
        with_lambda(environment={"A": 1.10, "B": True, "C": "${c}"}, requirements=["a", "b"]),
        with_lambda(event_sources=[{"arn": "${topic}", "filter_policy": {"a": [1]}}]),
        with_lambda(event_sources=[{"name": "r", "schedule": "rate(1 day)", "input": {"a": "b"}}]),
        with_lambda(event_sources=[{"name": "r", "schedule": "rate(1 day)", "input": ["a", 1]}]),
        {"environments": {"dev": None, "prod": {"lambda": {"timeout": 3}}}},
        {"name": "n", "environments": {"dev": {"policy": {"arn": "x"}}}, "lambda": {}},
    ],
)
def test_an_editor_does_not_complain(data):
    assert complaints(data) == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {**GOOD, "lamda": {}},
        {**GOOD, "lambda": {"path": "c"}},
        with_lambda(timeout=5401),
        with_lambda(timeout="long"),
        with_lambda(name="with space"),
        with_lambda(name="with_line_break\n"),
        with_lambda(memry_size=128),
        with_lambda(architectures=["arm"]),
        with_lambda(event_sources=[{"arn": "no"}]),
        with_lambda(permissions=[{"principal": "x"}]),
        {"environments": {"dev": {"lambda": {"timeout": 0}}}},
        {"environments": {"dev": {"regoin": "x"}}},
    ],
)
def test_an_editor_complains(data):
    assert complaints(data) != []


if __name__ == "__main__":
    FILE.write_text(schema.schema_json(), "utf-8")
