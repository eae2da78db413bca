"""No secret is printed, in whatever form it comes."""

import json
import sys

import pytest

from kappa.cli import secrets
from kappa.cli.console import as_json, print_error, print_traceback, progress, result
from kappa.cli.secrets import hide_secret, without_secrets
from kappa.errors import KappaError
from kappa.texts import shown

PASSWORD = 'p"w\\-ä-long\nsecond-line-of-it'


@pytest.fixture(autouse=True)
def _own(monkeypatch):
    monkeypatch.setattr(secrets, "_HIDDEN", [])


def test_a_secret_stands_as_the_config_writes_it():
    hide_secret("hunter2-s3cret", "${secret:db}")
    assert without_secrets("pg://u:hunter2-s3cret@h xhunter2-s3crety") == (
        "pg://u:${secret:db}@h x${secret:db}y"
    )


def test_a_short_one_is_hidden_as_a_word_only_and_a_tiny_one_is_not_looked_for():
    hide_secret("test", "${ssm:/a}")
    hide_secret("ab", "${ssm:/b}")
    assert without_secrets("test latest tests _test: ab") == "${ssm:/a} latest tests _${ssm:/a}: ab"


def test_the_longer_of_two_is_hidden_whole():
    hide_secret("password", "${ssm:/a}")
    hide_secret("password-of-db", "${ssm:/b}")
    assert without_secrets("password-of-db password") == "${ssm:/b} ${ssm:/a}"


def test_it_is_hidden_in_json_and_line_by_line_and_json_stays_json(capsys):
    hide_secret(PASSWORD, "${secret:db#key}")
    result(as_json({"a": [PASSWORD], "b": json.dumps({"c": PASSWORD})}))
    progress(f"first\n{PASSWORD}\nlast")
    progress("only second-line-of-it")
    out, err = capsys.readouterr()
    assert json.loads(out)["a"] == ["${secret:db#key}"]
    for text in (out, err):
        assert "second-line" not in text
        assert "ä-long" not in text


ODD = "Käse'\"\\\x07\ufeff-s3cret"


@pytest.mark.parametrize(
    "write",
    [
        str,
        json.dumps,
        lambda text: json.dumps({"body": json.dumps({"q": text})}),
        lambda text: json.dumps({"body": json.dumps(text, ensure_ascii=False)}),
        lambda text: as_json({"q": text}),
        lambda text: as_json({"body": json.dumps({"q": text})}),
        lambda text: str({"q": text}),
        ascii,
        shown,
        lambda text: shown(str([text])),
    ],
)
def test_it_is_hidden_as_json_python_and_the_console_write_it(capsys, write):
    hide_secret(ODD, "${secret:db}")
    result(write(ODD))
    out = capsys.readouterr().out
    assert "${secret:db}" in out
    assert not any(part in out for part in ("K", "se'", "s3cret"))


def test_json_stays_json_where_a_secret_is_a_number_or_a_word(capsys):
    for text in ("1024", "12345678", "true", "null", "None"):
        hide_secret(text, "${ssm:/a}")
    told = {"size": 1024, "all": [12345678, {"n": 12345678}], "n": 912345678, "ok": [True, None]}
    for indent in (None, 2):
        result(as_json(told | {"text": "is: 12345678, 1024"}, indent=indent))
        assert json.loads(capsys.readouterr().out) == told | {
            "all": ["${ssm:/a}", {"n": "${ssm:/a}"}],
            "text": "is: ${ssm:/a}, 1024",
        }


def test_it_is_hidden_in_errors_and_tracebacks(capsys):
    hide_secret("hunter2-s3cret", "${secret:db}")
    try:
        raise KappaError("AWS refused hunter2-s3cret") from ValueError("hunter2-s3cret")
    except KappaError as error:
        print_error(error.message, "hunter2-s3cret")
        print_traceback(error)
    err = capsys.readouterr().err
    assert "hunter2" not in err
    assert "KappaError: AWS refused ${secret:db}" in err


def test_a_bugs_traceback_is_printed_so_too(capsys, monkeypatch):
    from kappa.cli.main import run

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    hide_secret("hunter2-s3cret", "${secret:db}")
    assert run(["--version"]) == 0
    sys.excepthook(ValueError, ValueError("hunter2-s3cret"), None)
    assert "ValueError: ${secret:db}" in capsys.readouterr().err
