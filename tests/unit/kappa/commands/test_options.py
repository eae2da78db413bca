"""Options that all commands share."""

from click.testing import CliRunner

from kappa.commands.main import cli
from tests.support.kappa.configs import append


def test_env_may_stand_before_the_config_too(run, tmp_path):
    append(tmp_path, "environments:\n  prod:\n    region: eu-west-1\n")
    args = ["--env", "prod", str(tmp_path / "config.yml"), "validate"]
    done = CliRunner().invoke(cli, args, standalone_mode=False)
    assert "region: eu-west-1\n" in done.stdout
