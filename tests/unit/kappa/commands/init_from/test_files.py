"""The files of an adopted function, and the remarks at the config's head."""

import json

import yaml

from kappa.commands.init_from.files import adopted_files
from kappa.function.permissions import read_statement
from tests.support.kappa.existing import existing, raw


def test_a_container_image_has_no_code():
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/greeter:1"
    settings = {"PackageType": "Image", "Runtime": None, "Handler": None}
    new = adopted_files(existing(settings, {"Code": {"ImageUri": uri}}, zipped=None), "config.yml")
    assert yaml.safe_load(new.files["config.yml"])["lambda"]["image"] == {"uri": uri}
    assert not any(name.startswith("code/") for name in new.files)


def test_what_is_left_out_stands_at_the_head_of_the_config():
    deny = read_statement(raw(Effect="Deny"), "greeter")
    new = adopted_files(existing(statements=(deny,)), "config.yml")
    head = [one for one in new.files["config.yml"].decode().splitlines() if one.startswith("# ")]
    assert head[2:] == [f"# {one}" for one in new.remarks]
    assert "no `deploy` brings it back" in head[2]
    assert json.loads(head[3].removeprefix("# - permission any: ")) == raw(Effect="Deny")
