"""Examples are matched by the pattern that they are made of, as EventBridge matches."""

import json

import pytest
from moto.events.models import EventPattern

from kappa.sources.pattern_examples import example, merged

PATTERNS = [
    {},
    {"source": ["my.app"], "detail-type": ["a", "b"]},
    {"detail": {"state": ["done"], "n": [5], "flag": [True], "none": [None]}},
    {"detail": {"name": [{"prefix": "in/"}], "end": [{"suffix": ".jpg"}]}},
    {"detail": {"n": [{"numeric": [">", 0, "<=", 5]}], "m": [{"numeric": ["<", 3]}]}},
    {"detail": {"n": [{"numeric": [">", 0, "<", 1]}], "m": [{"numeric": ["=", 1.5]}]}},
    {"detail": {"n": [{"numeric": [">", 7]}], "m": [{"numeric": [">=", 2]}]}},
    {"detail": {"a": [{"exists": True}], "b": [{"exists": False}]}},
    {"detail": {"a": [{"anything-but": ["sample", "other"]}]}},
    {"detail": {"a": [{"anything-but": "sample"}], "n": [{"anything-but": [1, 9]}]}},
    {"detail": {"a": [{"anything-but": {"prefix": "s"}}]}},
    {"detail": {"a": [{"prefix": "x"}, "literal"]}},
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_example_matches_its_pattern(pattern):
    made = example(pattern)
    assert EventPattern.load(json.dumps(pattern)).matches_event(made), made


@pytest.mark.parametrize(
    ("pattern", "made"),
    [
        ({"a": [{"equals-ignore-case": "Tea"}]}, {"a": "Tea"}),
        ({"a": [{"wildcard": "in/*/x.jpg"}]}, {"a": "in//x.jpg"}),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.0"}),
        ({"a": [{"prefix": {"equals-ignore-case": "Te"}}]}, {"a": "Te"}),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}], "c": ["z"]}, {"a": "x", "c": "z"}),
        ({"a": "plain", "b": []}, {"a": "plain", "b": "sample"}),
    ],
)
def test_other_operators_give_the_simplest_value(pattern, made):
    assert example(pattern) == made


@pytest.mark.parametrize(
    ("unwanted", "value"),
    [
        (["sample", "other", "another", "else"], "a"),
        ({"prefix": ["s", "o"]}, "a"),
        ({"suffix": ".exe"}, "sample"),
        ({"suffix": ["e", "r"]}, "a"),
        ({"wildcard": "*a*"}, "other"),
        ({"equals-ignore-case": ["Sample", "OTHER"]}, "a"),
    ],
)
def test_what_is_not_wanted_is_not_made(unwanted, value):
    assert example({"a": [{"anything-but": unwanted}]}) == {"a": value}


def test_one_object_is_laid_over_another_key_by_key():
    assert merged({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": 4}, "c": 5}) == {
        "a": {"x": 1, "y": 4},
        "b": 3,
        "c": 5,
    }
