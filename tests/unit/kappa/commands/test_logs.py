"""Options of logs that contradict each other."""

import click
import pytest
from click.testing import CliRunner

from kappa.commands.main import cli


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["logs", "--since", "soon"], "is not a time"),
        (["logs", "--since", "99999999999d"], "is not a time since 1970"),
        (["logs", "--since", "9" * 5000 + "d"], "is not a time since 1970"),
        (["logs", "--since", "0001-01-01"], "is not a time since 1970"),
        (["logs", "--follow", "--until", "1m"], "--follow has no end"),
        (["logs", "--since", "1m", "--until", "2m"], "--until is not after --since"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_read(args, message):
    done = CliRunner().invoke(cli, ["nowhere.yml", *args], standalone_mode=False)
    assert isinstance(done.exception, click.UsageError)
    assert message in done.exception.message
