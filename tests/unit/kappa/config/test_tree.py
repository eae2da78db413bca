"""YAML as kappa reads it: merge keys, and files that are no config at all."""

import traceback

import pytest

from kappa.config.tree import read_tree
from kappa.errors import ConfigError

BASE = """\
base: &base
  region: us-east-1
  tags: {team: tea}
  timeout: 3
other: &other
  timeout: 9
  memory: 128
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        (tmp_path / "config.yml").write_text(text)
        return read_tree(tmp_path / "config.yml")

    return read_text


@pytest.fixture
def error_of(tmp_path, read):
    def error_of_text(text):
        with pytest.raises(ConfigError) as error:
            read(text)
        return str(error.value).replace(f"{tmp_path}/config.yml:", "")

    return error_of_text


def test_a_merge_key_fills_in_what_the_mapping_does_not_say(read):
    tree = read(f"{BASE}prod:\n  timeout: 5\n  <<: *base\n")
    assert tree.data["prod"] == {"region": "us-east-1", "tags": {"team": "tea"}, "timeout": "5"}


def test_of_several_merged_mappings_the_first_wins(read):
    tree = read(f"{BASE}prod:\n  <<: [*other, *base]\n")
    assert tree.data["prod"]["timeout"] == "9"
    assert tree.data["prod"]["region"] == "us-east-1"


def test_a_merged_mapping_may_merge_itself(read):
    tree = read(f"{BASE}next: &next {{<<: *base, a: 1}}\nlast: {{<<: *next, timeout: 1}}\n")
    assert (tree.data["last"]["region"], tree.data["last"]["timeout"]) == ("us-east-1", "1")


def test_what_is_merged_keeps_its_line_and_text(read):
    tree = read(f"{BASE}prod:\n  <<: *base\n  timeout: 5\n")
    assert tree.line(("prod", "tags", "team")) == 3
    assert tree.line(("prod", "timeout")) == 10


def test_a_quoted_merge_key_is_a_key(read):
    assert read('"<<": 1\n').data == {"<<": "1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n  <<: 1\n", "2: `<<` merges a mapping, or a list of mappings."),
        ("a:\n  <<: [{b: 1}, 2]\n", "2: `<<` merges a mapping"),
        ("a:\n  <<: {b: 1}\n  <<: {c: 1}\n", "3: a.<< is given twice (first: line 2)."),
        ("a:\n  <<: {b: 1,\n    b: 2}\n", "3: a.b is given twice (first: line 2)."),
        ("a: &a\n  <<: *a\n", "an alias repeats too much."),
        ("a: &a\n  b: {<<: *a}\n", "an alias repeats too much."),
        ("a: '\\ud800'\nb: \"\\ud800\"\n", "2: b has a character that no text can have."),
        ('"\\ud800": 1\n', "1: a key must be a plain word."),
        ('a: "\\UFFFFFFFF"\n', "1: not valid YAML"),
    ],
)
def test_what_cannot_be_merged_or_is_no_text_is_said_with_its_line(error_of, text, said):
    assert said in error_of(text)


def test_merge_keys_that_explode_are_refused(error_of):
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 12)]
    assert "an alias repeats too much" in error_of("\n".join(lines))


@pytest.mark.parametrize("depth", [101, 300, 450, 5000])
@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_deep_nesting_is_one_clear_error(error_of, depth, pair):
    inner = "[" * depth + "]" * depth if pair == "[]" else "{a: " * depth + "1" + "}" * depth
    assert "nested too deeply" in error_of(f"a: {inner}\n")


def test_many_merged_mappings_are_read_and_the_first_wins(read):
    bases = "".join(f"b{i}: &b{i} {{x: {i}, y{i}: 1}}\n" for i in range(3000))
    named = ", ".join(f"*b{i}" for i in range(3000))
    data = read(f"{bases}c:\n  <<: [{named}]\n  y3: own\n").data["c"]
    assert (data["x"], data["y3"], data["y2999"], len(data)) == ("0", "own", "1", 3001)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("k: 1\n" * 300_000, "over 1 MB, too large for a config"),
        ("".join(f"{i}: 1\n" for i in range(80_000)), "over 20,000 values"),
        ("[" + "1," * 80_000 + "]", "over 20,000 values"),
        ("a: " + "[" * 5_000, "nested too deeply"),
        ("a: " + "{b: " * 5_000, "nested too deeply"),
    ],
)
def test_what_no_config_holds_is_refused_before_all_of_it_is_read(error_of, text, problem):
    assert problem in error_of(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nPW: !Tr0ub4dor\n", "2: a tag, which begins with !, is not allowed here."),
        ("a: 1\nPW: *Tr0ub4dor\n", "2: not valid YAML: found undefined alias."),
        ("a: 1\nPW: !Tr0ub4dor!x\n", "2: not valid YAML: found undefined tag handle."),
        ("a: 1\nPW: !<Tr0ub4dor\n", "not valid YAML"),
        ("a: 1\nPW: %Tr0ub4dor\n", "2: not valid YAML: found character '%' that cannot start"),
        ("a: 1\nPW: &Tr0ub4dor x\nPX: &Tr0ub4dor! y\n", "3: not valid YAML"),
        ("a: 1\nPW: {Tr0ub4dor\n", "not valid YAML: expected ',' or '}', but got"),
        ('a: 1\nPW: "\\Tr0ub4dor"\n', "2: not valid YAML: found unknown escape character 'T'"),
    ],
)
def test_a_secret_that_looks_like_yaml_is_printed_nowhere(error_of, tmp_path, text, problem):
    assert problem in error_of(text)
    (tmp_path / "a.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_tree(tmp_path / "a.yml")
    assert "Tr0ub4dor" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a:\n    b: 1\n  c: 2\n", 3),
        ("a:\n  - x\n - y\n", 3),
        ("a:\n    b: 1\n  - c\n", 3),
        ("a:\n\tb: 1\n", 2),
    ],
)
def test_a_line_that_is_indented_wrong_is_said_to_be_so(error_of, text, line):
    said = error_of(text)
    assert said.startswith(f"{line}: not valid YAML: the indent is off.\n  Keys of one mapping")
