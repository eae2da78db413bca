"""What came from the included file stands as the config writes it."""

import json

from kappa.config.mask import hide, written_texts
from kappa.config.read import read_config


def test_a_value_and_what_is_written_around_it_are_hidden(included):
    config = read_config(included("team: coffee\n", "  description: chat-${team}\n"))
    assert hide(["coffee", "chat-coffee", "tea"], written_texts(config)) == [
        "${team}",
        "chat-${team}",
        "tea",
    ]


def test_a_short_value_may_stand_anywhere_and_is_not_hidden(included):
    config = read_config(included("days: 30\n", "  log_retention_days: ${days}\n"))
    assert written_texts(config) == {}


def test_a_value_in_json_within_a_text_is_hidden(included):
    config = read_config(included("team: coffee\n", "  description: ${team}\n"))
    shown = hide(json.dumps({"team": ["coffee"], "n": 1}), written_texts(config))
    assert json.loads(shown) == {"team": ["${team}"], "n": 1}


def test_a_text_that_only_looks_like_json_stays(included):
    config = read_config(included("team: coffee\n", "  description: ${team}\n"))
    assert hide("{coffee", written_texts(config)) == "{coffee"
