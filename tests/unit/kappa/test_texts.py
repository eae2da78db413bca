"""Text of others on a terminal, and in a script."""

import json
import os
import pty
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kappa.commands import console
from kappa.commands.starter import starter, write_files
from kappa.plan.step import Report
from kappa.texts import masked, one_line, printable, read_json, safe_json, shown

STEERING = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x7f",
    "\x9b31m",
    "\u202e",
    "\u2066",
    "\u2028",
    "\ud800",
]
HARMLESS = ["plain\n\ttext", "Köln", "日本語", "👩\u200d💻", "\u3000", "\ue0b0"]


@pytest.mark.parametrize("text", STEERING)
def test_what_steers_a_terminal_is_shown_as_an_escape(text):
    assert "\\" in shown(text)
    assert shown(text).isprintable()


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_shows_is_left_as_it_is(text):
    assert shown(text) == text


def test_a_traceback_of_lambda_is_indented_with_spaces():
    assert printable('\u00a0\u00a0File "/var/task/x.py"\r') == '  File "/var/task/x.py"\n'


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_json_for_scripts_steers_nothing_and_keeps_all(value):
    text = console.as_json(value)
    assert json.loads(text) == value
    assert shown(text) == text


def test_half_a_character_stays_data():
    assert json.loads(safe_json('"\ud800\x7f\U000e0001"')) == "\ud800\x7f\U000e0001"


@pytest.mark.parametrize("text", ["[" * 5000, "[" * 300 + "]" * 300, "9" * 5000, "{", "\ud800"])
def test_json_beyond_all_limits_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


@pytest.mark.parametrize("text", STEERING)
def test_no_text_reaches_a_terminal_raw(text):
    main, terminal = pty.openpty()
    written = sys.stdout
    try:
        with os.fdopen(terminal, "w") as sys.stdout:
            console.result(f"{console.bold(f'name {text}')} {text}")
            sys.stdout.flush()
            seen = os.read(main, 10_000).decode()
    finally:
        sys.stdout = written
        os.close(main)
    assert seen.startswith("\x1b[1mname ")
    assert text not in seen.replace("\x1b[1m", "").replace("\x1b[0m", "")


def test_the_colours_of_a_function_do_not_pass_for_ours(capsys):
    console.progress("\x1b[32mcreated\x1b[0m")
    assert capsys.readouterr().err == "\\x1b[32mcreated\\x1b[0m\n"


def test_an_error_cannot_steer_the_terminal_either(capsys):
    from kappa.errors import ConfigError

    def fail():
        raise ConfigError("key \x1b[2J", "hint \u202e")

    assert console.exit_code(fail, debug=True) == 2
    assert not set(capsys.readouterr().err) & {"\x1b", "\u202e"}


def test_a_text_within_a_line_begins_no_line():
    assert console.report_line(Report("created", "a\r\nupdated b")).splitlines()[1:] == []
    assert one_line("a\r\nb") == r"a\r\nb"


@pytest.mark.parametrize("args", [["--help"], ["{config}", "package", "--list"]])
def test_output_that_takes_no_more_is_one_error(tmp_path, args):
    # The device is the process's stdout only: nothing is put in its place.
    config = tmp_path / "config.yml"
    write_files(tmp_path, starter(config, "greeter"))
    words = [word.format(config=config) for word in args]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "kappa", *words], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr == "Error: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://u:p/w@d@host/simple", "https://****@host/simple"),
        ("--index-url=https://token@host/x", "--index-url=https://****@host/x"),
        ("tea @ git+https://host/tea@v1.0", "tea @ git+https://host/tea@v1.0"),
        ("https://host/simple and me@host", "https://host/simple and me@host"),
        ("git+https://u:p@host/tea@v1 //u:p@x", "git+https://****@v1 //****@x"),
    ],
)
def test_what_logs_in_by_an_address_is_masked(text, said):
    assert masked(text) == said
