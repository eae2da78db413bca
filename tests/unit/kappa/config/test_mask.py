"""What came from the included file stands as the config writes it."""

import json

from kappa.config.mask import hide, hide_within, secret_texts, written_texts
from kappa.config.read import read_config
from kappa.config.references import Value
from kappa.config.uses import EVERYTHING


def test_a_value_and_what_is_written_around_it_are_hidden(included):
    config = read_config(included("team: coffee-bar\n", "  description: chat-${team}\n"))
    assert hide(["coffee-bar", "chat-coffee-bar", "tea"], written_texts(config)) == [
        "${team}",
        "chat-${team}",
        "tea",
    ]


def test_a_short_value_may_stand_anywhere_and_is_not_hidden(included):
    config = read_config(included("days: 30\n", "  log_retention_days: ${days}\n"))
    assert written_texts(config) == {}


def test_a_value_in_json_within_a_text_is_hidden(included):
    config = read_config(included("team: coffee-bar\n", "  description: ${team}\n"))
    shown = hide(json.dumps({"team": ["coffee-bar"], "n": 1}), written_texts(config))
    assert json.loads(shown) == {"team": ["${team}"], "n": 1}


def test_what_a_secret_of_json_stands_for_is_hidden_as_a_whole():
    secret = json.dumps({"user": "bob", "pin": 4711})
    written = {secret: "${secret:db}", "[]": "${ssm:/none}"}
    read = json.loads(secret)
    for form in (secret, json.dumps(read, indent=1), read):
        assert hide(form, written) == "${secret:db}"
        assert hide({"a": [form, {}, []]}, written) == {"a": ["${secret:db}", {}, []]}
    assert json.loads(hide(json.dumps({"a": read}), written)) == {"a": "${secret:db}"}


def test_a_list_of_one_is_no_list_of_true():
    assert hide({"a": [True], "b": [1]}, {"[1]": "${x}"}) == {"a": [True], "b": "${x}"}


def test_a_tiny_secret_is_not_looked_for_within_words():
    assert hide_within("make: no rule", {"e": "${ssm:/x}"}) == "make: no rule"


def test_a_text_that_only_looks_like_json_stays(included):
    config = read_config(included("team: coffee-bar\n", "  description: ${team}\n"))
    assert hide("{coffee-bar", written_texts(config)) == "{coffee-bar"


def test_within_a_text_each_value_is_hidden_once_and_the_longest_first():
    written = {"team-tea": "${x}", "team-tea-x": "${team}"}
    assert hide_within("a team-tea-x, a team-tea", written) == "a ${team}, a ${x}"
    assert hide_within("a team", {}) == "a team"


def test_what_a_name_with_capitals_is_put_into_is_hidden(included, tmp_path):
    (tmp_path / ".env").write_text("DB_HOST=db.local\n")
    config = read_config(included("", "  description: at-${DB_HOST}\n", ".env"))
    assert hide("at-db.local", written_texts(config)) == "at-${DB_HOST}"


def test_a_secret_is_hidden_however_short_it_is(write):
    answers = {"secret:a": Value("ab", is_secret=True), "ssm:/b": Value("cd")}
    more = "  tags: {one: '1-${secret:a}', two: '${ssm:/b}'}\n"
    config = read_config(write(more=more), uses=EVERYTHING, read=lambda *_: answers)
    assert secret_texts(config) == {"ab": "${secret:a}", "1-ab": "1-${secret:a}"}
    assert hide(["ab", "cd"], written_texts(config)) == ["${secret:a}", "cd"]
