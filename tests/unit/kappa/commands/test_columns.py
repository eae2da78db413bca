"""Rows of a table, in columns of one width."""

from kappa.commands.columns import padded


def test_columns_have_one_width():
    rows = padded([("a", "long name", "x", "1"), ("abc", "b", "there", "2")])
    assert rows == [("a  ", "long name", "x    ", "1"), ("abc", "b        ", "there", "2")]


def test_details_are_broken_between_facts_where_a_line_is_too_long():
    row = ("function", "greeter", "Active", "python3.13  arm64  128 MB  3 s  changed now")
    (shown,) = padded([row], 50)
    assert shown[3] == "python3.13  arm64\n          128 MB  3 s  changed now"
    text = "  ".join(shown)
    assert max(map(len, text.splitlines())) <= 50
    (long,) = padded([("a", "b" * 60, "c", "one  two")], 50)
    assert long[3] == "\n   one  two"


def test_nothing_to_show_takes_no_columns():
    assert padded([]) == []


def test_a_table_may_have_fewer_columns():
    (shown,) = padded([("greeter", "Active", "sns  on live  (not in the config)")], 40)
    assert shown == ("greeter", "Active", "sns  on live\n         (not in the config)")
    assert max(map(len, "  ".join(shown).splitlines())) <= 40
