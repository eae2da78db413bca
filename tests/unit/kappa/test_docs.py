"""docs/kappa.md holds kappa's help as it is. Run this file to write it anew."""

import re
from functools import partial
from pathlib import Path

from click.testing import CliRunner

from kappa.commands.main import cli
from kappa.config.model import (
    Async,
    Cors,
    EventSource,
    File,
    Function,
    Iam,
    Image,
    KeyFilter,
    Logging,
    Permission,
    Policy,
    Role,
    Url,
    Vpc,
)

DOCS = Path(__file__).parents[3] / "docs" / "kappa.md"
BEGIN = "<!-- help: written by `python tests/unit/kappa/test_docs.py`, checked by the tests -->\n"
END = "<!-- end of help -->\n"
COMMANDS = cli.list_commands(None)


def help_text():
    return "\n".join([overview(), *(_help("CONFIG", name, "--help") for name in COMMANDS)])


def overview():
    return "Write:\n" + _help("--help").split("\nWrite:\n")[1]


def _help(*args):
    return CliRunner().invoke(cli, args, prog_name="kappa", terminal_width=80).output


def with_help(text):
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n```\n{overview()}```\n\n{END}{rest.split(END)[1]}"


def test_the_docs_hold_the_first_line_of_every_commands_help_as_it_is():
    text = DOCS.read_text("utf-8")
    assert with_help(text) == text


def test_the_docs_name_every_key():
    from msgspec.structs import fields

    text = DOCS.read_text("utf-8")
    kinds = (
        File,
        Image,
        Logging,
        Vpc,
        Iam,
        Policy,
        Role,
        Function,
        Permission,
        Async,
        EventSource,
        KeyFilter,
        Url,
        Cors,
    )
    keys = {field.encode_name for kind in kinds for field in fields(kind)}
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", text)] == []


def test_the_docs_name_every_option_of_every_command():
    text = DOCS.read_text("utf-8")
    options = {
        name
        for command in map(partial(cli.get_command, None), COMMANDS)
        for param in command.params
        for name in [*param.opts, *param.secondary_opts]
        if name.startswith("--")
    }
    assert [name for name in sorted(options) if not re.search(rf"{name}\b", text)] == []


def test_every_command_has_an_example():
    helps = {name: cli.get_command(None, name).help for name in COMMANDS}
    assert [name for name, text in helps.items() if "Example:" not in text] == []


def test_the_help_fits_80_columns_and_says_each_command_in_one_line():
    text = help_text()
    assert [line for line in text.splitlines() if len(line) > 80] == []
    cut = [line for line in text.splitlines() if line.startswith("  ") and line.endswith("...")]
    assert cut == []


if __name__ == "__main__":
    DOCS.write_text(with_help(DOCS.read_text("utf-8")), "utf-8")
