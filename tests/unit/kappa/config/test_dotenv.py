"""What a line of a .env file means."""

from pathlib import Path

import pytest

from kappa.config.dotenv import parse
from kappa.errors import ConfigError

FILE = Path("prod.env")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=tea", "tea"),
        ("export A=tea", "tea"),
        ("  A = tea  ", "tea"),
        ("A=tea # with milk", "tea"),
        ("A=tea#1", "tea#1"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A='tea # ${x} \\n'", "tea # ${x} \\n"),
        ('A="tea \\"black\\"\\n$x" # cup', 'tea "black"\n$x'),
        ("A=two words", "two words"),
        ("A='two\nlines'", "two\nlines"),
        ("A=tea\r\n", "tea"),
        ("A=a=b", "a=b"),
        ("A=it's", "it's"),
    ],
)
def test_a_line_gives_a_value_that_stays_as_it_is_written(line, value):
    assert parse(f"# before\n\n{line}\nB=2".encode(), FILE) == {"A": value, "B": "2"}


def test_the_last_value_of_a_name_counts():
    assert parse(b"\xef\xbb\xbfA=1\nA=2\n", FILE) == {"A": "2"}


@pytest.mark.parametrize(
    "line", ["s3cret", "1A=s3cret", 'A="s3cret', "A='s3cret' more", "a: s3cret"]
)
def test_what_is_no_such_line_is_an_error_that_does_not_show_it(line):
    with pytest.raises(ConfigError, match=r"prod\.env:2: not a line NAME=value") as caught:
        parse(f"B=1\n{line}\n".encode(), FILE)
    assert "s3cret" not in str(caught.value)


def test_other_bytes_are_an_error_with_their_line():
    with pytest.raises(ConfigError, match=r"prod\.env:2: not UTF-8"):
        parse(b"A=1\nB=\xff\n", FILE)
