"""Several configs: what runs side by side, how it is heard, and where configs end."""

import pytest
from click.testing import CliRunner

from kappa import console
from kappa.cli import cli
from kappa.selection import changing, making
from kappa.several import apart
from kappa.steps import Already, Step
from tests.builders import kappa_config

OWN = {"name": "p", "document": "policy.json"}


def config(name, policy=None, **function):
    return kappa_config({"name": name, **function}, policy=policy, role={"name": f"{name}-role"})


def test_functions_of_their_own_run_side_by_side():
    assert apart([config("a"), config("b")]) == [[0], [1]]


def test_what_shares_a_policy_goes_one_after_another():
    assert apart([config("a", OWN), config("b"), config("c", OWN)]) == [[0, 2], [1]]


def test_what_shares_a_bucket_goes_one_after_another():
    bucket = {"arn": "arn:aws:s3:::b", "events": ("s3:ObjectCreated:*",)}
    shared = [config("a", sources=[bucket]), config("b", sources=[bucket])]
    assert apart(shared) == [[0, 1]]


def test_groups_that_meet_become_one():
    other = {"name": "q", "document": "policy.json"}
    bucket = {"arn": "arn:aws:s3:::b", "events": ("s3:ObjectCreated:*",)}
    found = apart([config("a", OWN), config("b", other), config("a", other, sources=[bucket])])
    assert found == [[0, 1, 2]]


def test_a_role_that_kappa_only_uses_may_be_shared():
    arn = "arn:aws:iam::123456789012:role/ours"
    one, two = (kappa_config({"name": name}, role={"arn": arn}) for name in "ab")
    assert apart([one, two]) == [[0], [1]]


def test_each_line_begins_with_the_name(capsys):
    with console.speaking(console.Voice("a | ")):
        console.progress("one\ntwo")
    console.progress("three")
    assert capsys.readouterr().err == "a | one\na | two\nthree\n"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["a.yml", "b.yml", "tail"], "tail takes one config file"),
        (["--profile", "status", "a.yml", "b.yml", "invoke"], "invoke takes one config file"),
        (["a.yml", "nope"], "No such command 'nope'"),
    ],
)
def test_the_configs_end_where_the_command_begins(args, text):
    assert text in CliRunner().invoke(cli, args).output


def test_configs_without_a_command_say_that_it_is_missing(tmp_path):
    files = [str(tmp_path / name) for name in ("a.yml", "b.yml")]
    for file in files:
        (tmp_path / file).write_text("")
    assert "Which command?" in CliRunner().invoke(cli, files).output


CREATE = Step("iam", "create_role", {}, "created", "role r")
UPDATE = Step("iam", "create_policy_version", {}, "updated", "policy p")


def test_making_leaves_what_exists_even_where_it_differs():
    plan = [CREATE, UPDATE, Already("unchanged", "policy q")]
    assert making(plan) == [CREATE, Already("exists", "policy p"), Already("exists", "policy q")]


def test_changing_says_what_is_missing():
    assert changing([CREATE, UPDATE], "make it") == [
        Already("missing", "role r (make it)"),
        UPDATE,
    ]
