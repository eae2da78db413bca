"""Merging: what is taken from where, and what is at a key path."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kappa.config.environments import merge
from kappa.config.merge import dig
from kappa.config.tree import Tree


def test_dig_answers_none_where_there_is_nothing():
    assert dig({"a": {"b": 1}}, ("a", "c")) is None


WORDS = st.text("ab", min_size=1, max_size=2)

NESTED = st.recursive(
    st.text("xy", max_size=2) | st.lists(st.text("xy"), max_size=2),
    lambda inner: st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(NESTED.filter(lambda one: isinstance(one, dict)), st.dictionaries(WORDS, NESTED, max_size=3))
def test_what_is_merged_is_the_environments_and_else_the_files(over, base):
    data = {**base, "environments": {"e": over}}
    merged = merge(Tree(Path("c.yml"), data, {}, {}), "e").data

    def expected(under, upper):
        if isinstance(under, dict) and isinstance(upper, dict):
            return {
                key: expected(under.get(key), upper[key]) if key in upper else under[key]
                for key in {**under, **upper}
            }
        return upper

    assert merged == expected(base, over)
