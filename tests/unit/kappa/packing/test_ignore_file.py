""".lambdaignore: the same names as git's, and no pattern that takes exponential time."""

import random
import re

import pathspec
import pytest

from kappa.packing.ignore_file import linear, read_ignored


@pytest.mark.parametrize(
    ("pattern", "name", "ignored"),
    [
        ("*a" * 30 + "*b", "a" * 200, False),
        ("*a" * 30 + "*b", "a" * 200 + "b", True),
        ("?*" * 40 + "1", "a" * 200, False),
        ("[a-z]*" * 30 + "1", "a" * 200, False),
        ("[!b]*" * 30 + "1", "a" * 200, False),
        ("**/a/" * 20 + "x", "a/" * 60 + "y", False),
        ("**/a/" * 20 + "x", "a/" * 60 + "x", True),
        ("/a/**/" + "b/*c*/**/" * 20 + "x", "a/" + "b/cc/" * 60 + "y", False),
        ("**/" * 100 + "x", "a/" * 60 + "y", False),
        ("!" + "*a" * 30 + "*b", "a" * 200, False),
    ],
)
def test_a_pattern_of_many_wildcards_is_answered(tmp_path, pattern, name, ignored):
    # The time is not measured: pathspec's own expressions would not end.
    (tmp_path / ".lambdaignore").write_text(f"{pattern}\n")
    assert bool(read_ignored(tmp_path)(name)) is ignored


PARTS = [
    "a",
    "b",
    "*",
    "**",
    "?",
    "[ab]",
    "[!a]",
    r"\*",
    ".",
    "*a",
    "a*",
    "*a*b",
    "a*b*",
    "[a-c]*b",
]


def patterns(dice):
    segments = [
        "".join(dice.choices(PARTS, k=dice.randint(1, 4))) for _ in range(dice.randint(1, 5))
    ]
    segments = [dice.choice([one, "**"]) for one in segments]
    start, end = dice.choice(["", "/", "!"]), dice.choice(["", "/"])
    return start + "/".join(segments) + end


def names(dice):
    segments = [
        "".join(dice.choices("abc*.", k=dice.randint(1, 5))) for _ in range(dice.randint(1, 5))
    ]
    return "/".join(segments) + dice.choice(["", "/"])


@pytest.mark.parametrize("seed", range(20))
def test_the_answers_are_those_of_git(seed):
    dice = random.Random(seed)
    for _ in range(60):
        # In pathspec, unlike git, [!a] may be a slash.
        line = patterns(dice)
        theirs = pathspec.GitIgnoreSpec.from_lines([line])
        (one,) = theirs.patterns
        if one.regex is None:
            continue
        git = re.compile(one.regex.pattern.replace("[^a]", "[^/a]"))
        ours = re.compile(linear(one.regex.pattern))
        for _ in range(60):
            name = names(dice)
            expected, actual = git.match(name), ours.match(name)
            assert bool(actual) is bool(expected), (line, name, ours.pattern)
            if expected and actual:
                assert expected.groupdict() == actual.groupdict(), (line, name)


def test_the_mark_that_editors_write_before_a_text_is_no_part_of_a_pattern(tmp_path):
    (tmp_path / ".lambdaignore").write_bytes(b"\xef\xbb\xbfsecrets.env\n")
    assert read_ignored(tmp_path)("secrets.env")
