"""JSON of which nothing gets lost, and the line of what is wrong."""

import json

import pytest

from kappa.config.strict_json import line_of_null, parse_json, strict_json
from kappa.errors import ConfigError


def test_numbers_may_be_read_as_they_are_written():
    assert strict_json('{"n": 1.10}', str) == {"n": "1.10"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1,\n"a": 2}', 'x.json:2: not valid JSON: "a" is given twice.'),
        ('{"a":\n\nNaN}', "x.json:3: not valid JSON: NaN is not a JSON number."),
        ('{"a": Infinity}', "x.json:1: not valid JSON: Infinity is not a JSON number."),
        ("{", "x.json:1: not valid JSON: Expecting property name enclosed in double quotes."),
        ("[" * 100_000, "x.json:1: nested too deeply."),
    ],
)
def test_what_would_get_lost_is_an_error_with_its_line(text, problem):
    with pytest.raises(ConfigError) as error:
        parse_json(text.encode(), "x.json")
    assert error.value.message == problem


def test_equal_keys_of_different_mappings_are_no_repetition():
    value = {"a": {"b": 1}, "b": [{"a": 1}, {"a": 2}]}
    assert strict_json(json.dumps(value)) == value


def test_a_null_is_found_unless_it_is_part_of_a_text():
    assert line_of_null('{"a": "null",\n"b": null}') == 2
    assert line_of_null('{"a": "null"}') == 0
