"""What kappa would refuse is taken out, and named."""

import pytest

from kappa.commands.init_from.files import adopted_files
from kappa.errors import ConfigError
from kappa.function.log_group import LogGroup
from tests.support.kappa.existing import existing, whole


def test_a_value_that_looks_like_a_reference_is_written_so_that_it_reads_as_it_is():
    config, _ = whole(settings={"Environment": {"Variables": {"AB": "${secret:-value}"}}})
    assert config["lambda"]["environment"] == {"AB": "$${secret:-value}"}


def test_a_setting_that_kappa_refuses_is_left_out_and_named():
    settings = {"Timeout": 9999, "Layers": [{"Arn": "arn:aws:lambda:x"}]}
    config, said = whole(settings=settings, log_group=LogGroup(2))
    assert not {"timeout", "layers", "log_retention_days"}.intersection(config["lambda"])
    assert "- timeout: 9999 (lambda.timeout is '9999'.)" in said
    assert "- log_retention_days: 2 (lambda.log_retention_days is 2.)" in said


def test_a_function_that_no_config_can_express_writes_nothing():
    settings = {"PackageType": "Image", "Runtime": None, "Handler": None}
    function = {"Code": {"ImageUri": "elsewhere/greeter:1"}}
    with pytest.raises(ConfigError, match="cannot be put into a config"):
        adopted_files(existing(settings, function, zipped=None), "config.yml")
